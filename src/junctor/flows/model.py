"""The flow as data: which services there are, under which names, how they are connected and treated."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar, cast

import msgspec

from junctor.core.policy import (
    Durability,
    HoldPolicy,
    Order,
    Policies,
    PoolPolicy,
    QueuePolicy,
    Recording,
    RestartPolicy,
    RetryPolicy,
)
from junctor.core.retention import Retention
from junctor.core.spec import Loop, ServiceSpec, Wire
from junctor.errors import ConfigurationError, SeveralProblems, nearest
from junctor.flows.alerts import read_alerts
from junctor.flows.code.imports import importable
from junctor.flows.dialects import dialect_of
from junctor.flows.files.changes import changed
from junctor.flows.files.reading import UNREAD, Reader
from junctor.flows.overrides import FlowSource
from junctor.flows.policies import over_own, read_policies
from junctor.flows.retention import read_retention
from junctor.flows.schedules import Schedule, read_schedules, scheduled
from junctor.flows.wires import Connect, read_wires
from junctor.http.settings import HttpSettings
from junctor.observe.frames import users_line
from junctor.services import Service, checked_name, module_spec, name_of_class, name_of_module, own_policies, spec_of
from junctor.services.native import SERVICE
from junctor.settings.written import Node, node_of

Source = Service | type[Any] | ServiceSpec | types.ModuleType | Any
"""What can be added to a flow: a blueprint, a class of ours or of a dialect, an object of a dialect that stands for a
service, a spec, a module with marked functions."""

Function = TypeVar("Function", bound=Callable[..., Any])


def known_words(function: Function) -> Function:
    """Let a wrong keyword argument be answered with the nearest right one."""
    words = {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not parameter.VAR_POSITIONAL and name != "self"
    }

    @functools.wraps(function)
    def checked(*args: Any, **given: Any) -> Any:
        for word in given:
            if word not in words:
                where, fix = f"{function.__name__}(... {word}=...)", nearest(word, words).strip()
                raise ConfigurationError(f'there is no argument "{word}"', where=where, fix=fix)
        return function(*args, **given)

    return cast(Function, checked)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a flow, as written. ``places`` says where settings and connections were, for errors.

    The wires of ``connect`` lead to names, not yet to addresses. ``schedules`` stand instead of those of the class.
    ``code`` is where it was defined, ``module:Class``; empty where nothing can be imported. ``place`` is where the
    service itself is written, empty for one that was added in Python. ``section`` is what a file says of a service
    that it switches off: its ``source`` is None, for its class is not imported. ``companion``: nobody has written it, a
    dialect has added it to its services.
    """

    name: str
    source: Any
    policies: Policies
    settings: Mapping[str, Any] = {}
    connect: Mapping[str, tuple[Wire, ...]] = {}
    schedules: Mapping[str, Schedule] = {}
    enabled: bool = True
    isolate: Literal["node", "worker"] = "node"
    loop: Loop = "shared"
    places: Mapping[str, str] = {}
    code: str = ""
    place: str = ""
    section: Mapping[str, Any] = {}
    companion: bool = False

    def spec(self) -> ServiceSpec:
        """The spec, with the name and the policies of this flow.

        :raises ConfigurationError: the class, its settings or schedules cannot be used.
        """
        made = self._produce()
        return msgspec.structs.replace(
            made,
            name=self.name,
            schedules=scheduled(made.schedules, self.schedules, self.name),
            policies=self._policies(made),
            code=importable(made.code),
            isolation=self.isolate if self.isolate != "node" else made.isolation,
            loop=self.loop if self.loop != "shared" else made.loop,
        )

    def _policies(self, made: ServiceSpec) -> Policies:
        """Those of the flow. In a dialect settings may be policies too: they stand where the flow says nothing."""
        dialect = dialect_of(self.source)
        if dialect is None:
            return over_own(self.policies, made.policies)
        usual, own = dialect.policies(self.source), msgspec.structs.asdict(self.policies)
        said = {name: value for name, value in own.items() if value != getattr(usual, name)}
        return msgspec.structs.replace(made.policies, **said)

    def _produce(self) -> ServiceSpec:
        source = self.source
        if isinstance(source, ServiceSpec):
            return source
        if (dialect := dialect_of(source)) is not None:
            return dialect.spec(source, self.name, settings=self.settings, places=self.places)
        produce: Any = module_spec if isinstance(source, types.ModuleType) else spec_of
        spec: ServiceSpec = produce(source, self.name, settings=self.settings, places=self.places)
        return spec


