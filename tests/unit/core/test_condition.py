"""Conditions: what they say of a message, what is refused before it runs, what fails and takes nothing along."""

from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from junctor.core.condition import Condition
from junctor.core.expressions import text as expression
from junctor.errors import ConditionFailed, ConfigurationError


@dataclasses.dataclass
class Reading:
    sensor: str
    value: float
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    note: str | None = None


class Renamed(msgspec.Struct, rename="camel", tag="renamed"):
    first_name: str


READING = Reading("cpu", 81.5, {"room": "a"}, [{"n": 1}, {"n": 5}])
FIELDS = frozenset(field.name for field in dataclasses.fields(Reading))


def holds(text: str, body: Any = READING, **more: Any) -> bool:
    return Condition(text, "flow.yaml:7").holds(body, **more)


def refused(text: str, fields: frozenset[str] | None = FIELDS) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Condition(text, "flow.yaml:7").check(fields)
    return str(caught.value)


def failed(text: str, body: Any = READING) -> str:
    with pytest.raises(ConditionFailed) as caught:
        holds(text, body)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("body.value > 80", True),  # an integer beside a float field
        ("body.value > 80.0 && body.sensor.startsWith('cpu')", True),
        ("body.value < 80 || body.sensor == 'gpu'", False),
        ("!(body.sensor in ['a', 'cpu'])", False),
        ("body.tags.room == 'a' && body.tags['room'] == \"a\"", True),
        ("has(body.tags.floor)", False),
        ("'floor' in body.tags", False),
        ("size(body.parts) == 2 && body.parts[1].n > 4", True),
        ("body.parts.exists(part, part.n > 4)", True),
        ("body.parts.all(part, part.n > 4)", False),
        ("body.parts.filter(part, part.n > 4).size() == 1", True),
        ("body.sensor.matches('^c[a-z]+$')", True),
        ("body.note == null", True),
        ("key == null && type == 'Reading'", True),
        ("body.value > 80 ? true : false // a remark", True),
        ("body.missing == 1 || true", True),
    ],
)
def test_a_condition_says_whether_a_message_fulfils_it(text: str, value: bool) -> None:
    Condition(text).check(FIELDS if "missing" not in text else None)
    assert holds(text) is value


def test_it_sees_the_body_as_it_travels_and_what_stands_beside_it() -> None:
    assert holds("body.firstName == 'Ada' && body.type == 'renamed'", Renamed("Ada"))
    assert holds("key == 'k' && headers['who'] == 'me'", 7, key="k", headers={"who": "me"})
    assert holds("body == 7 && type == 'any'", 7)
    assert holds("body[0].value > 80", [READING])


def test_pydantic_bodies_are_data_too() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", value=(float, ...))
    assert holds("body.value > 80", model(value=81))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("body.value >", "`body.value >` is not a condition: it ends too early. Write CEL"),
        ("body.value > > 1", "extraneous input '>' at `body.value >` ^ `> 1`. Write CEL"),
        ("", "the condition is empty. Write for example body.value > 80."),
        ("bod.value > 1", 'there is no variable "bod" in a condition. Did you mean "body"?'),
        ("body.valu > 1", 'the body has no field "valu". Did you mean "value"?'),
        ("body['valu'] > 1", 'the body has no field "valu". Did you mean "value"?'),
        ("has(body.valu)", 'the body has no field "valu". Did you mean "value"?'),
        ("body.sensor.startWith('c')", 'there is no function "startWith" in a condition. Did you mean "startsWith"?'),
        ("__import__('os')", 'there is no function "__import__" in a condition.'),
    ],
)
def test_what_is_no_condition_is_said_at_the_start(text: str, says: str) -> None:
    found = refused(text)
    assert found.startswith("flow.yaml:7: ") and says in found
    assert "\n" not in found


