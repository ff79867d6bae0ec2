"""Comparison of values, and the rules that use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.convert import DoubleConverter, StringConverter
from junctor.dialects.pip_services.commons.reflect.objects import ObjectReader
from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule, error, label
from junctor.dialects.pip_services.commons.validate.schema import Schema
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult


class ObjectComparator:
    """Operations are ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` and LIKE; EQ, NE, LT, LE, GT and GE are the same."""

    @staticmethod
    def compare(value1: Any, operation: str, value2: Any) -> bool:
        """False for an operation that is not known."""
        known = _OPERATIONS.get(operation.upper())
        return known is not None and known(value1, value2)

    @staticmethod
    def are_equal(value1: Any, value2: Any) -> bool:
        if value1 is None or value2 is None:
            return value1 is value2
        return bool(value1 == value2)

    @staticmethod
    def are_not_equal(value1: Any, value2: Any) -> bool:
        return not ObjectComparator.are_equal(value1, value2)

    @staticmethod
    def is_less(value1: Any, value2: Any) -> bool:
        """Both as numbers; False where one is none."""
        first, second = _numbers(value1, value2)
        return first is not None and second is not None and first < second

    @staticmethod
    def is_greater(value1: Any, value2: Any) -> bool:
        """Both as numbers; False where one is none."""
        return ObjectComparator.is_less(value2, value1)

    @staticmethod
    def match(value1: Any, regexp: Any) -> bool:
        """Whether the text of a value begins as a regular expression says."""
        if value1 is None or regexp is None:
            return value1 is regexp
        return re.match(str(regexp), StringConverter.to_string(value1)) is not None


def _numbers(value1: Any, value2: Any) -> tuple[float | None, float | None]:
    return DoubleConverter.to_nullable_double(value1), DoubleConverter.to_nullable_double(value2)


def _at_most(value1: Any, value2: Any) -> bool:
    return ObjectComparator.are_equal(value1, value2) or ObjectComparator.is_less(value1, value2)


def _at_least(value1: Any, value2: Any) -> bool:
    return _at_most(value2, value1)


_OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("=", "==", "EQ"), ObjectComparator.are_equal),
    **dict.fromkeys(("!=", "<>", "NE"), ObjectComparator.are_not_equal),
    **dict.fromkeys(("<", "LT"), ObjectComparator.is_less),
    **dict.fromkeys(("<=", "LE"), _at_most),
    **dict.fromkeys((">", "GT"), ObjectComparator.is_greater),
    **dict.fromkeys((">=", "GE"), _at_least),
    "LIKE": ObjectComparator.match,
}


class ValueComparisonRule(IValidationRule):
    """The value compared with a constant."""

    def __init__(self, operation: str, value: Any) -> None:
        self._operation = operation
        self._value = value

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        if not ObjectComparator.compare(value, self._operation, self._value):
            wanted = f"{self._operation} {self._value}"
            results.append(error(path, "BAD_VALUE", f"{label(path)} must {wanted} but found {value}", wanted, value))


class PropertiesComparisonRule(IValidationRule):
    """One property of the value compared with another."""

    def __init__(self, property1: str, operation: str, property2: str) -> None:
        self._property1 = property1
        self._operation = operation
        self._property2 = property2

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        first = ObjectReader.get_property(value, self._property1)
        second = ObjectReader.get_property(value, self._property2)
        if not ObjectComparator.compare(first, self._operation, second):
            message = f"{label(path)} must have {self._property1} {self._operation} {self._property2}"
            results.append(error(path, "PROPERTIES_NOT_MATCH", message, second, first))
