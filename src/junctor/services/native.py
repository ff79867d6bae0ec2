"""The native producer: from a :class:`Service` class or blueprint to the spec that the engine runs."""

from __future__ import annotations

import copy
import dis
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from junctor.core.policy import Policies
from junctor.core.port import Port
from junctor.core.spec import Activity, Context, ServiceSpec, TargetSpec
from junctor.errors import ConfigurationError, SettingError
from junctor.observe.secrets import register
from junctor.services.alone import Alone
from junctor.services.declared import declared_settings, declared_targets, other_attributes
from junctor.services.entries import Entries
from junctor.services.markers import is_plain, marks_of, place_of
from junctor.services.member import Member, is_blocking
from junctor.services.names import checked_name, name_of_class
from junctor.services.service import Attachment, Service
from junctor.services.serving import routes
from junctor.services.target import Target
from junctor.services.timing import schedules
from junctor.settings import Hidden, Secret, concealed, read_settings

SERVICE = ""
"""The name under which places have that of the service itself."""

_IMMUTABLE = (str, int, float, bool, bytes, type(None), Secret)


def spec_of(
    service: Service | type[Service],
    name: str | None = None,
    *,
    policies: Policies | None = None,
    settings: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> ServiceSpec:
    """The spec of a service class, or of a blueprint with its settings.

    :param name: the name in the flow; the class name by default, ``machine-monitor`` for ``MachineMonitor``.
    :param settings: values over those of the blueprint, also as text.
    :param places: where a setting was written, for example ``flow.yaml:12``.
    :raises ConfigurationError: a mark is used wrongly; class, method, line and the fix are in the text.
    :raises SettingError: a setting is unknown, missing, of the wrong type or out of bounds.
    """
    cls = service if isinstance(service, type) else type(service)
    blueprint = None if isinstance(service, type) else service
    name = checked_name(name or name_of_class(cls), cls.__name__)
    entries = _entries(cls)
    targets = declared_targets(cls)
    if blueprint is None:
        _constructible(cls)
    values = _settings(cls, blueprint, name, settings or {}, places)
    with placed(name, places):
        times = tuple(schedules(entries.schedules, values))
        served = tuple(routes(entries.routes, values, name))
        _check_settings(cls, name, values)
    made = ServiceSpec(
        name=name,
        build=_builder(cls, blueprint, tuple(targets.values())),
        doc=inspect.cleandoc(cls.__doc__ or "") if cls.__doc__ != Service.__doc__ else "",
        origin=_origin(cls),
        handlers=tuple(entries.handlers),
        schedules=times,
        routes=served,
        actions=tuple(entries.actions),
        sockets=tuple(entries.sockets),
        targets=tuple(targets.values()),
        settings=values,
        start=_activity(cls, "on_start"),
        stop=_activity(cls, "on_stop"),
        main=_activity(cls, "loop"),
        stateful=uses_state(cls),
        remark=_remark(cls),
        code=_importable(cls),
        permanent=getattr(cls, "__junctor_permanent__", ""),
        policies=policies or own_policies(cls),
    )
    if (durable := _durable(cls)) is not None:
        return durable(cls, made)
    _refuse_runs(cls, entries)
    return made


def _refuse_runs(cls: type[Service], entries: Entries) -> None:
    """What only a run has, in a class that has none."""
    named = [*(each.name for each in entries.signals), *(each.name for each in entries.queries), *entries.keys]
    if named:
        raise ConfigurationError(
            "@signal, @query and @handler(key=...) are for runs, and this service has none",
            where=place_of(inspect.getattr_static(cls, named[0])),
            fix=f"Write class {cls.__name__}(Workflow), or @handler and @action.",
        )


def own_policies(source: Any) -> Policies:
    """The policies that a service brings, before its flow says anything."""
    own = getattr(source, "__junctor_policies__", None)
    return own if isinstance(own, Policies) else Policies()


def _durable(cls: type[Service]) -> Callable[[type[Service], ServiceSpec], ServiceSpec] | None:
    """What makes the spec of a durable service out of the one of its class; None for all others."""
    found: Callable[[type[Service], ServiceSpec], ServiceSpec] | None = getattr(cls, "__junctor_durable__", None)
    return found


def bound_targets(targets: tuple[TargetSpec, ...], port: Port, service: str) -> dict[str, Any]:
    """The declared targets over a port: name to target, None for an optional one that is not connected."""
    bound: dict[str, Any] = {}
    for spec in targets:
        links = port.links(spec.name)
        empty = spec.optional and not links
        bound[spec.name] = None if empty else Target(port, links, spec.request, f"{service}.{spec.name}")
    return bound


def own_copies(settings: Mapping[str, Any], plain: Mapping[str, bool]) -> dict[str, Any]:
    """The settings for one instance: lists and the like are its own, secrets of type ``str`` are text again.

    What is secret is masked from now on in all that operators see.
    """
    register(value.reveal() for value in settings.values() if isinstance(value, Secret))
    shown = {name: value.reveal() if isinstance(value, Hidden) else value for name, value in settings.items()}
    values = {name: value if isinstance(value, _IMMUTABLE) else copy.deepcopy(value) for name, value in shown.items()}
    for name, value in values.items():
        if plain.get(name) and isinstance(value, Secret):
            values[name] = value.reveal()
    return values


def _builder(
    cls: type[Service], blueprint: Service | None, targets: tuple[TargetSpec, ...]
) -> Callable[[Context], Any]:
    args, kwargs = (blueprint.__junctor__.args, blueprint.__junctor__.kwargs) if blueprint is not None else ((), {})
    texts = _plain_texts(cls)

    plain_new = cls.__new__ is Service.__new__  # which attaches what is attached below

    def build(context: Context) -> Service:
        # The constructor runs last: it finds log, settings and targets in place.
        service: Service = object.__new__(cls) if plain_new else cls.__new__(cls, *args, **kwargs)
        inside = vars(service)
        inside["__junctor__"] = Attachment(context.port, context.service, True, args, kwargs)
        inside.update(own_copies(context.settings, texts))
        inside.update(bound_targets(targets, context.port, context.service))
        cls.__init__(service, *args, **kwargs)
        return service

    return build


def _plain_texts(cls: type[Service]) -> dict[str, bool]:
    """Whether a setting is text, also where it is kept as a secret."""
    return {name: kind is str or kind == (str | None) for name, (_, kind) in declared_settings(cls).items()}


def _settings(
    cls: type[Service],
    blueprint: Service | None,
    name: str,
    given: Mapping[str, Any],
    places: Mapping[str, str] | None,
) -> dict[str, Any]:
    declared = declared_settings(cls)
    held = vars(blueprint) if blueprint is not None else {}
    merged = {**{key: held[key] for key in declared if key in held}, **given}
    values = read_settings(declared, merged, name, others=other_attributes(cls), places=places, in_flow=True)
    for key, (setting, kind) in declared.items():
        if setting.hidden(kind) and key in values:
            values[key] = concealed(values[key])
    return values


def _check_settings(cls: type[Service], name: str, values: Mapping[str, Any]) -> None:
    """What the class itself says of its settings; not where one of them lacks a variable."""
    if cls.check_settings is Service.check_settings or declared_settings(cls).keys() - values.keys():
        return
    service: Service = object.__new__(cls)
    vars(service)["__junctor__"] = Attachment(Alone(name), name, False, (), {})
    vars(service).update(own_copies(values, _plain_texts(cls)))
    service.check_settings()


@contextmanager
def placed(service: str, places: Mapping[str, str] | None) -> Iterator[None]:
    """Tell of a setting that is wrong where it is written: its ``where`` is the name of the setting alone.

    :raises SettingError: the same with the service and the place.
    """
    try:
        yield
    except SettingError as error:
        name = error.where or ""
        path = f"{service}.{name}" if name else service
        place = (places or {}).get(name) or (places or {}).get(SERVICE)
        where = f"{path} ({place})" if place else path
        raise type(error)(error.what, where=where, fix=error.fix) from error.__cause__


def _constructible(cls: type[Service]) -> None:
    if cls.__init__ is Service.__init__:
        return
    try:
        inspect.signature(cls.__init__).bind(None)
    except TypeError as error:
        raise ConfigurationError(
            f"the constructor needs arguments: {error}",
            where=place_of(cls.__init__),
            fix=f"Give the flow an object, {cls.__name__}(...), not the class.",
        ) from error


def _entries(cls: type[Service]) -> Entries:
    entries = Entries()
    for member in members(cls):
        entries.add(member)
    return entries


def members(cls: type[Service]) -> Iterator[Member]:
    """Marked methods in the order of the code, bases first. An override without a mark keeps the mark it overrides."""
    names = dict.fromkeys(
        name for base in reversed(cls.__mro__) for name, value in vars(base).items() if _marked(value)
    )
    for name in names:
        function = inspect.getattr_static(cls, name)
        if function is None:
            continue
        _refuse_wrapped(cls, name, function)
        marks = next(marks_of(vars(base)[name]) for base in cls.__mro__ if _marked(vars(base).get(name)))
        yield Member(name=name, function=function, marks=marks, bind=attrgetter(name), owner=cls)


def has_entries(cls: type[Service]) -> bool:
    """Whether there is anything in the class that a node would run."""
    lifecycle = any(inspect.getattr_static(cls, name) is not vars(Service)[name] for name in ("loop", "on_start"))
    return lifecycle or any(_marked(value) for base in cls.__mro__ for value in vars(base).values())


def _marked(value: Any) -> bool:
    return bool(marks_of(value) or marks_of(getattr(value, "__func__", None)))


def _refuse_wrapped(cls: type, name: str, function: Any) -> None:
    if not is_plain(function):
        raise ConfigurationError(
            f"marks are for plain methods, not for {type(function).__name__}",
            where=f"{cls.__name__}.{name}",
            fix="Write it as `def` with self.",
        )


def _activity(cls: type[Service], name: str) -> Activity | None:
    """A lifecycle method, when the class overrides it."""
    function = inspect.getattr_static(cls, name)
    if function is vars(Service)[name] or function is None:
        return None
    _refuse_wrapped(cls, name, function)
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise ConfigurationError(
            f"it is called without arguments: {error}", where=place_of(function), fix=f"Write def {name}(self)."
        ) from error
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError("it must not yield", where=place_of(function), fix="Send with a target instead.")
    return Activity(bind=attrgetter(name), blocking=is_blocking(function))


def _remark(cls: type[Service]) -> Callable[[Any, float], str] | None:
    """``def remark(self) -> str``, when the class has one. Any other attribute of that name is the user's own."""
    function = inspect.getattr_static(cls, "remark", None)
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function) or _marked(function):
        return None
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return None
    return _said


