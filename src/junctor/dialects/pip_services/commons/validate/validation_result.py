"""One fault, and how bad it is."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from junctor.dialects.pip_services.commons.convert import TypeCode, TypeConverter


class ValidationResultType(Enum):
    """Warnings count as faults only where validation is strict."""

    Information = 0
    Warning = 1
    Error = 2


class ValidationResult:
    """
    :param path: where it is, dotted; empty for the value as a whole.
    :param type: how bad it is.
    :param code: a short name, in capitals.
    :param message: the fault, for people.
    :param expected: what was wanted.
    :param actual: what was found.
    """

    def __init__(
        self,
        path: str | None = None,
        type: ValidationResultType | None = None,
        code: str | None = None,
        message: str | None = None,
        expected: Any = None,
        actual: Any = None,
    ) -> None:
        self._path = path
        self._type = type
        self._code = code
        self._message = message
        self._expected = expected
        self._actual = actual

    def get_path(self) -> str | None:
        return self._path

    def get_type(self) -> ValidationResultType | None:
        return self._type

    def get_code(self) -> str | None:
        return self._code

    def get_message(self) -> str | None:
        return self._message

    def get_expected(self) -> Any:
        return self._expected

    def get_actual(self) -> Any:
        return self._actual

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self._path,
            "type": None if self._type is None else self._type.value,
            "code": self._code,
            "message": self._message,
            "expected": _plain(self._expected),
            "actual": _plain(self._actual),
        }

    def __str__(self) -> str:
        return json.dumps(self.to_json())


def _plain(value: Any) -> Any:
    if isinstance(value, TypeCode):
        return TypeConverter.to_string(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
