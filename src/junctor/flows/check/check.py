"""``junctor check``: everything but running the services. What is found comes as values, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from junctor.core.spec import ServiceSpec
from junctor.errors import JunctorError
from junctor.flows import fitting
from junctor.flows.check.callbacks import callback_findings
from junctor.flows.check.conditions import condition_findings
from junctor.flows.check.doctors import doctor_findings
from junctor.flows.check.durable import durable_findings
from junctor.flows.check.findings import Finding, Level, Report, of_error, once, place_of, problems_in, split
from junctor.flows.check.paths import path_findings
from junctor.flows.check.places import place_in
from junctor.flows.check.reactions import reaction_findings
from junctor.flows.check.usage import Usage, mentions, usage_of
from junctor.flows.code.source import for_nobody, load
from junctor.flows.model import FlowModel, Item
from junctor.flows.overrides import Overrides
from junctor.flows.wiring import Connection, Examined, Wiring, examine
from junctor.messages.types import is_body_class
from junctor.runtime.workers.staying import in_node
from junctor.services.target import wire_types

_TOLD = frozenset({"circle"})
"""Remarks of the wiring that are told here in more detail."""


def check(targets: Sequence[str], overrides: Overrides) -> tuple[Report, list[Wiring]]:
    """Load what the user names, and look at it from all sides.

    :return: what is found, and the wirings of the flows as far as they could be made.
    """
    models: list[FlowModel] = []
    findings: list[Finding] = []
    if len(targets) > 1:
        overrides = msgspec.structs.replace(overrides, beside=True)
    for target in targets:
        try:
            models.append(load(target, overrides))
        except JunctorError as error:
            findings += [of_error(problem) for problem in problems_in(error)]
            rest = getattr(error, "rest", None)
            if isinstance(rest, FlowModel) and rest.services:
                models.append(rest)
    findings += map(of_error, for_nobody(models, overrides)) if len(targets) > 1 else ()
    findings = once(findings)
    report, wirings = check_models(models)
    return msgspec.structs.replace(report, findings=tuple(_distinct([*findings, *report.findings]))), wirings


def check_models(models: Sequence[FlowModel]) -> tuple[Report, list[Wiring]]:
    """The same for flows that are loaded already, as those of one node."""
    examined = examine(models)
    wirings = [one.wiring for one in examined]
    findings = [*_wiring_findings(examined), *_Looking(examined).findings(), *path_findings(wirings)]
    findings += [*condition_findings(wirings), *reaction_findings(wirings), *durable_findings(wirings)]
    findings += [*callback_findings(wirings), *doctor_findings(wirings)]
    report = Report(
        tuple(_distinct(findings)),
        len(models),
        sum(len(model.services) for model in models),
        sum(len(wiring.connections) for wiring in wirings),
    )
    return report, wirings


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each once, by file and line, errors before the rest of a line."""
    order: dict[Level, int] = {"error": 0, "warning": 1, "note": 2}
    return sorted(dict.fromkeys(findings), key=lambda one: (one.file, one.line, order[one.level], one.where, one.what))


# What the wiring says ---------------------------------------------------------------------------------------


def _wiring_findings(examined: Sequence[Examined]) -> Iterator[Finding]:
    models = [one.wiring.model for one in examined]
    for one in examined:
        own = [one.wiring.model, *models]
        for problem in one.problems:
            for error in problems_in(problem):
                finding = of_error(error, own)
                yield msgspec.structs.replace(finding, see=tuple(_see(finding, one, models)))
        for remark in one.remarks:
            if remark.code not in _TOLD:
                where, place = split(remark.where)
                text = remark.text.removeprefix(f"{where}: ").removeprefix(f"{where} ")
                yield Finding("note", remark.code, where, text, place=place or place_of(where, own))
        for note in one.wiring.model.notes:
            yield _of_note(note, one.wiring.model)


def _of_note(note: str, model: FlowModel) -> Finding:
    """A remark on how a flow is written; it begins with its place."""
    before, colon, text = note.partition(": ")
    where, place = split(before)
    if not colon or not place:
        where, text = f"flow {model.name}", note
        place = f"{model.source.files[0].name}:1" if model.source is not None and model.source.files else ""
    return Finding("note", "flow", where, text, place=place)


def _see(finding: Finding, one: Examined, models: Sequence[FlowModel]) -> Iterator[str]:
    """Where both sides of a connection are declared, for an error about one."""
    name, _, member = finding.where.partition(".")
    item = one.wiring.model.item(name)
    specs = {service.spec.name: service.spec for service in one.wiring.plan.services}
    target = next((target for target in specs[name].targets if target.name == member), None) if name in specs else None
    if finding.code != "wiring" or item is None or target is None:
        return
    handlers: list[str] = []
    for wire in item.connect.get(member, ()):
        flow, _, to = wire.to.rpartition("/")
        for model in models:
            other = model.item(to) if model.name == (flow or one.wiring.model.name) else None
            if other is not None and wire.to in finding.what:
                handlers += _handlers_of(other, wire.to)
    if handlers and (place := place_in(item, member)) != finding.place:
        declared = fitting.declaration(fitting.shown(target.request), target.reply)
        yield f"{finding.where} is {declared}: {place}"
    yield from handlers


