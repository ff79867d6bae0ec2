"""Values of attributes come back as they were, or are told as what cannot be stored."""

from __future__ import annotations

import collections
import io
import math
import random
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from junctor.dialects.iop.components import BusinessProcess
from junctor.dialects.iop.hosting.process.classes import Classes
from junctor.dialects.iop.hosting.process.values import Values
from junctor.dialects.iop.messages import untyped
from tests.crash.seeds import repeat, seed_of_this_run
from tests.unit.dialects.iop.process.parts import (
    Ask,
    Cart,
    Colour,
    Got,
    Letter,
    Level,
    Packed,
    Payment,
    Point,
    Stamp,
)


class Process(BusinessProcess):
    """Its module knows the classes of the project."""


def values() -> Values:
    return Values(Classes(Process, lambda name: None))


def again(value: Any) -> Any:
    return values().read(values().write(value).data)


STAMP = Stamp(cents=1)
STAMP._secret = 7

PLAIN = [None, True, 0, -5, 2**70, 1.5, "", "é", [], {}, [1, [2, None]], {"a": {"b": [1]}}]
OTHERS = [
    (1, (2, "x")),
    {1, 2},
    frozenset({"a"}),
    collections.deque([1, 2]),
    b"\x00\xff",
    bytearray(b"ab"),
    1 + 2j,
    math.inf,
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    datetime(2026, 1, 2),
    date(2026, 1, 2),
    time(3, 4),
    timedelta(days=-1, microseconds=3),
    Decimal("1.10"),
    UUID(int=5),
    {1: "one", (2, 3): None},
    {"$tuple": [1]},
    collections.OrderedDict(b=1, a=2),
    collections.Counter("aab"),
    collections.defaultdict(list, {"a": [1]}),
    Colour.BLUE,
    Level.LOW | Level.HIGH,
]
CLASSES = [
    Ask(1, "x"),
    Got("x", [1, 2]),
    Letter(to="ann", lines=["a"]),
    STAMP,
    Cart([Ask(2), {"a": (1,)}], ("ann", 3)),
    Point(1.0, 2.0),
    Packed("box", 2),
    untyped({"number": 1, "inner": {"a": [1]}}),
]


@pytest.mark.parametrize("value", [*PLAIN, *OTHERS, *CLASSES], ids=repr)
def test_what_can_be_stored_comes_back_as_it_was(value: Any) -> None:
    back = again({"it": [value]})["it"][0]
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_are_plain_json(value: Any) -> None:
    assert msgspec.json.decode(values().write(value).data) == value


def test_nan_comes_back() -> None:
    assert math.isnan(again(math.nan))


def test_what_was_added_to_a_message_comes_back() -> None:
    message: Any = Ask(1)
    message.more = {"a": (1, 2)}
    assert again(message).more == {"a": (1, 2)}


def test_values_of_the_wrong_type_in_a_message_stay_as_they_are() -> None:
    assert again(Ask("seven", 8)).number == "seven"  # type: ignore[arg-type]


def test_private_attributes_and_set_fields_of_a_model_come_back() -> None:
    back = again(STAMP)
    assert (back._secret, back.model_fields_set) == (7, {"cents"})


def ring() -> Any:
    made: list[Any] = []
    made.append(made)
    return made


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (threading.Lock, "lock"),
    (io.BytesIO, "BytesIO"),
    (lambda: [1, {"a": threading.Lock()}], "lock"),
    (lambda: Cart([threading.Lock()]), "lock"),
    (lambda: SimpleNamespace(a=1), "SimpleNamespace"),
    (lambda: collections.defaultdict(lambda: 1), "defaultdict"),
    (lambda: "\ud800", "str"),
    (ring, "holds itself"),
    (lambda: int, "type"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_stored_is_named(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(Values.NotCarried, match=said):
        values().write(make())


def test_a_name_chooses_among_known_classes_and_imports_nothing() -> None:
    for name in ("subprocess.Popen", "antigravity.fly", "builtins.eval", "collections.OrderedDict"):
        with pytest.raises(Values.NotKnown, match=name):
            values().read(b'{"$object": "%s", "fields": {}}' % name.encode())


def test_a_tag_that_nothing_reads_is_told() -> None:
    with pytest.raises(Values.NotKnown, match=r"\$other"):
        values().read(b'{"$other": 1}')


def test_fields_that_the_class_has_got_since_have_their_defaults() -> None:
    name = f"{Cart.__module__}.Cart"
    assert values().read(b'{"$object": "%s", "fields": {"old": 1}}' % name.encode()).parts == []
    name = f"{Point.__module__}.Point"
    assert values().read(b'{"$object": "%s", "fields": {"x": 1.0, "gone": 2}}' % name.encode()) == Point(1.0)
    name = f"{Stamp.__module__}.Stamp"
    assert values().read(b'{"$model": "%s"}' % name.encode()).cents == 85


def test_what_is_sensitive_inside_is_told() -> None:
    assert values().write([Payment("4711")]).sensitive
    assert not values().write([Ask(1)]).sensitive


def anything(chance: random.Random, depth: int = 4) -> Any:
    kinds = [None, True, chance.randrange(-(2**40), 2**40), chance.random(), f"$t{chance.random()}", b"x", *OTHERS[:16]]
    if not depth or chance.random() < 0.3:
        return chance.choice(kinds)
    parts = [anything(chance, depth - 1) for _ in range(chance.randrange(4))]
    made = [parts, tuple(parts), dict(enumerate(parts)), {f"${n}": each for n, each in enumerate(parts)}]
    return chance.choice([*made, Cart(parts), Ask(1, parts), collections.deque(parts)])  # type: ignore[arg-type]


def test_whatever_is_nested_comes_back() -> None:
    seed = seed_of_this_run()
    chance = random.Random(seed)
    for _ in range(500):
        value = anything(chance)
        assert again(value) == value, repeat(seed)
