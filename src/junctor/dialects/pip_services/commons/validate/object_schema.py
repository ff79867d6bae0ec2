"""What objects and mappings must look like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from junctor.dialects.pip_services.commons.convert import TypeCode, TypeConverter
from junctor.dialects.pip_services.commons.reflect.objects import ObjectReader
from junctor.dialects.pip_services.commons.validate.interfaces import IValidationRule, label
from junctor.dialects.pip_services.commons.validate.schema import Schema, joined
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult, ValidationResultType


class PropertySchema(Schema):
    """One property: its name, its type, whether it must be there."""

    def __init__(
        self,
        name: str | None = None,
        value_type: Any = None,
        required: bool | None = None,
        rules: Iterable[IValidationRule] | None = None,
    ) -> None:
        super().__init__(required, rules)
        self._name = name
        self._type = value_type

    def get_name(self) -> str | None:
        return self._name

    def set_name(self, value: str) -> None:
        self._name = value

    def get_type(self) -> Any:
        return self._type

    def set_type(self, value: Any) -> None:
        self._type = value

    def _perform_validation(self, path: str, value: Any, results: list[ValidationResult]) -> None:
        path = joined(path, self._name)
        super()._perform_validation(path, value, results)
        self._perform_type_validation(path, self._type, value, results)


class ObjectSchema(Schema):
    """An object, or a mapping, with known properties.

    :param allow_undefined: whether others may be there too; else each is a warning.
    """

    # Schemas of programs are known to call super(ObjectSchema, self).__init__(), which passes this class by: nothing
    # here may depend on the constructor.
    _allow_undefined = False

    def __init__(
        self,
        allow_undefined: bool = False,
        required: bool | None = None,
        rules: Iterable[IValidationRule] | None = None,
    ) -> None:
        super().__init__(required, rules)
        self._allow_undefined = bool(allow_undefined)

    def get_properties(self) -> list[PropertySchema]:
        found: list[PropertySchema] = vars(self).setdefault("_properties", [])
        return found

    def set_properties(self, value: Iterable[PropertySchema]) -> None:
        self.get_properties()[:] = value

    @property
    def is_undefined_allowed(self) -> bool:
        return self._allow_undefined

    @is_undefined_allowed.setter
    def is_undefined_allowed(self, value: bool) -> None:
        self._allow_undefined = value

    def allow_undefined(self, value: bool = True) -> Self:
        self._allow_undefined = value
        return self

    def with_property(self, schema: PropertySchema) -> Self:
        self.get_properties().append(schema)
        return self

    def with_required_property(self, name: str, typ: Any = None, *rules: IValidationRule) -> Self:
        return self.with_property(PropertySchema(name, typ, True, rules))

    def with_optional_property(self, name: str, typ: Any = None, *rules: IValidationRule) -> Self:
        return self.with_property(PropertySchema(name, typ, False, rules))

    def _perform_validation(self, path: str, value: Any, results: list[ValidationResult]) -> None:
        super()._perform_validation(path, value, results)
        if value is None:
            return
        found = _properties(value)
        for known in self.get_properties():
            known._perform_validation(path, found.get(known.get_name() or ""), results)
        if not self._allow_undefined:
            expected = {known.get_name() for known in self.get_properties()}
            results.extend(_unexpected(path, name) for name in found if name not in expected)


def _properties(value: Any) -> dict[str, Any]:
    """A single value has none: those that Python gives to numbers and texts do not count."""
    single = TypeConverter.to_type_code(value) not in (TypeCode.Object, TypeCode.Map, TypeCode.Array)
    return {} if single and not isinstance(value, Mapping) else ObjectReader.get_properties(value)


def _unexpected(path: str, name: str) -> ValidationResult:
    message = f"{label(path)} contains unexpected property {name}"
    return ValidationResult(
        joined(path, name), ValidationResultType.Warning, "UNEXPECTED_PROPERTY", message, None, name
    )
