"""From flow models to plans: every target connected, every type known, every problem found at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.condition import Condition
from junctor.core.retention import Retention
from junctor.core.routing import refused_unnamed
from junctor.core.run import RUN_KEY
from junctor.core.spec import FlowPlan, ServicePlan, ServiceSpec, TargetSpec, Wire, service_address
from junctor.errors import ConfigurationError, SeveralProblems, WiringError, nearest
from junctor.flows import fitting
from junctor.flows.alerts import service_problems
from junctor.flows.dialects import companions_of
from junctor.flows.fitting import shown
from junctor.flows.model import FlowModel, Item
from junctor.http.settings import HttpSettings
from junctor.messages import TypeRegistry
from junctor.messages.types import is_body_class
from junctor.services.target import wire_types


class Connection(msgspec.Struct, frozen=True):
    """One line of the wiring. ``how`` says why it is there: "by type" or "by name"; ``when`` is its condition.

    ``to`` is the name of a service, or ``flow/service`` in another flow; ``reply`` is the type of the reply, empty for
    none.
    """

    source: str
    target: str
    to: str
    type: str
    how: str
    when: str = ""
    reply: str = ""

    @property
    def terms(self) -> str:
        """What it is for, in words: ``Reading, by name, when body.value > 80``."""
        return f"{self.type}, {self.how}" + (f", when {self.when}" if self.when else "")

    def __str__(self) -> str:
        return f"{self.source}.{self.target} -> {self.to} ({self.terms})"


class Remark(msgspec.Struct, frozen=True):
    """Something worth knowing that is no error. ``where`` as in an error; ``text`` is a whole sentence."""

    code: str
    where: str
    text: str


class Wiring(msgspec.Struct, frozen=True):
    """A wired flow: the model it was made of, the plan to run, the connections, and remarks that are no errors."""

    model: FlowModel
    plan: FlowPlan
    connections: tuple[Connection, ...]
    notes: tuple[str, ...]

    def explain(self) -> list[str]:
        """``monitor.readings -> alarm (Reading, by type)``, a line each, then the remarks."""
        return [*map(str, self.connections), *(f"note: {note}" for note in self.notes)]


class Examined(msgspec.Struct, frozen=True):
    """A flow as far as it can be wired. Without ``problems`` the wiring is complete; with some it lacks what they are
    about."""

    wiring: Wiring
    problems: tuple[ConfigurationError, ...]
    remarks: tuple[Remark, ...] = ()


def wire(model: FlowModel) -> Wiring:
    """Check and connect a flow. Connections to other flows are left to be checked with these: see :func:`wire_all`.

    :raises ConfigurationError: something is wrong; several problems come together as
        :class:`~junctor.errors.SeveralProblems`, each with its place and fix.
    """
    return _sound([_examined([model], alone=True)[0]])[0]


def wire_all(models: Sequence[FlowModel]) -> list[Wiring]:
    """Check and connect the flows of one node, with the connections that lead from one flow to another.

    :raises ConfigurationError: something is wrong, as for :func:`wire`.
    """
    return _sound(examine(models))


def examine(models: Sequence[FlowModel]) -> list[Examined]:
    """The same without raising: what can be wired, and all problems."""
    return _examined(models, alone=False)


def _examined(models: Sequence[FlowModel], *, alone: bool) -> list[Examined]:
    wirers = [_Wirer(model) for model in models]
    flows = {wirer.name: wirer for wirer in wirers}
    for index, wirer in enumerate(wirers):
        if flows[wirer.name] is not wirer:
            wirer.problems.append(
                ConfigurationError(
                    "another flow of the node has this name",
                    where=f"flow {wirer.name}",
                    fix=f"Give one of them another name, for example {wirer.name}-{index + 2}.",
                )
            )
        wirer.take()
    return [wirer.wire(None if alone else flows) for wirer in wirers]


def _sound(examined: Sequence[Examined]) -> list[Wiring]:
    problems = [problem for one in examined for problem in one.problems]
    if problems:
        names = ", ".join(one.wiring.model.name for one in examined)
        raise SeveralProblems.of(problems, f"flow {names}" if len(examined) == 1 else f"flows {names}")
    return [one.wiring for one in examined]


class _Wirer:
    def __init__(self, model: FlowModel) -> None:
        self.name = model.name
        self.problems: list[ConfigurationError] = []
        self.specs: dict[str, ServiceSpec] = {}
        companions = tuple(companions_of(model.services, {*(item.name for item in model.items), *model.broken}))
        self._model = model.copied().put(*companions) if companions else model
        self._items = {item.name: item for item in self._model.services}
        self._connections: list[Connection] = []
        self._remarks: list[Remark] = []
        self._flows: Mapping[str, _Wirer] | None = None

    def take(self) -> None:
        """Make the specs of all services; look at what belongs to the whole flow."""
        if self._model.http is not None:
            self._check_section(self._model.http)
        if self._model.alerts:
            names = {*self._items, *self._model.disabled, *self._model.broken}
            self.problems += service_problems(self._model.alerts, self.name, names)
        if not self._items:
            self.problems.append(
                ConfigurationError("it has no service", where=f"flow {self.name}", fix="Add one: flow.add(...).")
            )
        for item in self._model.services:
            try:
                self.specs[item.name] = item.spec()
            except ConfigurationError as error:
                problems = error.problems if isinstance(error, SeveralProblems) else [error]
                self.problems += map(self._model.explained, problems)

    def wire(self, flows: Mapping[str, _Wirer] | None) -> Examined:
        """Connect the services.

        :param flows: the flows of the node by name, None where they are not known yet.
        """
        self._flows = flows
        types = self._types()
        plans = tuple(
            ServicePlan(spec=_for_engine(spec), connect=self._connect(self._items[name]))
            for name, spec in self.specs.items()
        )
        for spec in self.specs.values():
            self._check_place(spec)
            self._check_key(spec)
            self._check_pool(spec)
        self._note_circles()
        plan = FlowPlan(name=self.name, types=types, services=plans, retention=self._model.retention or Retention())
        notes = (*self._model.notes, *(remark.text for remark in self._remarks))
        wiring = Wiring(self._model, plan, tuple(self._connections), notes)
        return Examined(wiring, tuple(self.problems), tuple(self._remarks))

    def _check_section(self, section: HttpSettings) -> None:
        from junctor.http.access.checks import section_problems  # a flow without the section is read without it

        for problem in section_problems(self.name, section):
            place = self._model.place((problem.where or "").partition(" ")[0])
            placed = f"{problem.where} ({place})" if place else problem.where
            found = ConfigurationError(problem.what, where=placed, fix=problem.fix)
            self.problems.append(self._model.explained(found))

    def _note(self, code: str, where: str, text: str) -> None:
        self._remarks.append(Remark(code, where, text))

    # Types --------------------------------------------------------------------------------------------------

    def _types(self) -> TypeRegistry:
        """Every type that a handler or target declares; clashes and unusable classes become problems."""
        types = TypeRegistry()
        for where, kind in self._declared():
            try:
                types.register(kind)
            except ConfigurationError as error:
                placed = type(error)(error.what, where=error.where or where, fix=error.fix)
                if str(placed) not in map(str, self.problems):
                    self.problems.append(placed)
        return types

    def _declared(self) -> Iterator[tuple[str, Any]]:
        for spec in self.specs.values():
            for handler in spec.handlers:
                yield from ((f"{spec.name}.{handler.name}", kind) for kind in (handler.accepts, handler.replies))
            yield from ((spec.name, kind) for kind in spec.types)
            for target in spec.targets:
                yield from (
                    (f"{spec.name}.{target.name}", kind) for kind in (*wire_types(target.request), target.reply)
                )

    # Connections --------------------------------------------------------------------------------------------

    def _connect(self, item: Item) -> Mapping[str, tuple[Wire, ...]]:
        declared = {target.name: target for target in self.specs[item.name].targets}
        for name in item.connect:
            if name not in declared:
                where = _place(item, name)
                self._wrong(where, f"{item.name} has no target of this name", nearest(name, declared).strip())
        connected: dict[str, tuple[Wire, ...]] = {}
        for name, target in declared.items():
            if name in self._model.unread.get(item.name, ()):
                continue  # it is written, and could not be read
            if name in item.connect:
                connected[name] = tuple(self._by_name(item, target))
                self._check_left(item, target, connected[name])
            elif (to := self._by_type(item, target)) is not None:
                connected[name] = (Wire(to),)
            if target.reply is not None and any(wire.when is None for wire in connected.get(name, ())[:-1]):
                fix = "Connect it to one service, give all but the last a condition, or declare it without a reply."
                self._wrong(_place(item, name), "a target with a reply leads to several services", fix)
        return connected

    def _by_name(self, item: Item, target: TargetSpec) -> Iterator[Wire]:
        for number, wire in enumerate(item.connect[target.name]):
            where = _place(item, target.name, number)
            when = self._condition(item, target, wire.when)
            flow, _, name = wire.to.rpartition("/")
            if flow and flow != self.name:
                if self._across(item, target, flow, name, where):
                    self._connected(item, target, wire.to, "by name", when)
                    yield Wire(wire.to, when)
            elif name in self.specs:
                self._check_types(item, target, self.specs[name], where)
                yield Wire(self._connected(item, target, name, "by name", when), when)
            elif name in self._model.disabled:
                self._note("disabled", where, f"{item.name}.{target.name} does not lead to {name}, which is disabled")
            elif name not in self._items and name not in self._model.broken:
                self._wrong(where, f'there is no service "{name}"', nearest(name, self._known).strip())

    @property
    def _known(self) -> frozenset[str]:
        """All services that are written, also those that have errors of their own."""
        return self._model.broken | self._items.keys() | self._model.disabled.keys()

    def _check_left(self, item: Item, target: TargetSpec, left: tuple[Wire, ...]) -> None:
        """What is disabled may be all that a target leads to."""
        off = [wire.to for wire in item.connect[target.name] if wire.to in self._model.disabled]
        if off and not left and not target.optional:
            fix = "Set enabled: true there, or connect the target to another service."
            self._wrong(_place(item, target.name), f'the service "{off[0]}" is disabled', fix)

    def _across(self, item: Item, target: TargetSpec, flow: str, name: str, where: str) -> bool:
        """Check a connection to another flow; whether it leads anywhere, as far as is known."""
        if self._flows is None:
            text = f"{item.name}.{target.name} leads to {flow}/{name}, which is checked when the node starts"
            self._note("other-flow", where, text)
            return True
        other = self._flows.get(flow)
        if other is None:
            near = nearest(flow, self._flows)
            fix = f"{near if near.startswith('Did') else ''}Name the file of that flow on the command line too."
            self._wrong(where, f'there is no flow "{flow}" beside this one', fix)
        elif name in other.specs:
            self._check_types(item, target, other.specs[name], where, f"{flow}/{name}")
            return True
        elif name not in other._items and name not in other._model.broken:
            self._wrong(where, f'there is no service "{name}" in {flow}', nearest(name, other._known).strip())
        return False

    def _condition(self, item: Item, target: TargetSpec, when: Condition | None) -> Condition | None:
        """The condition with its place in it, for errors of the running flow."""
        if when is None:
            return None
        where = f"{item.name}.{target.name} ({when.where})" if when.where else _place(item, target.name)
        placed = Condition(when.text, where)
        try:
            placed.check(fitting.carried(target.request))
        except ConfigurationError as error:
            self.problems.append(error)
        return placed

    def _by_type(self, item: Item, target: TargetSpec) -> str | None:
        """The address of the one other service that handles the type; a problem when it is not exactly one."""
        where = _place(item, target.name)
        others = [spec for spec in self.specs.values() if spec.name != item.name and target.request is not Any]
        able = [spec for spec in others if not fitting.unhandled(target, spec, by_any=False)]
        if len(able) == 1:
            self._check_types(item, target, able[0], where)
            return self._connected(item, target, able[0].name, "by type")
        if able:
            names = ", ".join(spec.name for spec in able)
            self._wrong(
                where,
                f"{len(able)} services handle {shown(target.request)}: {names}",
                f"Name the one: {_spelled(item, target, able[0].name)}.",
            )
        elif target.optional:
            if not target.rare:
                self._note("not-connected", where, f"{where} is not connected; it is optional")
        elif len(self.specs) == len(self._items) and not self._model.partial:
            # With a service missing because of its own error, this would only be its echo.
            self._wrong(where, *self._nobody(item, target))
        return None

    def _nobody(self, item: Item, target: TargetSpec) -> tuple[str, str]:
        wanted = shown(target.request)
        others = [spec for spec in self.specs.values() if spec.name != item.name]
        anything = [
            spec.name for spec in others if any(handler.accepts is Any for handler in fitting.open_handlers(spec))
        ]
        if anything:
            fix = f"To use one that takes everything, name it: {_spelled(item, target, anything[0])}."
            return f"no service handles {wanted} by type", fix
        known = sorted({shown(handler.accepts) for spec in others for handler in fitting.open_handlers(spec)})
        fix = f"Add a service with a @handler for {wanted}, or make the target optional: Target[{wanted}] | None."
        if not known:
            return f"no service handles {wanted}: no other service of the flow has a handler", fix
        return f"no service handles {wanted}; handled are: {', '.join(known)}", fix

    def _connected(self, item: Item, target: TargetSpec, to: str, how: str, when: Condition | None = None) -> str:
        condition = " ".join(when.text.split()) if when is not None else ""
        reply = shown(target.reply) if target.reply is not None else ""
        self._connections.append(Connection(item.name, target.name, to, shown(target.request), how, condition, reply))
        return to if "/" in to else service_address(self.name, to)

    def _check_types(self, item: Item, target: TargetSpec, to: ServiceSpec, where: str, name: str = "") -> None:
        name = name or to.name
        if refused := refused_unnamed(to, name):
            self._wrong(where, *refused)
            return
        # Types are of a flow: in another one a class is known by its name, and may be another class.
        by_name = "/" in name
        missing = fitting.unhandled(target, to, by_any=True, by_name=by_name)
        if missing:
            accepted = [handler.accepts for handler in to.handlers]
            same = {shown(kind) for kind in missing} & {shown(kind) for kind in accepted}
            handled = ", ".join(sorted({_told(kind, same) for kind in accepted})) or "nothing"
            what = f"{name} does not handle {', '.join(_told(kind, same) for kind in missing)}; it handles {handled}"
            fix = f"Add a @handler for it to {name}, or connect the target to another service."
            if same:
                fix = "These are different classes: import the one from the module of the other."
            self._wrong(where, what, fix)
            return
        for handler in fitting.reached(target, to, by_name):
            if target.reply not in (None, Any) and not fitting.fits(handler.replies, target.reply, by_name):
                declared = shown(handler.replies) if handler.replies is not None else "nothing"
                request = shown(target.request)
                self._wrong(
                    where,
                    f"expects the reply {shown(target.reply)}, and {name}.{handler.name} replies {declared}",
                    f"Declare the target as {fitting.declaration(request, handler.replies)}, or change the handler.",
                )

    def _wrong(self, where: str, what: str, fix: str) -> None:
        self.problems.append(WiringError(what, where=where, fix=fix or None))

    # Remarks ------------------------------------------------------------------------------------------------

    def _check_place(self, spec: ServiceSpec) -> None:
        if spec.runs == "workflow" and (spec.isolation != "node" or spec.loop != "shared"):
            word, fix = (
                ("isolate", "loop")[spec.isolation == "node"],
                "Leave it out; what blocks goes into self.once().",
            )
            cannot = "run in a worker process" if word == "isolate" else "have a loop of its own"
            what = f"a workflow cannot {cannot}: its runs are driven by the node itself"
            self.problems.append(ConfigurationError(what, where=self._where(spec, f".{word}", word), fix=fix))

        if spec.runs == "conversation" and spec.isolation != "node":
            what, fix = (
                "it cannot run in a worker process: a conversation is called by the node itself",
                "Leave it out; ask a service that is in a worker.",
            )
            self.problems.append(ConfigurationError(what, where=self._where(spec, ".isolate", "isolate"), fix=fix))

    def _check_key(self, spec: ServiceSpec) -> None:
        key = spec.policies.pool.key
        if spec.runs:
            if key != RUN_KEY:
                what, fix = "its runs are its lines, so its pool has no key", "Leave the key out."
                self.problems.append(ConfigurationError(what, where=self._where(spec, ".key", "key"), fix=fix))
            return
        accepted = [handler.accepts for handler in spec.handlers]
        if key in (None, "key") or not accepted or not all(map(is_body_class, accepted)):
            return
        fields = sorted(set().union(*map(fitting.askable, accepted)))
        if key.partition(".")[0] not in fields:
            what = f'no type that it handles has the field "{key}"'
            fix = f'{nearest(key, fields)}For keys that senders give with key=, write key="key".'
            self.problems.append(ConfigurationError(what, where=self._where(spec, ".key", "key"), fix=fix))

    def _check_pool(self, spec: ServiceSpec) -> None:
        pool = spec.policies.pool
        if pool.size == 1 or spec.runs:
            return
        if spec.stateful and pool.key is None:
            self.problems.append(
                ConfigurationError(
                    f"it uses self.state with a pool of {pool.size} and no key",
                    where=self._where(spec, "", "pool"),
                    fix='Give a key, a field of the body: key="sensor"; or use pool=1.',
                )
            )
        remote = spec.isolation == "worker"
        blocking = [handler.name for handler in spec.handlers if handler.blocking or remote]
        places = "worker processes" if remote else "threads"
        if blocking and not spec.code.startswith("junctor."):  # who uses an adapter can do nothing about it
            self._note(
                "instances",
                self._where(spec, "", "pool"),
                f"{spec.name}: {', '.join(blocking)} runs in {places}; with a pool of {pool.size} there are "
                f"{pool.size} instances, each with attributes of its own",
            )

    def _where(self, spec: ServiceSpec, path: str, word: str) -> str:
        """The service, or a path below it, with the place where a word of it is written."""
        place = self._items[spec.name].places.get(word)
        return f"{spec.name}{path} ({place})" if place else f"{spec.name}{path}"

    def _note_circles(self) -> None:
        asks: dict[str, list[str]] = {}
        for connection in self._connections:
            if connection.reply:
                asks.setdefault(connection.source, []).append(connection.to)
        for circle in fitting.circles(asks):
            text = f"requests can go in a circle: {' -> '.join(circle)}; with a pool of 1 each would wait for the other"
            self._note("circle", circle[0], text)


def _for_engine(spec: ServiceSpec) -> ServiceSpec:
    """The spec with targets of several classes open: a link has one type, and the target checks what it sends."""
    targets = tuple(
        msgspec.structs.replace(target, request=Any) if len(wire_types(target.request)) > 1 else target
        for target in spec.targets
    )
    return msgspec.structs.replace(spec, targets=targets)


def _spelled(item: Item, target: TargetSpec, to: str) -> str:
    """A connection as it is written where the service is: in a file, or in Python."""
    return f"connect: {{{target.name}: {to}}}" if item.place else f'connect={{"{target.name}": "{to}"}}'


def _told(kind: Any, same: Collection[str]) -> str:
    """A type by its name; with its module where another one has the same name."""
    name = shown(kind)
    return f"{kind.__module__}.{name}" if name in same and isinstance(kind, type) else name


def _place(item: Item, target: str, number: int = 0) -> str:
    """The target with the line where it is connected; of a list, that of one connection, counted from 0."""
    place = item.places.get(f"connect.{target}[{number}]") or item.places.get(f"connect.{target}")
    return f"{item.name}.{target} ({place})" if place else f"{item.name}.{target}"
