"""A condition that a value must meet."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult, ValidationResultType

if TYPE_CHECKING:
    from junctor.dialects.pip_services.commons.validate.schema import Schema


class IValidationRule(ABC):  # noqa: B024 - whatever has `validate` will do
    def validate(self, path: str, schema: Schema, value: Any, results: list[ValidationResult]) -> None:
        """Adds a result for each fault of the value at this path."""
        raise NotImplementedError(f"{type(self).__name__}.validate is not written")


def error(path: str, code: str, message: str, expected: Any = None, actual: Any = None) -> ValidationResult:
    return ValidationResult(path, ValidationResultType.Error, code, message, expected, actual)


def label(path: str) -> str:
    """How the value at a path is called in messages."""
    return path or "value"
