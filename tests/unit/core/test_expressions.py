"""Expressions and templates of settings: what they come to, and what is told of those that are none."""

from __future__ import annotations

import pytest

from junctor import Message
from junctor.core.expressions import Expression, Template, Variables, of_message
from junctor.errors import ConfigurationError, ExpressionFailed

SEEN = Variables({}, body={"id": 7, "price": 2.5, "name": "bolt", "none": None, "rows": [1, 2]}, headers={}, key=None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("body.price * 2.0", 5.0),
        ("body.price * 2", 5.0),
        ("body.id * 0.5 + 1", 4.5),
        ("body.id / 2", 3),
        ("body.price + double(size(body.rows))", 4.5),
        ('body.name + "s"', "bolts"),
        ("{'id': body.id, 'all': body.rows.map(row, row + 1)}", {"id": 7, "all": [2, 3]}),
        ("body.none", None),
        ("headers", {}),
    ],
)
def test_an_expression_is_evaluated(text: str, value: object) -> None:
    assert Expression(text).value(SEEN) == value


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("orders/{body.id}.json", "orders/7.json"),
        ("{body.price}", "2.5"),
        ("{{{body.name}}}", "{bolt}"),
        ('{ {"a": body.name}["a"] }', "bolt"),
        ('{body.name + "}"}', "bolt}"),
        ("{body.rows}", "[1,2]"),
        ("{body.id > 3}", "true"),
        ("{double(body.id)}", "7"),
        ("nothing", "nothing"),
    ],
)
def test_a_template_is_filled(text: str, filled: str) -> None:
    assert Template(text).fill(SEEN) == filled


def test_what_surrounds_a_placeholder_decides_how_it_is_written() -> None:
    assert Template("/{body.name}/x").fill(SEEN, lambda text: f"<{text}>") == "/<bolt>/x"


def test_a_constant_template() -> None:
    assert Template("a{{b").constant == "a{b"
    assert Template("a{body.id}").constant is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a{body.id", "a brace is not closed"),
        ("a}b", "a brace is closed that is not open"),
        ("{}", "the placeholder is empty"),
        ("{body.}", "is not a placeholder"),
        ("{bdy.id}", 'there is no variable "bdy"'),
        ("{__import__('os')}", 'there is no function "__import__"'),
    ],
)
def test_a_template_that_is_none(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Template(text)


def test_who_names_a_field_without_the_body_is_told_how_it_is_written() -> None:
    with pytest.raises(ConfigurationError, match=r"A field of the body is written body\.customer\. There is: body, "):
        Template("{customer}")


def test_what_a_setting_does_not_offer() -> None:
    with pytest.raises(ConfigurationError, match='there is no "topic" here. It may look at: body, key'):
        Template("{topic}").check("body", "key")


@pytest.mark.parametrize("text", ["{body.none}", "{body.missing}", "{body.price + body.name}", "{topic}"])
def test_a_message_for_which_a_template_cannot_be_filled(text: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        Template(text).fill(SEEN)
    assert caught.value.reaction == "park"


def test_a_truth_is_asked_for() -> None:
    assert Expression("body.id > 3").holds(SEEN)
    with pytest.raises(ExpressionFailed, match="neither true nor false"):
        Expression("body.id").holds(SEEN)


def test_the_variables_of_a_message() -> None:
    message = Message.example({"a": 1}, seq=5, node="n", headers={"h": "x"})
    variables = of_message(message, {"a": 1}, topic="t")
    assert Template("{body.a} {headers.h} {message.id} {message.effect} {topic}").fill(variables) == "1 x n-5 n-5 t"
    assert Template("{now.getFullYear()}").fill(variables) == str(message.sent_at.year)


def test_the_bounds_of_conditions_hold() -> None:
    many = Variables({}, body={"rows": list(range(5000))})
    with pytest.raises(ExpressionFailed, match="goes through lists"):
        Expression("body.rows.map(a, body.rows.map(b, b))").value(many)
