"""From a flow model to a plan: every target connected, every type known, every problem found at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.spec import FlowPlan, HandlerSpec, ServicePlan, ServiceSpec, TargetSpec, Wire, service_address
from junctor.errors import ConfigurationError, SeveralProblems, WiringError, nearest
from junctor.flows.model import FlowModel, Item
from junctor.messages import TypeRegistry, type_name
from junctor.messages.types import is_body_class
from junctor.services.hints import own_annotations
from junctor.services.target import members, wire_types


class Connection(msgspec.Struct, frozen=True):
    """One line of the wiring. ``how`` says why it is there: "by type" or "by name"."""

    source: str
    target: str
    to: str
    type: str
    how: str

    def __str__(self) -> str:
        return f"{self.source}.{self.target} -> {self.to} ({self.type}, {self.how})"


class Wiring(msgspec.Struct, frozen=True):
    """A wired flow: the model it was made of, the plan to run, the connections, and remarks that are no errors."""

    model: FlowModel
    plan: FlowPlan
    connections: tuple[Connection, ...]
    notes: tuple[str, ...]

    def explain(self) -> list[str]:
        """``monitor.readings -> alarm (Reading, by type)``, a line each, then the remarks."""
        return [*map(str, self.connections), *(f"note: {note}" for note in self.notes)]


def wire(model: FlowModel) -> Wiring:
    """Check and connect a flow.

    :raises ConfigurationError: something is wrong; several problems come together as
        :class:`~junctor.errors.SeveralProblems`, each with its place and fix.
    """
    return _Wirer(model).wire()


def wire_all(models: Sequence[FlowModel]) -> list[Wiring]:
    """Check and connect the flows of one node, with the connections that lead from one flow to another.

    :raises ConfigurationError: something is wrong, as for :func:`wire`.
    """
    return [wire(model) for model in models]


class _Wirer:
    def __init__(self, model: FlowModel) -> None:
        self._model = model
        self._problems: list[ConfigurationError] = []
        self._connections: list[Connection] = []
        self._notes: list[str] = []
        self._specs: dict[str, ServiceSpec] = {}

    def wire(self) -> Wiring:
        if not self._model.services:
            raise ConfigurationError(
                "it has no service", where=f"flow {self._model.name}", fix="Add one: flow.add(...)."
            )
        for item in self._model.services:
            self._take(item)
        types = self._types()
        plans = tuple(
            ServicePlan(spec=_for_engine(self._specs[item.name]), connect=self._connect(item))
            for item in self._model.services
            if item.name in self._specs
        )
        for spec in self._specs.values():
            self._check_key(spec)
            self._check_pool(spec)
        self._note_cycles()
        if self._problems:
            raise SeveralProblems.of(self._problems, f"flow {self._model.name}")
        plan = FlowPlan(name=self._model.name, types=types, services=plans)
        return Wiring(self._model, plan, tuple(self._connections), tuple(self._notes))

    def _take(self, item: Item) -> None:
        try:
            self._specs[item.name] = item.spec()
        except ConfigurationError as error:
            self._problems.append(error)

    # Types --------------------------------------------------------------------------------------------------

    def _types(self) -> TypeRegistry:
        """Every type that a handler or target declares; clashes and unusable classes become problems."""
        types = TypeRegistry()
        for where, kind in self._declared():
            try:
                types.register(kind)
            except ConfigurationError as error:
                placed = type(error)(error.what, where=error.where or where, fix=error.fix)
                if str(placed) not in map(str, self._problems):
                    self._problems.append(placed)
        return types

    def _declared(self) -> Iterator[tuple[str, Any]]:
        for spec in self._specs.values():
            for handler in spec.handlers:
                yield from ((f"{spec.name}.{handler.name}", kind) for kind in (handler.accepts, handler.replies))
            yield from ((spec.name, kind) for kind in spec.types)
            for target in spec.targets:
                yield from (
                    (f"{spec.name}.{target.name}", kind) for kind in (*wire_types(target.request), target.reply)
                )

    # Connections --------------------------------------------------------------------------------------------

    def _connect(self, item: Item) -> Mapping[str, tuple[Wire, ...]]:
        spec = self._specs[item.name]
        declared = {target.name: target for target in spec.targets}
        for name in item.connect:
            if name not in declared:
                where = _place(item, name)
                self._wrong(where, f"{item.name} has no target of this name", nearest(name, declared).strip())
        connected: dict[str, tuple[Wire, ...]] = {}
        for name, target in declared.items():
            if name in item.connect:
                connected[name] = tuple(self._by_name(item, target))
            elif (to := self._by_type(item, target)) is not None:
                connected[name] = (Wire(to),)
            if target.reply is not None and len(connected.get(name, ())) > 1:
                fix = "Connect it to one service, or declare the target without a reply."
                self._wrong(_place(item, name), "a target with a reply leads to several services", fix)
        return connected

    def _by_name(self, item: Item, target: TargetSpec) -> Iterator[Wire]:
        for wire in item.connect[target.name]:
            name = wire.to
            where = _place(item, target.name)
            if "/" in name:
                self._notes.append(f"{item.name}.{target.name} leads to {name}, which is checked when the node starts")
                yield wire
            elif name in self._specs:
                self._check_types(item, target, self._specs[name])
                yield Wire(self._connected(item, target, name, "by name"), wire.when)
            elif all(name != other.name for other in self._model.services):
                known = [other.name for other in self._model.services]
                self._wrong(where, f'there is no service "{name}"', nearest(name, known).strip())

    def _by_type(self, item: Item, target: TargetSpec) -> str | None:
        """The address of the one other service that handles the type; a problem when it is not exactly one."""
        where = _place(item, target.name)
        fitting = [
            spec
            for spec in self._specs.values()
            if spec.name != item.name and target.request is not Any and not _unhandled(target, spec, by_any=False)
        ]
        if len(fitting) == 1:
            self._check_types(item, target, fitting[0])
            return self._connected(item, target, fitting[0].name, "by type")
        if fitting:
            names = ", ".join(spec.name for spec in fitting)
            self._wrong(
                where,
                f"{len(fitting)} services handle {_name(target.request)}: {names}",
                f'Name the one: connect={{"{target.name}": "{fitting[0].name}"}}.',
            )
        elif target.optional:
            self._notes.append(f"{where} is not connected; it is optional")
        elif len(self._specs) == len(self._model.services):
            # With a service missing because of its own error, this would only be its echo.
            self._wrong(where, *self._nobody(item, target))
        return None

    def _nobody(self, item: Item, target: TargetSpec) -> tuple[str, str]:
        wanted = _name(target.request)
        others = [spec for spec in self._specs.values() if spec.name != item.name]
        anything = [spec.name for spec in others if any(handler.accepts is Any for handler in spec.handlers)]
        if anything:
            fix = f'To use one that takes everything, name it: connect={{"{target.name}": "{anything[0]}"}}.'
            return f"no service handles {wanted} by type", fix
        known = sorted({_name(handler.accepts) for spec in others for handler in spec.handlers})
        fix = f"Add a service with a @handler for {wanted}, or make the target optional: Target[{wanted}] | None."
        if not known:
            return f"no service handles {wanted}: no other service of the flow has a handler", fix
        return f"no service handles {wanted}; handled are: {', '.join(known)}", fix

    def _connected(self, item: Item, target: TargetSpec, to: str, how: str) -> str:
        self._connections.append(Connection(item.name, target.name, to, _name(target.request), how))
        return service_address(self._model.name, to)

    def _check_types(self, item: Item, target: TargetSpec, to: ServiceSpec) -> None:
        where = _place(item, target.name)
        missing = _unhandled(target, to, by_any=True)
        if missing:
            handled = ", ".join(sorted({_name(handler.accepts) for handler in to.handlers})) or "nothing"
            self._wrong(
                where,
                f"{to.name} does not handle {', '.join(missing)}; it handles {handled}",
                f"Add a @handler for it to {to.name}, or connect the target to another service.",
            )
            return
        for handler in _handlers(target, to):
            if target.reply not in (None, Any) and not _fits(handler.replies, target.reply):
                declared = _name(handler.replies) if handler.replies is not None else "nothing"
                request = _name(target.request)
                self._wrong(
                    where,
                    f"expects the reply {_name(target.reply)}, and {to.name}.{handler.name} replies {declared}",
                    f"Declare the target as {_declaration(request, handler.replies)}, or change the handler.",
                )

    def _wrong(self, where: str, what: str, fix: str) -> None:
        self._problems.append(WiringError(what, where=where, fix=fix or None))

    # Remarks ------------------------------------------------------------------------------------------------

    def _check_key(self, spec: ServiceSpec) -> None:
        key = spec.policies.pool.key
        accepted = [handler.accepts for handler in spec.handlers]
        if key in (None, "key") or not accepted or not all(map(is_body_class, accepted)):
            return
        fields = sorted(set().union(*map(_fields, accepted)))
        if key.partition(".")[0] not in fields:
            what = f'no type that it handles has the field "{key}"'
            fix = f'{nearest(key, fields)}For keys that senders give with key=, write key="key".'
            self._problems.append(ConfigurationError(what, where=f"{spec.name}.key", fix=fix))

    def _check_pool(self, spec: ServiceSpec) -> None:
        pool = spec.policies.pool
        if pool.size == 1:
            return
        if spec.stateful and pool.key is None:
            self._problems.append(
                ConfigurationError(
                    f"it uses self.state with a pool of {pool.size} and no key",
                    where=spec.name,
                    fix='Give a key, a field of the body: key="sensor"; or use pool=1.',
                )
            )
        blocking = [handler.name for handler in spec.handlers if handler.blocking]
        if blocking:
            self._notes.append(
                f"{spec.name}: {', '.join(blocking)} runs in threads; with a pool of {pool.size} there are "
                f"{pool.size} instances, each with attributes of its own"
            )

    def _note_cycles(self) -> None:
        asks: dict[str, list[str]] = {}
        for connection in self._connections:
            targets = {target.name: target for target in self._specs[connection.source].targets}
            if targets[connection.target].reply is not None:
                asks.setdefault(connection.source, []).append(connection.to)
        for cycle in _cycles(asks):
            self._notes.append(
                f"requests can go in a circle: {' -> '.join(cycle)}; with a pool of 1 each would wait for the other"
            )


def _for_engine(spec: ServiceSpec) -> ServiceSpec:
    """The spec with targets of several classes open: a link has one type, and the target checks what it sends."""
    targets = tuple(
        msgspec.structs.replace(target, request=Any) if len(wire_types(target.request)) > 1 else target
        for target in spec.targets
    )
    return msgspec.structs.replace(spec, targets=targets)


def _place(item: Item, target: str) -> str:
    place = item.places.get(f"connect.{target}")
    return f"{item.name}.{target} ({place})" if place else f"{item.name}.{target}"


def _fields(cls: type) -> set[str]:
    """The names by which a body can be asked: its fields and properties."""
    fields = {name for base in cls.__mro__ for name in own_annotations(base) if not name.startswith("_")}
    return fields | {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, property)}


def _name(kind: Any) -> str:
    return " | ".join(type_name(part) if part is not Any else "Any" for part in members(kind))


def _declaration(request: str, replies: Any) -> str:
    return f"Target[{request}]" if replies is None else f"Target[{request}, {_name(replies)}]"


def _handlers(target: TargetSpec, to: ServiceSpec) -> list[HandlerSpec]:
    """The handlers that the bodies of a target reach."""
    if target.request is Any:
        return list(to.handlers)
    exact = [handler for handler in to.handlers if handler.accepts in wire_types(target.request)]
    return exact or [handler for handler in to.handlers if handler.accepts is Any]


def _unhandled(target: TargetSpec, to: ServiceSpec, *, by_any: bool) -> list[str]:
    """The types of a target that a service has no handler for."""
    accepted = [handler.accepts for handler in to.handlers]
    if not accepted:
        return [_name(target.request)]
    if target.request is Any or (by_any and Any in accepted) or target.request in accepted:
        return []
    return [_name(kind) for kind in wire_types(target.request) if kind not in accepted]


def _fits(replies: Any, expected: Any) -> bool:
    """Whether everything that a handler may reply is expected."""
    return replies is Any or set(members(replies)) <= set(members(expected))


def _cycles(edges: Mapping[str, list[str]]) -> list[list[str]]:
    """A circle for each way back that a walk through the graph meets."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> None:
        if node in path:
            found.append([*path[path.index(node) :], node])
        elif node not in done:
            for following in edges.get(node, []):
                walk(following, [*path, node])
            done.add(node)

    for start in edges:
        walk(start, [])
    return found
