"""Whether conditions can be evaluated at all: each is tried with bodies made up from the type of its target.

A condition that compares a number with a text fails for every message; one that looks into what may be null fails for
some. Nothing of this happens when messages come: there a condition that fails parks its message.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.condition import Condition
from junctor.core.expressions import text as expression
from junctor.core.spec import TargetSpec
from junctor.errors import ConditionFailed, ConfigurationError
from junctor.flows.check.findings import Finding, split
from junctor.flows.wiring import Wiring
from junctor.messages.types import is_body_class
from junctor.services.target import wire_types

Path = tuple[str, ...]

MOST_PARTS = 6
"""Parts of a condition whose truth is tried both ways; with more, only the whole is tried."""

DEEPEST = 4
"""Objects within objects of a body that is made up."""

_VARIANTS: tuple[Any, ...] = (1, 1.5, "a", True, ["a"], {"a": 1}, None)
"""Values of a field of which nobody knows the type."""

_PLAIN: Mapping[str, Any] = {
    "BoolType": True,
    "IntType": 1,
    "FloatType": 1.5,
    "StrType": "a",
    "BytesType": "YQ==",
    "ByteArrayType": "YQ==",
    "DateTimeType": "2026-01-01T00:00:00Z",
    "DateType": "2026-01-01",
    "TimeType": "00:00:00",
    "TimeDeltaType": "PT1S",
    "UUIDType": "00000000-0000-0000-0000-000000000000",
    "DecimalType": "1.5",
    "NoneType": None,
}
"""By the names that msgspec gives to types: what stands for them in a message as data."""

_KINDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with decimals",
    str: "a text",
    list: "a list",
    dict: "an object",
}


class _Samples(msgspec.Struct):
    """Bodies of one type as data. ``optional`` are the fields that may be null, ``loose`` those of several types or of
    none; the bodies differ in these."""

    bodies: list[dict[str, Any]]
    optional: list[Path]
    loose: list[Path]


def condition_findings(wirings: Sequence[Wiring]) -> Iterator[Finding]:
    """What is wrong with the conditions of all connections."""
    known: dict[type, _Samples | None] = {}
    for wiring in wirings:
        for service in wiring.plan.services:
            targets = {target.name: target for target in service.spec.targets}
            for name, wires in service.connect.items():
                conditions = dict.fromkeys(wire.when for wire in wires if wire.when is not None)
                request = _declared(wiring, service.spec.name, targets[name]) if conditions else None
                for when in conditions:
                    yield from _findings(when, request, known)


def _declared(wiring: Wiring, service: str, target: TargetSpec) -> Any:
    """What a target sends. In a plan one of several types is open; the class says which they are."""
    item = wiring.model.item(service)
    if target.request is not Any or item is None:
        return target.request
    return next((one.request for one in item.spec().targets if one.name == target.name), Any)


def _findings(when: Condition, request: Any, known: dict[type, _Samples | None]) -> Iterator[Finding]:
    samples = _samples_of(request, known)
    try:
        when.check()
    except ConfigurationError:
        return  # it is told by the wiring
    if samples is None:
        return
    where, place = split(when.where)
    wrong = False
    for part in parts_of(when.text):
        told = _never(part.of(when.text), samples)
        if told is not None:
            wrong = True
            yield Finding("error", "condition", where, *told, place)
    for path in samples.optional if not wrong else ():
        if _fails_without(when.text, samples, path):
            field = ".".join(path)
            what = f"the condition `{when.text}` fails for messages whose {field} is null; they would be parked"
            fix = f"Ask for it first: body.{field} != null && ..."
            yield Finding("warning", "condition", where, what, fix, place)


def _samples_of(request: Any, known: dict[type, _Samples | None]) -> _Samples | None:
    """Bodies of a target's type; of several types those of all, of which nobody knows which the condition is for."""
    kinds = wire_types(request)
    if not all(map(is_body_class, kinds)):
        return None
    for kind in kinds:
        if kind not in known:
            known[kind] = _samples(kind)
    made = [samples for kind in kinds if (samples := known[kind]) is not None]
    if len(made) < len(kinds) or len(made) == 1:
        return made[0] if len(made) == len(kinds) else None
    return _Samples([body for one in made for body in one.bodies], [], [path for one in made for path in one.loose])


