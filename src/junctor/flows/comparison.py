"""What is different between a flow that runs and the same flow read again: by value, so that what did not change is not
touched.

Two services are the same when they would do the same: the same class object, settings that are equal, the same
policies, wires and schedules. A module that was not loaded anew has the same classes; one that was has others, even
where its text did not change in the lines of a class.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from junctor.core.spec import ScheduleSpec, ServicePlan, Wire
from junctor.flows.alerts import AlertRule
from junctor.flows.wiring import Wiring
from junctor.settings import Secret

Kind = Literal["added", "removed", "changed", "same"]

_APART = frozenset({"name", "settings", "policies", "schedules", "isolation", "loop", "doc", "origin"})
"""Fields of a spec that are not its code: each is compared by itself, or says nothing about what it does."""


class ServiceChange(msgspec.Struct, frozen=True):
    """What becomes of one service. ``details``: ``limit 75.0 -> 90.0``, ``pool 1 -> 4``, ``code``, one text each."""

    service: str
    kind: Kind
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.service}: {', '.join(self.details)}" if self.details else self.service


class Changes(msgspec.Struct, frozen=True):
    """What becomes of one flow; ``http`` and ``retention`` are the differences of these sections, ``alerts`` those
    of its rules."""

    flow: str
    kind: Kind
    services: tuple[ServiceChange, ...]
    http: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    retention: tuple[str, ...] = ()

    def of(self, kind: Kind) -> list[ServiceChange]:
        """The services with this fate."""
        return [service for service in self.services if service.kind == kind]

    def lines(self) -> Iterator[str]:
        """For people: the flow, what comes, changes and goes, and how much stays."""
        words = {"added": "+", "changed": "~", "removed": "-"}
        yield f"flow {self.flow}" + {"added": " (new)", "removed": " (goes)"}.get(self.kind, "")
        for service in self.services:
            if service.kind in words:
                restarts = "  (restarts)" if service.kind == "changed" else ""
                yield f"  {words[service.kind]} {service}{restarts}"
        yield from (f"  ~ http: {detail}" for detail in self.http)
        yield from (f"  ~ retention: {detail}" for detail in self.retention)
        yield from (f"  ~ alerts: {detail}" for detail in self.alerts)
        same = self.of("same")
        if same:
            yield f"  = {', '.join(service.service for service in same)} untouched"


def compare(before: Wiring | None, after: Wiring | None) -> Changes:
    """What becomes of a flow that is ``before`` and shall be ``after``; None: it is not there."""
    old = {} if before is None else {plan.spec.name: plan for plan in before.plan.services}
    new = {} if after is None else {plan.spec.name: plan for plan in after.plan.services}
    services = [_service(name, old.get(name), new.get(name)) for name in {**old, **new}]
    there = after or before
    assert there is not None, "a flow is there before, afterwards, or both"
    http: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    retention: tuple[str, ...] = ()
    kind: Kind = "added" if before is None else "removed"
    if before is not None and after is not None:
        http = tuple(_fields(before.model.http, after.model.http))
        alerts = tuple(_rules(before.model.alerts, after.model.alerts))
        retention = tuple(_fields(before.plan.retention, after.plan.retention))
        kind = (
            "changed" if http or alerts or retention or any(service.kind != "same" for service in services) else "same"
        )
    return Changes(there.plan.name, kind, tuple(services), http, alerts, retention)


def _rules(old: Sequence[AlertRule], new: Sequence[AlertRule]) -> Iterator[str]:
    """Where a rule is written says nothing about what it does."""
    before, after = ({rule.name: replace(rule, place="") for rule in rules} for rules in (old, new))
    for name in {**before, **after}:
        if name not in before or name not in after:
            yield f"{name} {'added' if name in after else 'removed'}"
        elif before[name] != after[name]:
            yield f"{name} changed"


def _service(name: str, old: ServicePlan | None, new: ServicePlan | None) -> ServiceChange:
    if old is None or new is None:
        return ServiceChange(name, "added" if old is None else "removed")
    details = tuple(_details(old, new))
    return ServiceChange(name, "changed" if details else "same", details)


def _details(old: ServicePlan, new: ServicePlan) -> Iterator[str]:
    before, after = old.spec, new.spec
    settings = list(_mapping(before.settings, after.settings))
    yield from settings
    yield from _policies(before.policies, after.policies)
    yield from _wires(old.connect, new.connect)
    yield from _schedules(before.schedules, after.schedules)
    for field in ("isolation", "loop"):
        if getattr(before, field) != getattr(after, field):
            yield f"{field} {getattr(before, field)} -> {getattr(after, field)}"
    others = [field for field in after.__struct_fields__ if field not in _APART]
    if any(not same(getattr(before, field), getattr(after, field)) for field in others):
        if before.code != after.code:
            yield f"class {before.code or before.name} -> {after.code or after.name}"
        elif class_of(before.build) is not class_of(after.build) or not settings:
            yield "code"


def class_of(build: Any) -> Any:
    """The class that a ``build`` of the native producer makes; for others, the callable itself, without the arguments
    that are bound to it."""
    build = getattr(build, "func", build)
    names = getattr(getattr(build, "__code__", None), "co_freevars", ())
    if "cls" not in names:
        return build
    return build.__closure__[names.index("cls")].cell_contents


# Texts ------------------------------------------------------------------------------------------------------


def _mapping(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in {**old, **new}:
        if name not in old or name not in new or not same(old[name], new[name]):
            yield _changed(name, old.get(name), new.get(name))


def _changed(name: str, old: Any, new: Any) -> str:
    if isinstance(old, Secret) or isinstance(new, Secret):
        return f"{name} (secret)"
    return f"{name} {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _policies(old: Any, new: Any) -> Iterator[str]:
    for group in old.__struct_fields__:
        before, after = getattr(old, group), getattr(new, group)
        if not isinstance(before, msgspec.Struct) or not isinstance(after, msgspec.Struct):
            if before != after:
                yield _changed(group, before, after)
            continue
        for name in before.__struct_fields__:
            if getattr(before, name) != getattr(after, name):
                word = {"pool.size": "pool", "pool.key": "key", "pool.order": "order"}.get(f"{group}.{name}")
                yield _changed(word or f"{group}.{name}", getattr(before, name), getattr(after, name))


def _wires(old: Mapping[str, tuple[Wire, ...]], new: Mapping[str, tuple[Wire, ...]]) -> Iterator[str]:
    for target in {**old, **new}:
        before, after = old.get(target, ()), new.get(target, ())
        if [_way(wire) for wire in before] != [_way(wire) for wire in after]:
            yield f"{target} leads to {_ends(after)} instead of {_ends(before)}"


def _way(wire: Wire) -> tuple[str, str]:
    """Where it leads and when; not the line in which its condition is written."""
    return wire.to, wire.when.text if wire.when is not None else ""


def _ends(wires: tuple[Wire, ...]) -> str:
    ends = [wire.to + (f" when {wire.when.text}" if wire.when is not None else "") for wire in wires]
    return ", ".join(ends) or "nothing"


def _schedules(old: tuple[ScheduleSpec, ...], new: tuple[ScheduleSpec, ...]) -> Iterator[str]:
    before, after = ({spec.name: spec for spec in specs} for specs in (old, new))
    for name in {**before, **after}:
        one, other = _timing(before.get(name)), _timing(after.get(name))
        if one != other:
            yield f"{name} {one} -> {other}"


def _timing(spec: ScheduleSpec | None) -> str:
    if spec is None:
        return "no schedule"
    zone = f" {spec.zone}" if spec.zone else ""
    first = f" from {spec.initial:g} s" if spec.initial else ""
    return (f"every {spec.every:g} s" if spec.every else f"cron {spec.cron}{zone}") + first


def _fields(old: Any, new: Any) -> Iterator[str]:
    """The differences of two ``http`` sections; keys and the like are named and not shown."""
    if old is None or new is None:
        if old is not new:
            yield "added" if old is None else "removed"
        return
    for name in new.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            plain = isinstance(after, str | int | float | bool | None)
            yield f"{name} {_shown(before)} -> {_shown(after)}" if plain else name


# Equality ---------------------------------------------------------------------------------------------------

Seen = frozenset[tuple[int, int]]


def same(a: Any, b: Any, seen: Seen = frozenset()) -> bool:
    """Whether two values of specs do the same. Classes and modules are the same only as the same object; functions by
    their code and what they hold."""
    if a is b or (id(a), id(b)) in seen:
        return True
    if type(a) is not type(b) or isinstance(a, type | types.ModuleType):
        return False
    seen |= {(id(a), id(b))}
    if isinstance(a, types.FunctionType):
        return _same_function(a, b, seen)
    parts, others = _parts(a), _parts(b)
    if parts is not None and others is not None:
        return _same_all(parts, others, seen)
    return bool(a == b) or (_compared_by_identity(a) and same(vars(a), vars(b), seen))


def _same_all(a: Any, b: Any, seen: Seen) -> bool:
    return len(a) == len(b) and all(same(one, other, seen) for one, other in zip(a, b, strict=True))


def _same_function(a: Any, b: Any, seen: Seen) -> bool:
    if a.__code__ is not b.__code__:
        return False
    held, other = ([cell.cell_contents for cell in function.__closure__ or ()] for function in (a, b))
    return (
        _same_all(held, other, seen)
        and same(a.__defaults__, b.__defaults__, seen)
        and same(a.__kwdefaults__, b.__kwdefaults__, seen)
    )


def _parts(value: Any) -> list[Any] | None:
    """What a value consists of, None for one that is compared as a whole."""
    if isinstance(value, msgspec.Struct):
        return [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        # In order: a flow lists its settings always in that of the class.
        return [part for pair in value.items() for part in pair]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, operator.attrgetter | operator.methodcaller):
        return [value.__reduce__()[1]]
    return None


def _compared_by_identity(value: Any) -> bool:
    plain: Any = object
    return type(value).__eq__ is plain.__eq__ and hasattr(value, "__dict__")
