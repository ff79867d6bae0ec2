"""Module-level functions with marks: together they are one service, named after the module.

The module stands for the instance: its annotations of the form ``readings: Target[Reading]`` become targets, its
``limit: float = setting(80.0)`` becomes the value, both when the service is built. A module exists once in a process,
so it can be one service of one running node at a time. :func:`current` gives what a method has in ``self``.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from junctor.core.policy import Policies
from junctor.core.spec import Activity, Bind, Context, ServiceSpec, TargetSpec
from junctor.errors import ConfigurationError
from junctor.services.declared import module_settings, module_targets
from junctor.services.entries import Entries
from junctor.services.markers import marks_of, place_of
from junctor.services.member import Member, is_blocking
from junctor.services.names import checked_name, name_of_module
from junctor.services.native import bound_targets, own_copies, placed
from junctor.services.service import Attachment, Service
from junctor.services.serving import routes
from junctor.services.timing import schedules
from junctor.settings import Setting, concealed, read_settings

_DECLARED = "__junctor_settings__"
_current: ContextVar[Service | None] = ContextVar("junctor_current", default=None)


def current() -> Service:
    """What ``self`` is to a method: ``current().log``, ``.state``, ``.message``, ``.sleep()``, ``.publish()`` ...

    In a function that no node called it is a stand-in without a node, one for the process.
    """
    return _current.get() or _stand_in()


@functools.cache
def _stand_in() -> Service:
    return Service()


def has_marks(module: types.ModuleType) -> bool:
    """Whether functions of the module make it a service."""
    return any(True for _ in _marked(module))


def module_spec(
    module: types.ModuleType,
    name: str | None = None,
    *,
    policies: Policies | None = None,
    settings: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> ServiceSpec:
    """The spec of a module with marked functions; parameters and errors as in :func:`~junctor.services.spec_of`.

    ``on_start``, ``on_stop`` and ``loop`` of the module are the lifecycle of the service.
    """
    name = checked_name(name or name_of_module(module), module.__name__)
    entries = _entries(module)
    targets = tuple(module_targets(module))
    declared = _declared(module)
    values = read_settings(declared, settings or {}, name, places=places, in_flow=True)
    for key, (setting, kind) in declared.items():
        if setting.hidden(kind) and key in values:
            values[key] = concealed(values[key])
    with placed(name, places):
        times = tuple(schedules(entries.schedules, values))
        served = tuple(routes(entries.routes, values, name))
    return ServiceSpec(
        name=name,
        build=_builder(module, targets, declared),
        doc=inspect.cleandoc(module.__doc__ or ""),
        origin=f"{module.__file__}:1" if getattr(module, "__file__", None) else module.__name__,
        handlers=tuple(entries.handlers),
        schedules=times,
        routes=served,
        actions=tuple(entries.actions),
        sockets=tuple(entries.sockets),
        targets=targets,
        settings=values,
        start=_activity(module, "on_start"),
        stop=_activity(module, "on_stop"),
        main=_activity(module, "loop"),
        stateful=any({"state", "current"} <= set(function.__code__.co_names) for _, function in _marked(module)),
        code="" if module.__name__ == "__main__" else module.__name__,
        policies=policies or Policies(),
    )


def _marked(module: types.ModuleType) -> Iterator[tuple[str, types.FunctionType]]:
    """The marked functions that the module itself defines."""
    for name, value in list(vars(module).items()):
        if inspect.isfunction(value) and marks_of(value) and value.__module__ == module.__name__:
            yield name, value


def _entries(module: types.ModuleType) -> Entries:
    entries = Entries()
    for name, function in _marked(module):
        entries.add(Member(name=name, function=function, marks=marks_of(function), bind=_bind(function)))
    if not entries:
        raise ConfigurationError(
            "the module has no marked function",
            where=module.__name__,
            fix="Mark one with @handler, @every, @action or a route, or name a class: module:Class.",
        )
    return entries


def _bind(function: Callable[..., Any]) -> Bind:
    """Calls of the function know their service through :func:`current`."""
    if is_blocking(function):

        def bind(service: Any) -> Callable[..., Any]:
            @functools.wraps(function)
            def call(*args: Any, **kwargs: Any) -> Any:
                token = _current.set(service)
                try:
                    return function(*args, **kwargs)
                finally:
                    _current.reset(token)

            return call

        return bind

    def bind_async(service: Any) -> Callable[..., Any]:
        @functools.wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            token = _current.set(service)
            try:
                return await function(*args, **kwargs)
            finally:
                _current.reset(token)

        return call

    return bind_async


def _builder(
    module: types.ModuleType, targets: tuple[TargetSpec, ...], declared: Mapping[str, tuple[Setting, Any]]
) -> Callable[[Context], Any]:
    texts = {name: kind is str or kind == (str | None) for name, (_, kind) in declared.items()}

    def build(context: Context) -> Service:
        service = Service()
        vars(service)["__junctor__"] = Attachment(context.port, context.service, True, (), {})
        vars(module).update(own_copies(context.settings, texts))
        vars(module).update(bound_targets(targets, context.port, context.service))
        return service

    return build


def _declared(module: types.ModuleType) -> dict[str, tuple[Setting, Any]]:
    """The declarations of the module; remembered, because building puts values in their place."""
    known: dict[str, tuple[Setting, Any]] | None = vars(module).get(_DECLARED)
    if known is None:
        known = {name: (setting, kind) for name, setting, kind in module_settings(module)}
        setattr(module, _DECLARED, known)
    return known


def _activity(module: types.ModuleType, name: str) -> Activity | None:
    function = vars(module).get(name)
    if not inspect.isfunction(function) or function.__module__ != module.__name__:
        return None
    if any(p.default is p.empty for p in inspect.signature(function).parameters.values()):
        raise ConfigurationError("it is called without arguments", where=place_of(function), fix=f"Write def {name}().")
    return Activity(bind=_bind(function), blocking=is_blocking(function))