# Trying ---------------------------------------------------------------------------------------------------------


def _never(text: str, samples: _Samples) -> tuple[str, str] | None:
    """What to say of a part that has no truth value for any body, and the fix."""
    paths = _paths(text)
    if sum(any(_below(path, loose) for loose in samples.loose) for path in paths) > 1:
        return None  # which types they have together, nobody knows
    told = None
    for body in samples.bodies:
        told = _told(text, body)
        if told is None:
            return None
    kinds = [f"body.{'.'.join(path)} is {kind}" for path in paths if (kind := _kind(samples.bodies[0], path))]
    known = f" ({', '.join(kinds)})" if kinds else ""
    if told == _NO_TRUTH:
        return f"`{text}` {told}{known}", "Compare it with something, for example body.value > 80."
    decimals = any(type(_at(samples.bodies[0], path)) is float for path in paths)
    fix = "Write the other number with decimals too: 1.0 for 1." if decimals and _CALCULATES & set(text) else ""
    return f"`{text}` {told}{known}", fix or "Compare numbers with numbers, and texts with texts in quotes."


_CALCULATES = frozenset("+-*/%")
_OTHER = "can never be evaluated: a value has another type than the operation needs"
_NO_TRUTH = "is neither true nor false"


def _told(text: str, body: Mapping[str, Any]) -> str | None:
    """What is wrong with a part for one body as far as types go; None where it is evaluated, or fails for a value."""
    try:
        Condition(text).holds(body, "a", {})
    except ConditionFailed as error:
        cause = error.__cause__
        if cause is None:
            return _NO_TRUTH if "neither true nor false" in error.what else None
        missing = "Undefined variable or function" in str(cause)  # a method of another type
        return _OTHER if isinstance(cause, TypeError) or missing else None
    except ConfigurationError:
        return None
    return None


def _fails_without(text: str, samples: _Samples, path: Path) -> bool:
    """Whether the condition fails where a field is null, for some truth of its parts that do not look at the field."""
    if not any(_below(used, path) for used in _paths(text)):
        return False
    body = _with_null(samples.bodies[0], path)
    others = [part for part in parts_of(text) if not any(_below(used, path) for used in _paths(part.of(text)))]
    if len(others) > MOST_PARTS:
        return _told(text, body) is not None
    return any(
        _told(_replaced(text, others, truths), body) is not None
        for truths in itertools.product(("true", "false"), repeat=len(others))
    )


def _replaced(text: str, parts: Sequence[Part], truths: Sequence[str]) -> str:
    for part, truth in sorted(zip(parts, truths, strict=True), key=lambda pair: -pair[0].start):
        text = f"{text[: part.start]}{truth}{text[part.end :]}"
    return text


def _paths(text: str) -> tuple[Path, ...]:
    return expression.read(text, "condition").paths


def _below(path: Path, other: Path) -> bool:
    return path[: len(other)] == other


def _at(body: Any, path: Path) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _kind(body: Any, path: Path) -> str:
    return _KINDS.get(type(_at(body, path)), "")


def _with_null(body: Mapping[str, Any], path: Path) -> dict[str, Any]:
    below = None if len(path) == 1 else _with_null(body[path[0]], path[1:])
    return {**body, path[0]: below}


