"""The kinds of values that only settings have: durations, secrets, and the value that must be given."""

from __future__ import annotations

import enum
import hmac
from typing import Annotated, Any

DURATION = "junctor-duration"
Duration = Annotated[float, DURATION]
"""Seconds as a float; also read from ``"200ms"``, ``"2s"``, ``"1h30m"``."""


class Missing(enum.Enum):
    """The default of a setting that must be given."""

    MISSING = "must be given"


MISSING = Missing.MISSING


class Unset(enum.Enum):
    """Stands for a value that is written and not known here: it refers to a variable that is not set."""

    UNSET = "refers to what is not set"


UNSET = Unset.UNSET


class Secret:
    """Text that does not show: not in a repr, a log, an error or a trace. :meth:`reveal` gives it to who needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(("junctor.Secret", self._text))


class Hidden:
    """A secret value that is neither text nor a mapping: it does not show. :meth:`reveal` gives it to who needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def reveal(self) -> Any:
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and bool(other._value == self._value)

    def __hash__(self) -> int:
        return hash(("junctor.Hidden", str(self._value)))


def concealed(value: Any) -> Any:
    """A secret value as it is kept where settings are shown."""
    if value is None or isinstance(value, Secret | SecretTable | Hidden):
        return value
    if isinstance(value, str):
        return Secret(value)
    return SecretTable(value) if isinstance(value, dict) else Hidden(value)


class SecretTable(dict[str, Any]):
    """A mapping that does not show, as text does not in a :class:`Secret`. In all else it is a dict."""

    def __repr__(self) -> str:
        return "***"
