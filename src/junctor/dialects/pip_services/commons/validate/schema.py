"""What a value must look like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import TypeCode, TypeConverter
from junctor.dialects.pip_services.commons.reflect.type_matcher import TypeMatcher
from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule, error, label
from junctor.dialects.pip_services.commons.validate.validation_exception import ValidationException
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult


class Schema:
    """
    :param required: whether None is a fault.
    :param rules: conditions for values that are not None.
    """

    def __init__(self, required: bool | None = False, rules: Iterable[IValidationRule] | None = None) -> None:
        self._required = bool(required)
        self._rules = list(rules or ())

    def is_required(self) -> bool:
        return self._required

    def set_required(self, value: bool) -> None:
        self._required = value

    def get_rules(self) -> list[IValidationRule]:
        return self._rules

    def set_rules(self, value: Iterable[IValidationRule]) -> None:
        self._rules = list(value)

    def make_required(self) -> Self:
        self._required = True
        return self

    def make_optional(self) -> Self:
        self._required = False
        return self

    def with_rule(self, rule: IValidationRule) -> Self:
        self._rules.append(rule)
        return self

    def validate(self, value: Any) -> list[ValidationResult]:
        """All faults of a value."""
        results: list[ValidationResult] = []
        self._perform_validation("", value, results)
        return results

    def validate_and_return_exception(
        self, correlation_id: str | None, value: Any, strict: bool = False
    ) -> ValidationException | None:
        """
        :param strict: whether warnings count, such as for a property nobody expected.
        """
        return ValidationException.from_results(correlation_id, self.validate(value), strict)

    def validate_and_throw_exception(self, correlation_id: str | None, value: Any, strict: bool = False) -> None:
        """
        :raises ValidationException: the value has faults.
        """
        ValidationException.throw_exception_if_needed(correlation_id, self.validate(value), strict)

    def _perform_validation(self, path: str, value: Any, results: list[ValidationResult]) -> None:
        if value is None:
            if self._required:
                results.append(error(path, "VALUE_IS_NULL", f"{label(path)} must not be null", "NOT NULL"))
            return
        for rule in self._rules:
            rule.validate(path, self, value, results)

    def _perform_type_validation(self, path: str, typ: Any, value: Any, results: list[ValidationResult]) -> None:
        """
        :param typ: a TypeCode, a class, the name of one, another schema, or None for all.
        """
        if isinstance(typ, Schema):
            typ._perform_validation(path, value, results)
        elif typ is not None and value is not None and not TypeMatcher.match_value_type(typ, value):
            found = TypeConverter.to_type_code(value)
            message = f"{label(path)} type must be {_name(typ)} but found {_name(found)}"
            results.append(error(path, "TYPE_MISMATCH", message, typ, found))


def joined(path: str, name: Any) -> str:
    """The path of a part of what is at a path."""
    return f"{path}.{name}" if path else str(name)


def _name(typ: Any) -> str:
    if isinstance(typ, TypeCode):
        return TypeConverter.to_string(typ)
    return typ.__name__ if isinstance(typ, type) else str(typ)
