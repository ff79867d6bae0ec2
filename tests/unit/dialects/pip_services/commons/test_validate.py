"""Schemas and rules: each fault with its path, its code and its words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.data import PagingParams
from junctor.dialects.pip_services.commons.validate import (
    AndRule,
    ArraySchema,
    AtLeastOneExistsRule,
    ExcludedRule,
    FilterParamsSchema,
    IncludedRule,
    IValidationRule,
    MapSchema,
    NotRule,
    ObjectComparator,
    ObjectSchema,
    OnlyOneExistRule,
    OrRule,
    PagingParamsSchema,
    ProjectionParamsSchema,
    PropertiesComparisonRule,
    PropertySchema,
    Schema,
    ValidationException,
    ValueComparisonRule,
)

ORDER = (
    ObjectSchema()
    .with_required_property("id", TypeCode.String)
    .with_optional_property("amount", TypeCode.Integer)
    .with_optional_property("lines", ArraySchema(TypeCode.Integer))
    .with_optional_property("owner", ObjectSchema().with_required_property("name", TypeCode.String))
    .with_optional_property("stock", MapSchema(TypeCode.String, TypeCode.Integer))
)


def faults(schema: Schema, value: Any) -> list[tuple[str | None, str | None]]:
    return [(result.get_path(), result.get_code()) for result in schema.validate(value)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"id": "x"}, []),
        ({}, [("id", "VALUE_IS_NULL")]),
        ({"id": 5}, [("id", "TYPE_MISMATCH")]),
        ({"id": "x", "amount": "5"}, [("amount", "TYPE_MISMATCH")]),
        ({"id": "x", "more": 1}, [("more", "UNEXPECTED_PROPERTY")]),
        ({"id": "x", "lines": [1, "a"]}, [("lines.1", "TYPE_MISMATCH")]),
        ({"id": "x", "lines": 5}, [("lines", "VALUE_ISNOT_ARRAY")]),
        ({"id": "x", "owner": {}}, [("owner.name", "VALUE_IS_NULL")]),
        ({"id": "x", "stock": {"a": "b"}}, [("stock.a", "TYPE_MISMATCH")]),
        ({"id": "x", "stock": 5}, [("stock", "VALUE_ISNOT_MAP")]),
        (None, []),
        (5, [("id", "VALUE_IS_NULL")]),
    ],
)
def test_objects(value: Any, found: list[tuple[str, str]]) -> None:
    assert faults(ORDER, value) == found


def test_objects_have_properties_too() -> None:
    class Order:
        def __init__(self) -> None:
            self.id = "x"
            self.amount = 5

    assert faults(ORDER, Order()) == []


def test_a_schema_that_passes_the_constructor_by() -> None:
    class OrderSchema(ObjectSchema):
        def __init__(self) -> None:
            super(ObjectSchema, self).__init__()
            self.with_required_property("id", TypeCode.String)

    assert faults(OrderSchema(), {"more": 1}) == [("id", "VALUE_IS_NULL"), ("more", "UNEXPECTED_PROPERTY")]
    assert [known.get_name() for known in OrderSchema().get_properties()] == ["id"], "each schema has its own"


def test_required_values() -> None:
    assert faults(Schema(), None) == [] and faults(Schema().make_required(), None) == [("", "VALUE_IS_NULL")]
    assert faults(ArraySchema(TypeCode.String, True), None) == [("", "VALUE_IS_NULL")]
    assert faults(PropertySchema("n", TypeCode.Integer, True), None) == [("n", "VALUE_IS_NULL")]


def test_unexpected_properties_are_warnings() -> None:
    assert ORDER.validate_and_return_exception("c", {"id": "x", "more": 1}) is None
    strict = ORDER.validate_and_return_exception("c", {"id": "x", "more": 1}, True)
    assert strict is not None and str(strict) == "Validation failed: value contains unexpected property more"
    assert faults(ObjectSchema(True), {"anything": 1}) == []


def test_the_error_names_every_fault() -> None:
    with pytest.raises(ValidationException) as raised:
        ORDER.validate_and_throw_exception("cid", {"amount": "x", "owner": {"name": 1}})
    error = raised.value
    assert (error.status, error.code, error.correlation_id) == (400, "INVALID_DATA", "cid")
    assert str(error) == (
        "Validation failed: id must not be null, amount type must be integer but found string, "
        "owner.name type must be string but found integer"
    )
    results = json.loads((error.details or {})["results"])
    assert results[1] == {
        "path": "amount",
        "type": 2,
        "code": "TYPE_MISMATCH",
        "message": "amount type must be integer but found string",
        "expected": "integer",
        "actual": "string",
    }


def test_parameters_of_queries() -> None:
    assert faults(FilterParamsSchema(), {"a": "b", "c": 1}) == []
    assert faults(PagingParamsSchema(), {"skip": 0, "take": 5, "total": True}) == []
    assert faults(PagingParamsSchema(), {"skip": "0", "x": 1}) == [
        ("skip", "TYPE_MISMATCH"),
        ("x", "UNEXPECTED_PROPERTY"),
    ]
    assert faults(PagingParamsSchema(), PagingParams(1, 2, True)) == []
    assert faults(ProjectionParamsSchema(), ["a", 1]) == [("1", "TYPE_MISMATCH")]


EQ3, EQ4 = ValueComparisonRule("=", 3), ValueComparisonRule("EQ", 4)


@pytest.mark.parametrize(
    ("rule", "value", "codes"),
    [
        (IncludedRule(1, 2), 3, ["VALUE_NOT_INCLUDED"]),
        (IncludedRule(1, 3), 3, []),
        (ExcludedRule(3), 3, ["VALUE_INCLUDED"]),
        (EQ3, 3, []),
        (EQ4, 3, ["BAD_VALUE"]),
        (NotRule(EQ3), 3, ["NOT_FAILED"]),
        (NotRule(EQ4), 3, []),
        (AndRule(EQ3, ValueComparisonRule(">", 5)), 3, ["BAD_VALUE"]),
        (OrRule(EQ3, EQ4), 3, []),
        (OrRule(EQ4, ValueComparisonRule(">", 5)), 3, ["BAD_VALUE", "BAD_VALUE"]),
        (OrRule(), 3, []),
        (OnlyOneExistRule("a", "b"), {"a": 1, "b": 2}, ["VALUE_ONLY_ONE"]),
        (OnlyOneExistRule("a", "b"), {"a": 1}, []),
        (OnlyOneExistRule("a", "b"), {}, ["VALUE_NULL"]),
        (AtLeastOneExistsRule("a", "b"), {"a": 1, "b": 2}, []),
        (AtLeastOneExistsRule("a", "b"), {}, ["VALUE_NULL"]),
        (PropertiesComparisonRule("a", "<", "b"), {"a": 1, "b": 2}, []),
        (PropertiesComparisonRule("a", "EQ", "b"), {"a": 1, "b": 2}, ["PROPERTIES_NOT_MATCH"]),
    ],
)
def test_rules(rule: IValidationRule, value: Any, codes: list[str]) -> None:
    assert [code for _, code in faults(Schema().with_rule(rule), value)] == codes


@pytest.mark.parametrize(
    ("operations", "less", "same", "more"),
    [
        (("=", "==", "EQ", "eq"), False, True, False),
        (("!=", "<>", "NE"), True, False, True),
        (("<", "LT"), True, False, False),
        (("<=", "LE"), True, True, False),
        ((">", "GT"), False, False, True),
        ((">=", "GE"), False, True, True),
        (("no such operation",), False, False, False),
    ],
)
def test_comparisons(operations: tuple[str, ...], less: bool, same: bool, more: bool) -> None:
    for operation in operations:
        found = [ObjectComparator.compare(value, operation, 2) for value in (1, 2, 3)]
        assert found == [less, same, more], operation
    assert not ObjectComparator.is_less("a", 1), "what is no number is not less"
    assert ObjectComparator.compare("ab", "LIKE", "a.*") and not ObjectComparator.compare(None, "LIKE", "a")
