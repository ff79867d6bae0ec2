"""Arguments of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from junctor.dialects.pip_services.commons.config.config_params import ConfigParams
from junctor.dialects.pip_services.commons.convert import JsonConverter, MapConverter, RecursiveMapConverter
from junctor.dialects.pip_services.commons.data.any_value_map import AnyValueMap
from junctor.dialects.pip_services.commons.reflect.recursive_objects import RecursiveObjectReader, RecursiveObjectWriter


class Parameters(AnyValueMap):
    """Nested values; ``get`` and ``put`` take dotted keys."""

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key)
        if found is None and isinstance(key, str) and "." in key:
            found = RecursiveObjectReader.get_property(dict(self), key)
        return default if found is None else found

    def put(self, key: Any, value: Any) -> None:
        if isinstance(key, str) and "." in key:
            RecursiveObjectWriter.set_property(self, key, value)
        else:
            super().put(key, value)

    def get_as_nullable_parameters(self, key: str) -> Parameters | None:
        found = MapConverter.to_nullable_map(self.get(key))
        return None if found is None else Parameters(found)

    def get_as_parameters(self, key: str) -> Parameters:
        return self.get_as_parameters_with_default(key, Parameters())

    def get_as_parameters_with_default(self, key: str, default_value: Parameters) -> Parameters:
        found = self.get_as_nullable_parameters(key)
        return default_value if found is None else found

    def override(self, parameters: Mapping[str, Any], recursive: bool = False) -> Self:
        """A new set: these, with those given in their place; recursive: maps inside are put together too."""
        return type(self)(_merged(self, parameters, recursive))

    def set_defaults(self, default_values: Mapping[str, Any], recursive: bool = False) -> Self:
        """A new set: these, and those given where there is none of that key; recursive: in maps inside too."""
        return type(self)(_merged(default_values, self, recursive))

    def assign_to(self, value: Any) -> None:
        """Sets the properties of an object that are called like these."""
        if value is not None and self:
            RecursiveObjectWriter.copy_properties(value, dict(self))

    def pick(self, *props: str) -> Self:
        """A new set of these keys alone."""
        return type(self)({key: self[key] for key in props if key in self})

    def omit(self, *props: str) -> Self:
        """A new set without these keys."""
        return type(self)({key: value for key, value in self.items() if key not in props})

    def to_json(self) -> str:
        return JsonConverter.to_json(dict(self)) or "{}"

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(RecursiveMapConverter.to_nullable_map(value))

    @classmethod
    def merge_params(cls, *parameters: Mapping[str, Any] | None) -> Self:
        """All of these in one; of one key the last value stays."""
        return cls.from_maps(*parameters)

    @classmethod
    def from_json(cls, json: str) -> Self:
        """Empty where the text is no object of JSON."""
        return cls(JsonConverter.to_nullable_map(json))

    @classmethod
    def from_config(cls, config: ConfigParams | None) -> Self:
        """From a configuration: its sections become maps inside."""
        made = cls()
        for key, value in (config or {}).items():
            made.put(key, value)
        return made


def _merged(below: Mapping[str, Any], above: Mapping[str, Any], recursive: bool) -> dict[str, Any]:
    merged = {**below, **above}
    if recursive:
        for key in below.keys() & above.keys():
            if isinstance(below[key], Mapping) and isinstance(above[key], Mapping):
                merged[key] = _merged(below[key], above[key], recursive)
    return merged
