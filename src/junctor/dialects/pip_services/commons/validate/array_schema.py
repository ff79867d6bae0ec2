"""What lists and maps must look like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.dialects.pip_services.commons.convert import MapConverter, TypeCode, TypeConverter
from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule, error, label
from junctor.dialects.pip_services.commons.validate.schema import Schema, joined
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult


class ArraySchema(Schema):
    """A list whose elements are of one type."""

    def __init__(
        self, value_type: Any = None, required: bool | None = None, rules: Iterable[IValidationRule] | None = None
    ) -> None:
        super().__init__(required, rules)
        self._value_type = value_type

    def get_value_type(self) -> Any:
        return self._value_type

    def set_value_type(self, value: Any) -> None:
        self._value_type = value

    def _perform_validation(self, path: str, value: Any, results: list[ValidationResult]) -> None:
        super()._perform_validation(path, value, results)
        if value is None:
            return
        if not isinstance(value, list | tuple | set | frozenset):
            message, found = f"{label(path)} type must be List or Array", TypeConverter.to_type_code(value)
            results.append(error(path, "VALUE_ISNOT_ARRAY", message, TypeCode.Array, found))
            return
        for index, element in enumerate(value):
            self._perform_type_validation(joined(path, index), self._value_type, element, results)


class MapSchema(Schema):
    """A map whose keys are of one type, and whose values are of one."""

    def __init__(
        self,
        key_type: Any = None,
        value_type: Any = None,
        required: bool | None = None,
        rules: Iterable[IValidationRule] | None = None,
    ) -> None:
        super().__init__(required, rules)
        self._key_type = key_type
        self._value_type = value_type

    def get_key_type(self) -> Any:
        return self._key_type

    def set_key_type(self, value: Any) -> None:
        self._key_type = value

    def get_value_type(self) -> Any:
        return self._value_type

    def set_value_type(self, value: Any) -> None:
        self._value_type = value

    def _perform_validation(self, path: str, value: Any, results: list[ValidationResult]) -> None:
        super()._perform_validation(path, value, results)
        if value is None:
            return
        entries = None if isinstance(value, list | tuple) else MapConverter.to_nullable_map(value)
        if entries is None:
            message, found = f"{label(path)} type must be Map", TypeConverter.to_type_code(value)
            results.append(error(path, "VALUE_ISNOT_MAP", message, TypeCode.Map, found))
            return
        for key, element in entries.items():
            self._perform_type_validation(joined(path, key), self._key_type, key, results)
            self._perform_type_validation(joined(path, key), self._value_type, element, results)
