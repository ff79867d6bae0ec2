"""Rules for single values, and for which properties are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.dialects.pip_services.commons.reflect.objects import ObjectReader
from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule, error, label
from junctor.dialects.pip_services.commons.validate.schema import Schema
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult


class IncludedRule(IValidationRule):
    """One of these values."""

    def __init__(self, *values: Any) -> None:
        self._values = values

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        if value not in self._values:
            message = f"{label(path)} must be one of {_listed(self._values)}"
            results.append(error(path, "VALUE_NOT_INCLUDED", message, _listed(self._values), value))


class ExcludedRule(IValidationRule):
    """None of these values."""

    def __init__(self, *values: Any) -> None:
        self._values = values

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        if value in self._values:
            message = f"{label(path)} must not be one of {_listed(self._values)}"
            results.append(error(path, "VALUE_INCLUDED", message, _listed(self._values), value))


class AtLeastOneExistsRule(IValidationRule):
    """At least one of these properties is not None."""

    def __init__(self, *properties: str) -> None:
        self._properties = properties

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        if not _present(value, self._properties):
            results.append(_none_there(path, self._properties))


class OnlyOneExistRule(IValidationRule):
    """Exactly one of these properties is not None."""

    def __init__(self, *properties: str) -> None:
        self._properties = properties

    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        found = _present(value, self._properties)
        if not found:
            results.append(_none_there(path, self._properties))
        elif len(found) > 1:
            message = f"{label(path)} must have only one property from {_listed(self._properties)}"
            results.append(error(path, "VALUE_ONLY_ONE", message, _listed(self._properties), _listed(found)))


def _present(value: Any, names: Iterable[str]) -> list[str]:
    return [name for name in names if ObjectReader.get_property(value, name) is not None]


def _none_there(path: str, names: Iterable[str]) -> ValidationResult:
    message = f"{label(path)} must have at least one property from {_listed(names)}"
    return error(path, "VALUE_NULL", message, _listed(names))


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values)
