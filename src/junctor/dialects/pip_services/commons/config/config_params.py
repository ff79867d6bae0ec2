"""Parameters of a component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from junctor.dialects.pip_services.commons.data.string_value_map import StringValueMap
from junctor.dialects.pip_services.commons.reflect.recursive_objects import RecursiveObjectReader


class ConfigParams(StringValueMap):
    """Texts by dotted keys: ``connection.host`` is ``host`` in the section ``connection``, ``a.0`` the first of a list
    ``a``."""

    def get_section_names(self) -> list[str]:
        """The first parts of the keys that have more than one, and keys without a dot, each once and in their order."""
        return list(dict.fromkeys(name for key in self if (name := key.partition(".")[0])))

    def get_section(self, section: str) -> Self:
        """The parameters of a section, without its name; empty where there is none."""
        prefix = f"{section}."
        found = type(self)()
        for key, value in self.items():
            if section and key.startswith(prefix) and key != prefix:
                found.put(key.removeprefix(prefix), value)
        return found

    def add_section(self, section: str, section_params: Mapping[str, Any] | None) -> None:
        """
        :raises ValueError: the section has no name.
        """
        if not section:
            raise ValueError("a section of a configuration needs a name")
        for key, value in (section_params or {}).items():
            self.put(f"{section}.{key}", value)

    def override(self, config_params: Mapping[str, Any] | None) -> Self:
        """A new set: these parameters, with those given in their place."""
        return type(self).from_maps(self, config_params)

    def set_defaults(self, default_config_params: Mapping[str, Any] | None) -> Self:
        """A new set: these parameters, and those given where there is none of that key."""
        return type(self).from_maps(default_config_params, self)

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """From nested data: ``{"a": {"b": [1]}}`` becomes ``a.b.0=1``. Empty maps and lists leave no key."""
        leaves = RecursiveObjectReader.get_properties(value)
        return cls({key: leaf for key, leaf in leaves.items() if leaf not in ({}, [], ())})

    @classmethod
    def merge_configs(cls, *configs: Mapping[str, Any] | None) -> Self:
        """All of these in one; of one key the last value stays."""
        return cls.from_maps(*configs)