class FlowModel:
    """Named services with their connections and policies. Nothing runs here; only names and words are checked.

    :param name: the name of the flow; part of every address ``flow/service`` in it.
    :param http: where and for whom its routes and actions are open, as an object or a mapping with the words of a flow
        file; None: as the node has it.
    :param alerts: rules as in a flow file: ``[{"when": {"parked": 1}, "send": {"webhook": "https://..."}}]``.
    :param retention: how long what is finished stays, as an object or a mapping with the words of a flow file:
        ``{"done": "7d", "disk": "5GB"}``; None: the defaults.
    :raises ConfigurationError: the name is none, or a word of ``http``, ``alerts`` or ``retention`` is wrong.

    ``source`` tells where it was loaded from, None for one made in Python. ``alerts`` are the rules of the ``alerts:``
    section. ``sections`` has the sections beside ``services`` as they are written, with references in place of what is
    secret.
    ``notes`` are remarks on how it is written, for a start and for ``junctor check``; ``broken`` are the names of
    services that are written and could not be added. ``unread`` are those that are here in part, with the settings,
    connections and schedules that lack a variable or are wrong: such a flow is only looked at. ``places`` has the lines
    of the name and of the ``http`` section by path, ``http.keys[0].secret``; ``made`` is the user's line that made the
    flow, where there is one. ``origins`` are the variables that came from files: name, value and line, by where they
    are used. ``as_file`` is what to write to a file in its place: its services are parts of one that a file names.
    """

    def __init__(
        self,
        name: str = "flow",
        *,
        http: HttpSettings | Mapping[str, Any] | None = None,
        alerts: Sequence[Mapping[str, Any]] = (),
        retention: Retention | Mapping[str, Any] | None = None,
    ) -> None:
        self.name = checked_name(name, "flow")
        reader = Reader()
        self.http = None if http is None else read_http(reader, node_of(http))
        self.source: FlowSource | None = None
        self.places: Mapping[str, str] = {}
        self.made = users_line()
        self.as_file: FlowModel | None = None
        self.origins: Mapping[str, Sequence[tuple[str, str, str]]] = {}
        self.alerts = read_alerts(reader, node_of(alerts))
        self.retention = None if retention is None else read_retention(reader, node_of(retention))
        self.sections: Mapping[str, Any] = {}
        self.notes: tuple[str, ...] = ()
        self.broken: frozenset[str] = frozenset()
        self.unread: dict[str, frozenset[str]] = {}
        self._items: dict[str, Item] = {}
        if reader.problems:
            raise SeveralProblems.of(reader.problems, f"flow {self.name}")

    @property
    def partial(self) -> frozenset[str]:
        """Names of services that are written and are not here as they are written."""
        return self.broken | self.unread.keys()

    @property
    def services(self) -> tuple[Item, ...]:
        """Those that are enabled, in the order in which they were added."""
        return tuple(item for item in self._items.values() if item.enabled)

    @property
    def disabled(self) -> Mapping[str, Item]:
        """Those that are written and switched off, by name."""
        return {item.name: item for item in self._items.values() if not item.enabled}

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them, enabled or not."""
        return tuple(self._items.values())

    def item(self, name: str) -> Item | None:
        """The service of this name, enabled or not."""
        return self._items.get(name)

    @known_words
    def add(
        self,
        service: Source,
        name: str | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        connect: Mapping[str, Connect] | None = None,
        pool: int | Mapping[str, Any] | PoolPolicy | None = None,
        key: str | None = None,
        order: Order | None = None,
        retry: RetryPolicy | Mapping[str, Any] | None = None,
        hold: HoldPolicy | Mapping[str, Any] | None = None,
        restart: RestartPolicy | Mapping[str, Any] | None = None,
        queue: int | Mapping[str, Any] | QueuePolicy | None = None,
        durability: Durability | None = None,
        trace: Recording | None = None,
        timeout: float | str | None = None,
        schedules: Mapping[str, Any] | None = None,
        enabled: bool = True,
        isolate: Literal["node", "worker"] = "node",
        loop: Loop = "shared",
        places: Mapping[str, str] | None = None,
        place: str = "",
    ) -> Self:
        """Add a service: an object like ``Alarm(limit=75)``, a class, a module with marked functions, or a spec.

        :param name: its name in this flow; from the class or module by default.
        :param settings: values over those of the object; text is converted.
        :param connect: target name to the name of a service here, or several, or ``flow/service`` of the same node;
            with a condition ``{"to": "alarm", "when": "body.value > 80"}`` or ``when("alarm", "body.value > 80")``. A
            target left out connects by itself when exactly one other service handles its type.
        :param pool: how many deliveries run at once, with ``key`` (a field of the body: equal ones stay in line) and
            ``order`` ("strict", or "skip" to let others pass a message that is tried again).
        :param retry: policies as objects or mappings; durations also as text: ``retry={"attempts": 3, "max": "10s"}``.
        :param queue: the bound of waiting messages, or a mapping.
        :param trace: what is kept of what it did: "all", only "failures", or "off".
        :param timeout: for requests to this service that name none; "never" for no end.
        :param schedules: instead of those in the code, by the name of the method: ``{"poll": "5s"}``,
            ``{"report": {"cron": "0 6 * * 1-5", "zone": "Europe/Berlin"}}``, ``{"poll": False}`` for none.
        :param enabled: False leaves it out, as if it were not there.
        :param isolate: "worker" runs handlers in another process; ``loop`` "own" in a thread with its own event loop.
        :param places: where something was written, for errors: ``{"limit": "flow.yaml:12"}``; ``place`` of the service.
        :return: the flow, so that calls can be chained.
        :raises ConfigurationError: the name is taken or not a name, or a policy has an unknown or wrong word.
        """
        name = checked_name(name or default_name(service), self.name)
        if (other := self._items.get(name)) is not None:
            raise self._taken(name, other, place)
        if settings and isinstance(service, ServiceSpec):
            raise ConfigurationError("a spec has its settings already", where=name, fix="Give them to its producer.")
        base = policies_of(service)
        written: dict[str, Any] = {"pool": pool, "key": key, "order": order, "queue": queue, "durability": durability}
        written |= {"retry": retry, "hold": hold, "restart": restart, "trace": trace, "timeout": timeout}
        policies, wires, own_schedules = _all_of(
            name,
            lambda: read_policies(base, written, name),
            lambda: read_wires(connect or {}, name),
            lambda: read_schedules(schedules or {}, name),
        )
        self._items[name] = Item(
            name=name,
            source=service,
            policies=policies,
            settings=settings or {},
            connect=wires,
            schedules=own_schedules,
            enabled=enabled,
            isolate=isolate,
            loop=loop,
            places={SERVICE: place, **(places or {})} if place else places or {},
            code=code_of(service),
            place=place,
        )
        return self

    def _taken(self, name: str, other: Item, place: str) -> ConfigurationError:
        what = f'there is a service "{name}" already' + (f": {other.place}" if other.place else "")
        free = self._free(name)
        if place:
            return ConfigurationError(what, where=place, fix=f'Give one of them another name, for example "{free}".')
        return ConfigurationError(what, where=self.name, fix=f'Give one of them another name: add(..., name="{free}").')

    def leave_out(self, name: str, section: Mapping[str, Any], place: str = "") -> None:
        """Note a service that a file switches off. Its class is not imported.

        :param section: what the file says of it, as plain values.
        """
        if (other := self._items.get(name)) is not None:
            raise self._taken(name, other, place)
        self._items[name] = Item(
            name=name, source=None, policies=Policies(), enabled=False, section=section, place=place
        )

    def change(self, setting: str, value: str, place: str = "--set") -> None:
        """Set ``service.setting`` to a value, as text; or a policy, ``service.retry.attempts``, if no setting has the
        name. ``service.settings.NAME`` is a setting in any case.

        :param place: where it was written, for errors.
        :raises ConfigurationError: there is no such service, or the text names nothing that can be set.
        """
        name, dot, word = setting.partition(".")
        if not dot or not word:
            raise ConfigurationError(f'"{setting}" names no setting', where=place, fix="Write service.setting=value.")
        item = self._items.get(name)
        if item is None:
            fix = nearest(name, self._items).strip()
            raise ConfigurationError(f'there is no service "{name}"', where=f"{place} {setting}", fix=fix)
        self._items[name] = changed(item, word, value, place)

    def place(self, path: str) -> str:
        """Where a part of the ``http`` section is written, or the nearest around it; ``flow`` is the name of the flow.
        Else where the flow was made.
        """
        while path:
            if path in self.places:
                return self.places[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.made

    def explained(self, problem: ConfigurationError) -> ConfigurationError:
        """The problem, and where the wrong value came from when that was a file of variables."""
        place = (problem.where or "").rpartition("(")[2].rstrip(")")
        for name, value, origin in self.origins.get(place, ()):
            told = f"; {name} is set at {origin}"
            if value in problem.what and told not in problem.what:
                return type(problem)(f"{problem.what}{told}", where=problem.where, fix=problem.fix)
        return problem

    def put(self, *items: Item) -> Self:
        """Take services as they are written already, over those of the same name."""
        self._items.update({item.name: item for item in items})
        return self

    def copied(self, name: str | None = None) -> FlowModel:
        """A flow of its own with the same services, under another name where one is given."""
        return FlowModel(name or self.name)._like(self)

    def _like(self, other: FlowModel) -> Self:
        """This flow with all that the other has, but the name."""
        for word, value in vars(other).items():
            if word != "name":
                vars(self)[word] = value
        self._items = dict(other._items)
        return self

    def _free(self, name: str) -> str:
        return next(
            other for number in range(2, len(self._items) + 3) if (other := f"{name}-{number}") not in self._items
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {', '.join(self._items) or 'empty'}>"


def read_http(reader: Reader, node: Node) -> HttpSettings | None:
    """The ``http`` section; what is wrong is noted at the reader."""
    read = reader.read(node, HttpSettings, "http")
    return None if read is UNREAD else read


def default_name(service: object) -> str:
    """The name a service has when the flow gives none.

    :raises ConfigurationError: this is nothing that can be a service.
    """
    if isinstance(service, ServiceSpec):
        return service.name
    if isinstance(service, types.ModuleType):
        return name_of_module(service)
    cls = service if isinstance(service, type) else type(service)
    if (dialect := dialect_of(service)) is not None:
        return dialect.default_name(service)
    if issubclass(cls, Service) and cls is not Service:
        return name_of_class(cls)
    raise ConfigurationError(
        f"{service!r} is not a service",
        fix="Add an object or class derived from Service, a module with marked functions, or a ServiceSpec.",
    )


def policies_of(service: Source) -> Policies:
    """The policies that a service brings, before its flow says anything."""
    if isinstance(service, ServiceSpec):
        return service.policies
    dialect = dialect_of(service)
    return own_policies(service) if dialect is None else dialect.policies(service)


def code_of(service: Source) -> str:
    """Where the service is defined, ``module:Class``; the name of a module; empty for what cannot be imported."""
    if isinstance(service, ServiceSpec):
        return service.code
    if isinstance(service, types.ModuleType):
        return service.__name__
    dialect = dialect_of(service)
    cls = (service if isinstance(service, type) else type(service)) if dialect is None else dialect.component(service)
    return "" if cls is None or "<locals>" in cls.__qualname__ else f"{cls.__module__}:{cls.__qualname__}"


def _all_of(where: str, *reads: Callable[[], Any]) -> list[Any]:
    """What each of them gives.

    :raises ConfigurationError: the problems of all.
    """
    made: list[Any] = []
    problems: list[ConfigurationError] = []
    for read in reads:
        try:
            made.append(read())
        except SeveralProblems as error:
            problems += error.problems
        except ConfigurationError as error:
            problems.append(error)
    if problems:
        raise SeveralProblems.of(problems, where)
    return made
