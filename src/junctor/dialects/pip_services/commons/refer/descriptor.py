"""The address of a component."""

from __future__ import annotations

from typing import Any, Self

from junctor.dialects.pip_services.commons.errors.exceptions import ConfigException


class Descriptor:
    """Group, type, kind, name and version, written ``group:type:kind:name:version``.

    A part that is ``*`` (or empty) fits every other, on either side; that is why ``a == b`` and ``b == c`` do not make
    ``a == c``, and why a descriptor has no hash. Versions are texts: there are no ranges.
    """

    def __init__(
        self, group: str | None, type: str | None, kind: str | None, name: str | None, version: str | None
    ) -> None:
        given = (group, type, kind, name, version)
        self._parts = tuple(None if part in (None, "", "*") else part for part in given)

    def get_group(self) -> str | None:
        return self._parts[0]

    def get_type(self) -> str | None:
        return self._parts[1]

    def get_kind(self) -> str | None:
        return self._parts[2]

    def get_name(self) -> str | None:
        return self._parts[3]

    def get_version(self) -> str | None:
        return self._parts[4]

    def match(self, descriptor: Descriptor) -> bool:
        """Whether each part fits: it is the same, or one side leaves it open."""
        for mine, theirs in zip(self._parts, descriptor._parts, strict=True):
            if mine != theirs and mine is not None and theirs is not None:
                return False
        return True

    def exact_match(self, descriptor: Descriptor) -> bool:
        """Whether each part is the same; an open part is only like an open one."""
        return self._parts == descriptor._parts

    def is_complete(self) -> bool:
        """Whether no part is open."""
        return None not in self._parts

    def equals(self, value: Any) -> bool:
        return isinstance(value, Descriptor) and self.match(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descriptor) and self.match(other)

    # What equals different things can have no hash.
    __hash__ = None  # type: ignore[assignment]

    def to_string(self) -> str:
        return ":".join(part or "*" for part in self._parts)

    def __str__(self) -> str:
        return self.to_string()

    def __repr__(self) -> str:
        return f"Descriptor({self.to_string()!r})"

    @classmethod
    def from_string(cls, value: str | None) -> Self | None:
        """
        :returns: None for an empty text.
        :raises ConfigException: it has not five parts; its code is ``BAD_DESCRIPTOR``.
        """
        if not value:
            return None
        parts = [part.strip() for part in str(value).split(":")]
        if len(parts) != 5:
            message = f"Descriptor {value} is in wrong format"
            raise ConfigException(None, "BAD_DESCRIPTOR", message).with_details("descriptor", value)
        return cls(*parts)