def _said(instance: Any, now: float) -> str:
    return str(instance.remark()) if instance is not None else ""


def uses_state(cls: type[Service]) -> bool:
    """Whether a method of the class, as far as its code tells, uses ``self.state``."""
    functions = (
        inspect.unwrap(value)
        for base in cls.__mro__
        if base not in Service.__mro__
        for value in vars(base).values()
        if inspect.isfunction(value)
    )
    return any(_reads_state(function.__code__) for function in functions if inspect.isfunction(function))


def _reads_state(code: types.CodeType) -> bool:
    if "state" in code.co_names:
        before: Any = None
        for step in dis.get_instructions(code):
            if step.argval == "state" and step.opname.startswith("LOAD_ATTR") and before in ("self", ("self",)):
                return True
            before = step.argval[-1:] if isinstance(step.argval, tuple) else step.argval
    return any(_reads_state(part) for part in code.co_consts if isinstance(part, types.CodeType))


def _origin(cls: type) -> str:
    """``alarm.py:12`` as far as it can be told without reading source files."""
    lines = [value.__code__.co_firstlineno for value in vars(cls).values() if inspect.isfunction(value)]
    file = getattr(sys.modules.get(cls.__module__), "__file__", None) or cls.__module__
    return f"{file}:{min(lines)}" if lines else str(file)


def _importable(cls: type) -> str:
    """``module:Class``; for the program that was started, ``/path/file.py:Class``. Empty for a class in a function."""
    if "<locals>" in cls.__qualname__:
        return ""
    module = cls.__module__
    if module == "__main__":
        module = getattr(sys.modules["__main__"], "__file__", None) or ""
    return f"{module}:{cls.__qualname__}" if module else ""