# The parts of a condition ---------------------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True):
    """A part of a condition that has a truth of its own: ``body.value > 80`` in ``!(body.value > 80) && ...``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


def parts_of(text: str) -> list[Part]:
    """What ``&&``, ``||`` and ``!`` join, brackets around them taken off. A choice with ``?`` is one part."""
    return list(_parts([token for token in expression.tokens(text) if not token.text.startswith("//")]))


def _parts(tokens: Sequence[expression.Token]) -> Iterator[Part]:
    depths = list(_depths(tokens))
    outside = [index for index, token in enumerate(tokens) if depths[index] == 0 and token.text in ("&&", "||", "?")]
    if outside and not any(tokens[index].text == "?" for index in outside):
        for begin, end in itertools.pairwise([-1, *outside, len(tokens)]):
            yield from _parts(tokens[begin + 1 : end])
    elif not outside and tokens and tokens[0].text == "!":
        yield from _parts(tokens[1:])
    elif len(tokens) > 2 and tokens[0].text == "(" and all(depth > 0 for depth in depths[:-1]):
        yield from _parts(tokens[1:-1])
    elif tokens:
        yield Part(tokens[0].at, tokens[-1].at + len(tokens[-1].text))


def _depths(tokens: Sequence[expression.Token]) -> Iterator[int]:
    """The brackets that are open behind each token."""
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        yield depth


# Bodies ---------------------------------------------------------------------------------------------------------


def _samples(cls: type) -> _Samples | None:
    """Bodies of a class; None where its fields cannot be told, as those of pydantic."""
    from msgspec import inspect

    try:
        info = inspect.type_info(cls)
    except (
        AttributeError,
        NameError,
        NotImplementedError,
        TypeError,
        ValueError,
    ):  # annotations of the user's that cannot be resolved are told by the wiring
        return None
    if not isinstance(info, inspect.StructType | inspect.DataclassType):
        return None
    maker = _Maker(0)
    bodies = [maker.value(info, (), 0)]
    bodies += [_Maker(number).value(info, (), 0) for number in range(1, maker.variants)]
    return _Samples(bodies, list(dict.fromkeys(maker.optional)), list(dict.fromkeys(maker.loose)))


class _Maker:
    """Makes values of types; of several that fit, the one with the number."""

    def __init__(self, number: int) -> None:
        self.variants = 1
        self.optional: list[Path] = []
        self.loose: list[Path] = []
        self._number = number

    def value(self, info: Any, path: Path, depth: int) -> Any:
        from msgspec import inspect

        kind = type(info)
        if kind.__name__ in _PLAIN:
            return _PLAIN[kind.__name__]
        if kind in (inspect.StructType, inspect.DataclassType, inspect.TypedDictType) and depth < DEEPEST:
            made = {
                field.encode_name: self.value(field.type, (*path, field.encode_name), depth + 1)
                for field in info.fields
            }
            tag = getattr(info, "tag_field", None)
            return {**made, tag: info.tag} if tag else made
        if kind in (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType):
            return [self.value(info.item_type, path, depth + 1)] if depth < DEEPEST else []
        if kind is inspect.TupleType:
            return [self.value(item, path, depth + 1) for item in info.item_types] if depth < DEEPEST else []
        if kind is inspect.DictType and depth < DEEPEST:
            return {"a": self.value(info.value_type, path, depth + 1)}
        if kind is inspect.LiteralType:
            return info.values[0]
        if kind is inspect.EnumType:
            return next(iter(info.cls)).value
        if kind is inspect.UnionType:
            return self._union(info, path, depth)
        return self._one_of(_VARIANTS, path)

    def _union(self, info: Any, path: Path, depth: int) -> Any:
        from msgspec import inspect

        parts = [part for part in info.types if not isinstance(part, inspect.NoneType)]
        if len(parts) < len(info.types):
            self.optional.append(path)
        if len(parts) == 1:
            return self.value(parts[0], path, depth)
        return self.value(self._one_of(parts, path), path, depth)

    def _one_of(self, values: Sequence[Any], path: Path) -> Any:
        self.variants = max(self.variants, len(values))
        self.loose.append(path)
        return values[self._number % len(values)]
