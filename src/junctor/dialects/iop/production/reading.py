"""Reading dictionaries that people write: each wrong part is told with the path of its keys, and what to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from junctor.core.spec import service_name
from junctor.dialects.iop.definition import ProductionDefinition
from junctor.errors import ConfigurationError, nearest

LONGEST = 100
"""Characters of a name; that of a service or flow has no more."""

_TRUE = ("true", "1")
_FALSE = ("false", "0", "")


class ShapeError(ConfigurationError, ValueError):
    """A part of a settings file or of a production has the wrong shape. ``where`` is the file and the path of keys."""

    code = "iop-shape"
    default_fix = "Correct the named part."


@dataclass
class Reading:
    """A production that was read. ``classes`` are those to be registered, each with its place; ``warnings`` what was
    strange and could be read all the same."""

    definition: ProductionDefinition
    classes: dict[str, tuple[Any, Place]]
    warnings: list[str]


class Place:
    """A part of a structure: ``PRODUCTIONS[0]["Demo"]["Item"][1]``, and the file that it stands in."""

    def __init__(self, path: str, file: str = "", warnings: list[str] | None = None) -> None:
        self.path = path
        self.file = file
        self.warnings = [] if warnings is None else warnings

    def __str__(self) -> str:
        return f"{self.file}: {self.path}" if self.file else self.path

    def inside(self, key: str | int) -> Place:
        """The place of a part."""
        part = f"[{key}]" if isinstance(key, int) else f'["{key}"]'
        return Place(self.path + part, self.file, self.warnings)

    def error(self, what: str, fix: str | None = None) -> ShapeError:
        """The error that names this place."""
        return ShapeError(what, where=str(self), fix=fix)

    def warn(self, what: str) -> None:
        """Note what is strange here."""
        self.warnings.append(f"{self.path}: {what}")

    def mapping(self, data: Any) -> Mapping[Any, Any]:
        """:raises ShapeError: it is no dictionary."""
        if not isinstance(data, Mapping):
            raise self.error(f"expected a dictionary, got {_kind(data)}", "Write {...} here.")
        return data

    def know(self, data: Mapping[str, Any], words: Sequence[str]) -> None:
        """Note each key that means nothing here."""
        for key in data:
            if key not in words:
                self.inside(str(key)).warn(f"it means nothing here. {nearest(str(key), words).strip()}")

    def several(self, data: Mapping[str, Any], key: str) -> Iterator[tuple[Place, Any]]:
        """The parts under a key, each with its place: a list, or one that stands for itself, or nothing."""
        value = data.get(key)
        if value is None:
            return
        if isinstance(value, list | tuple):
            yield from ((self.inside(key).inside(index), one) for index, one in enumerate(value))
        else:
            yield self.inside(key), value

    def text(self, data: Mapping[str, Any], key: str) -> str:
        """The text under a key, empty where it is missing; numbers and booleans are taken as their text."""
        value = data.get(key)
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(int(value))
        if isinstance(value, str | int | float):
            return str(value)
        raise self.inside(key).error(f"expected text, got {_kind(value)}", 'Write it as text, as in "5".')

    def check_shown(self, name: str) -> None:
        """:raises ShapeError: a name has characters that have no place in lines of a log, or in JSON."""
        if not name.isprintable():
            what = f"the name {name[:LONGEST]!r} has characters that cannot be shown"
            raise self.error(what, "Write letters, digits and dots.")

    def check_name(self, name: str) -> None:
        """:raises ShapeError: it cannot be the name of a production or an item, which is that of a folder, too."""
        self.check_shown(name)
        if len(service_name(name)) > LONGEST:
            what = f"the name '{name[:30]}...' has {len(name)} characters, and may have {LONGEST}"
            raise self.error(what, "Give it a shorter one.")

    def required(self, data: Mapping[str, Any], key: str) -> str:
        """:raises ShapeError: there is no text under the key."""
        value = self.text(data, key)
        if not value.strip():
            raise self.error(f'"{key}" is missing' if key not in data else f'"{key}" is empty', f'Add "{key}": "...".')
        return value

    def number(self, data: Mapping[str, Any], key: str, default: int) -> int:
        """:raises ShapeError: what is under the key is no whole number."""
        text = self.text(data, key).strip()
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            what = f"expected a whole number, got {text[:LONGEST]!r}"
            raise self.inside(key).error(what, f'Write a number, as in "{default}".') from None

    def flag(self, data: Mapping[str, Any], key: str, default: bool) -> bool:
        """:raises ShapeError: what is under the key is neither true nor false."""
        text = self.text(data, key).strip().lower()
        if text not in _TRUE + _FALSE:
            what = f"expected true or false, got {data[key]!r}"
            raise self.inside(key).error(what, 'Write "true" or "false".')
        return default if not text else text in _TRUE


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    return f"{type(value).__name__} {value!r}"[:60]