def test_names_in_texts_and_bound_by_macros_are_no_names_of_the_body() -> None:
    Condition("body.sensor == 'body.valu' && body.parts.exists(valu, valu.n > 1)").check(FIELDS)
    Condition('body.sensor == """bod.x""" || body.sensor == r\'\\d bod\'').check(FIELDS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("body.tags.floor == 'b'", "there is no 'floor' in this message"),
        ("body.note.size() > 1", "cannot be evaluated"),
        ("body.sensor > 3", "a value has another type than the operation needs"),
        ("body.value", "is float 81.5, neither true nor false"),
        ("body.parts[7].n == 1", "index out of bounds: 7"),
        ("1 / (size(body.parts) - 2) > 1", "division by zero"),
        ("9223372036854775807 + size(body.parts) > 0", "overflow"),
        ("body.sensor.matches('(')", "not a valid regex"),
        ("timestamp(body.sensor) > timestamp('2020-01-01T00:00:00Z')", "cannot be evaluated"),
    ],
)
def test_what_cannot_be_evaluated_fails_with_its_place_on_one_line(text: str, says: str) -> None:
    Condition(text).check(FIELDS)
    found = failed(text)
    assert found.startswith("flow.yaml:7: the condition `") and says in found
    assert "\n" not in found


BOMBS = {
    "length": "body.value > 80" + " || true" * 200,
    "brackets": "(" * 500 + "true" + ")" * 500,
    "lists": "[" * 30 + "]" * 30 + " == []",
    "macros in macros": "[1].all(a, [1].all(b, [1].all(c, true)))",
    "macros behind each other": "[[1]]" + ".map(x, [x, x])" * 20 + ".size() > 1",
    "doubling": "'a'" + " + body.sensor" * 30 + " == 'b'",
    "eight deep": "[1,2,3,4,5,6,7,8]" + ".map(x, [1,2,3,4,5,6,7,8]" * 8 + ")" * 8 + " == []",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_is_refused_before_it_is_compiled(text: str) -> None:
    assert "the condition has " in refused(text) and "Decide in a handler" in refused(text)


def test_a_long_list_in_a_message_fails_instead_of_holding_the_node() -> None:
    many = Reading("cpu", 1.0, parts=[{"n": n} for n in range(2000)])
    assert holds("body.parts.exists(part, part.n == 1999)", many)
    for text in (
        "body.parts.map(part, part.n).size() > 1",
        "body.parts.exists(part, part in body.parts.filter(p, p.n < 0))",
        "body.parts.all(a, body.parts.exists(b, a.n == b.n))",
    ):
        assert "goes through lists, and this message has" in failed(text, many)
    assert holds("size(body.parts) == 2000", many), "what goes through nothing is not bounded"


def test_long_texts_in_a_message_are_not_joined_without_end() -> None:
    long = Reading("x" * 8_000_000, 1.0, parts=[{"n": n} for n in range(20)])
    assert holds("body.sensor + 'y' != 'x'", long)
    for text in (
        f"{' + '.join(['body.sensor'] * 12)} != 'x'",
        "body.parts.map(part, body.sensor + 'x').size() == 20",
    ):
        assert "joins texts, and those of this message have 8" in failed(text, long)


def test_any_text_is_a_condition_or_refused() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    parts = [
        "body",
        ".value",
        "[0]",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "&&",
        "||",
        "?",
        ":",
        "1",
        "1u",
        "in",
        "!",
    ]
    parts += ["exists(x, ", "map(", "has(", "+", "-", "==", "<", " ", "\n", "//", "\\", "r'", "é", "\x00", ".", ","]
    for _ in range(2000):
        text = "".join(chance.choices(parts, k=chance.randrange(1, 25)))
        try:
            Condition(text).check(FIELDS)
            Condition(text).holds(READING)
        except (ConfigurationError, ConditionFailed) as error:
            assert "\n" not in str(error)


def test_every_function_that_is_allowed_exists() -> None:
    moment = "timestamp('2020-01-01T00:00:00Z')"
    for name in expression.FUNCTIONS - {"has"}:
        for text in (f"{name}(body)", f"body.{name}()", f"body.{name}('a')", f"{moment}.{name}()"):
            try:
                holds(text, "1")
            except ConditionFailed as error:
                if "Undefined variable or function" not in str(error):
                    break
            else:
                break
        else:
            raise AssertionError(f"{name} is no function of the library")


def test_only_the_part_of_the_library_that_evaluates_is_loaded() -> None:
    program = (
        "import sys; from junctor.core.condition import Condition; before = 'cel.cel' in sys.modules\n"
        "assert Condition('1 < 2').holds(1) and not before\n"
        "print([name for name in ('rich', 'typer', 'prompt_toolkit') if name in sys.modules])\n"
        "import cel; print(cel.evaluate('1 + 1'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    assert done.stdout.split("\n")[:2] == ["[]", "2"], done.stderr
