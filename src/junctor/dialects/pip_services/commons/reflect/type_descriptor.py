"""The name of a class and of the module it is in."""

from __future__ import annotations

from typing import Any, Self

from junctor.dialects.pip_services.commons.errors.exceptions import ConfigException


class TypeDescriptor:
    """Written ``Class,module.path``.

    :param name: the name of the class.
    :param library: the module; None: not said, which fits every one.
    """

    def __init__(self, name: str | None, library: str | None) -> None:
        self._name = name
        self._library = library

    def get_name(self) -> str | None:
        return self._name

    def get_library(self) -> str | None:
        return self._library

    def equals(self, other: Any) -> bool:
        return bool(self == other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TypeDescriptor) or None in (self._name, other._name) or self._name != other._name:
            return False
        return self._library is None or other._library is None or self._library == other._library

    # What fits different modules can have no hash.
    __hash__ = None  # type: ignore[assignment]

    def to_string(self) -> str:
        return ",".join(part for part in (self._name, self._library) if part)

    def __str__(self) -> str:
        return self.to_string()

    @classmethod
    def from_string(cls, value: str | None) -> Self | None:
        """
        :returns: None for an empty text.
        :raises ConfigException: it has more than two parts; its code is ``BAD_DESCRIPTOR``.
        """
        if not value:
            return None
        parts = [part.strip() for part in value.split(",")]
        if len(parts) > 2:
            message = f"Type descriptor {value} is in wrong format"
            raise ConfigException(None, "BAD_DESCRIPTOR", message).with_details("descriptor", value)
        return cls(parts[0], parts[1] if len(parts) == 2 else None)