def _handlers_of(item: Item, name: str) -> Iterator[str]:
    try:
        handlers = item.spec().handlers
    except JunctorError:
        return
    for handler in handlers[:5]:
        takes, replies = fitting.shown(handler.accepts), ""
        if handler.replies is not None:
            replies = f", replies {fitting.shown(handler.replies)}"
        place = place_in(item, handler.name)
        yield f"{name}.{handler.name} takes {takes}{replies}" + (f": {place}" if place else "")


# What only shows when all is seen together ------------------------------------------------------------------


class _Looking:
    """Looks at the services of all flows of a node."""

    def __init__(self, examined: Sequence[Examined]) -> None:
        self._models = [one.wiring.model for one in examined]
        self._specs: dict[str, ServiceSpec] = {}
        self._items: dict[str, Item] = {}
        self._edges: list[tuple[str, str, Connection]] = []
        for one in examined:
            flow = one.wiring.model.name
            for service in one.wiring.plan.services:
                item = one.wiring.model.item(service.spec.name)
                assert item is not None, service.spec.name
                self._specs[f"{flow}/{service.spec.name}"] = service.spec
                self._items[f"{flow}/{service.spec.name}"] = item
            for connection in one.wiring.connections:
                to = connection.to if "/" in connection.to else f"{flow}/{connection.to}"
                self._edges.append((f"{flow}/{connection.source}", to, connection))
        rules = [(one.wiring.model.name, rule) for one in examined for rule in one.wiring.model.alerts]
        self._told = {f"{flow}/{send.service}" for flow, rule in rules for send in rule.send}
        self._usage = {address: usage_of(item.source) for address, item in self._items.items()}
        self._complete = not any(one.problems or one.wiring.model.partial for one in examined)

    def findings(self) -> Iterator[Finding]:
        yield from self._circles()
        yield from self._other_classes()
        for address, spec in self._specs.items():
            yield from self._schedules(address, spec)
            if spec.isolation == "worker" and not spec.code:
                what = "it is to run in a worker process, which cannot import its class"
                fix = "Define the class at the top level of a module, or leave out isolate: worker."
                yield self._say("error", "worker", address, what, fix)
            elif spec.isolation == "worker" and (stay := in_node(spec)):
                what = (
                    f"{', '.join(stay)} run in the node, on an instance of its own: the rest runs in worker processes"
                )
                fix = "Keep streams, WebSockets and uploads in a service of their own that asks this one."
                yield self._say("warning", "worker", address, what, fix)
        if self._complete:  # else what is missing would be told as a consequence
            yield from self._unused()

    def _say(self, level: Level, code: str, where: str, what: str, fix: str = "") -> Finding:
        short = where.partition("/")[2] if len(self._models) == 1 else where
        return Finding(level, code, short, what, fix, place_of(where, self._models))

    # Requests -----------------------------------------------------------------------------------------------

    def _circles(self) -> Iterator[Finding]:
        asks: dict[str, list[str]] = {}
        for source, to, connection in self._edges:
            if connection.reply and source == to:
                yield from self._self_request(source, connection)
            elif connection.reply:
                asks.setdefault(source, []).append(to)
        for circle in fitting.circles(asks):
            if all(self._pool(address) == 1 for address in circle):
                what = (
                    f"requests go in a circle: {' -> '.join(circle)}; each would wait for the other until it times out"
                )
                fix = "Send instead of asking at one place, or give one of them a pool."
                yield self._say("warning", "circle", circle[0], what, fix)
            else:
                what = f"requests go in a circle: {' -> '.join(circle)}; when all of a pool wait, nothing moves"
                yield self._say("warning", "circle", circle[0], what, "Send instead of asking at one place.")

    def _self_request(self, address: str, connection: Connection) -> Iterator[Finding]:
        spec, item = self._specs[address], self._items[address]
        where = f"{address}.{connection.target}"
        asking = [handler.name for handler in spec.handlers if mentions(item.source, handler.name, connection.target)]
        others = [*(route.name for route in spec.routes), *(action.name for action in spec.actions)]
        others += [schedule.name for schedule in spec.schedules]
        elsewhere = any(mentions(item.source, name, connection.target) for name in (*others, "loop", "on_start"))
        if self._pool(address) == 1 and asking:
            what = f"{asking[0]} asks its own service, which has a pool of 1: it would wait for itself"
            yield self._say("error", "self-request", where, what, "Call the method, or send to it without waiting.")
        elif self._pool(address) == 1 and not elsewhere:
            what = "it leads to its own service with a pool of 1: a handler that asks over it would wait for itself"
            yield self._say("warning", "self-request", where, what, "Ask only from a route, an action or a schedule.")

    def _pool(self, address: str) -> int:
        return self._specs[address].policies.pool.size if address in self._specs else 1

    # Types between flows ------------------------------------------------------------------------------------

    def _other_classes(self) -> Iterator[Finding]:
        """Between flows a type is known by its name; two classes of one name should at least have the same fields."""
        for source, to, connection in self._edges:
            if "/" not in connection.to or to not in self._specs:
                continue
            target = next(one for one in self._specs[source].targets if one.name == connection.target)
            kinds = {fitting.shown(kind): kind for kind in wire_types(target.request)}
            for handler in self._specs[to].handlers:
                name = fitting.shown(handler.accepts)
                sent, taken = fitting.carried(kinds.get(name, Any)), fitting.carried(handler.accepts)
                missing = sorted(taken - sent) if sent is not None and taken is not None else []
                if missing:
                    what = f"{to} has a {name} of its own, with a field that is not sent: {', '.join(missing)}"
                    fix = "Import the class from one place in both, or give the field a default."
                    yield self._say("warning", "other-class", f"{source}.{connection.target}", what, fix)

    # Schedules ----------------------------------------------------------------------------------------------

    def _schedules(self, address: str, spec: ServiceSpec) -> Iterator[Finding]:
        for schedule in spec.schedules:
            reason = never(schedule.cron) if schedule.cron is not None else ""
            if reason:
                what = f'"{schedule.cron}" never comes: {reason}'
                fix = "Write minute, hour, day, month, day of week."
                yield self._say("error", "never", f"{address}.{schedule.name}", what, fix)

    # What nobody uses ---------------------------------------------------------------------------------------

    def _unused(self) -> Iterator[Finding]:
        used = list(self._usage.values())
        if None in used:  # the code of a dialect may send to anybody
            return
        usages = [usage for usage in used if usage is not None]
        for address, spec in self._specs.items():
            incoming = [connection for _, to, connection in self._edges if to == address]
            if address in self._told:
                continue  # alerts do
            if not incoming and not _runs_by_itself(spec) and not self._found(address, spec, usages):
                yield self._unreachable(address, spec)
            elif incoming and not self._found(address, spec, usages):
                yield from self._unsent(address, spec, incoming)

    def _unreachable(self, address: str, spec: ServiceSpec) -> Finding:
        if not spec.handlers:
            fix = "Give it a @handler, @every, @action, a route or loop()."
            return self._say("warning", "empty", address, "it has nothing to run", fix)
        takes = ", ".join(sorted({fitting.shown(handler.accepts) for handler in spec.handlers}))
        what = f"nothing sends to it: no target leads here, and nobody broadcasts or publishes {takes}"
        fix = "Connect a target to it; if only clients send to it (`junctor send`), all is well."
        return self._say("warning", "unreachable", address, what, fix)

    def _unsent(self, address: str, spec: ServiceSpec, incoming: Sequence[Connection]) -> Iterator[Finding]:
        sent = {name for connection in incoming for name in connection.type.split(" | ")}
        if "Any" in sent:
            return
        for handler in spec.handlers:
            if is_body_class(handler.accepts) and fitting.shown(handler.accepts) not in sent:
                what = f"no target sends {fitting.shown(handler.accepts)} here"
                yield self._say("note", "unsent", f"{address}.{handler.name}", what)

    def _found(self, address: str, spec: ServiceSpec, usages: Sequence[Usage]) -> bool:
        """Whether code may find the service without a target: by broadcast, publish, or its name at run time."""
        if any("broadcast" in usage.names for usage in usages):
            return True
        if any("publish" in usage.names for usage in usages) and any(handler.subscribes for handler in spec.handlers):
            return True
        names = {address, spec.name}
        settings = {value for other in self._specs.values() for value in other.settings.values() if type(value) is str}
        dynamic = [usage for usage in usages if "target" in usage.names]
        return any(names & usage.texts for usage in dynamic) or bool(dynamic and names & settings)


def _runs_by_itself(spec: ServiceSpec) -> bool:
    return bool(spec.routes or spec.actions or spec.sockets or spec.schedules or spec.main or spec.start)


def never(cron: str) -> str:
    """Why a schedule of a producer that does not look at it never comes: there is no such day. Empty where it comes."""
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    try:
        return "" if next(CronSim(cron, datetime.now(UTC)), None) is not None else "there is no such day"
    except CronSimError as error:
        return str(error)
