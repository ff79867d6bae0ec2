"""Keys of a configuration that nobody asks for, while one that is spelled much like them is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher

_EVERYWHERE = ("descriptor", "type", "name", "id", "connection", "connections", "credential", "credentials")
"""Known to all, for some are asked for only when a component opens."""
_NEAR = 0.75
"""How much of two words is the same, from 0 to 1."""


def misspelled(given: Iterable[str], asked: Collection[str]) -> dict[str, str]:
    """Each key, or section, with the one that is probably meant. What resembles nothing may be read later, and is left
    alone.

    :param given: the keys of the configuration of a component.
    :param asked: the keys and sections that the component knows.
    """
    there, known = _with_sections(given), _with_sections(asked)
    missing = sorted(known - there)
    known.update(_EVERYWHERE)
    found: dict[str, str] = {}
    for key in given:
        wrong = next((part for part in _parts(key) if part not in known), None)
        if wrong is not None and wrong not in found and not _is_below(wrong, asked):
            meant = _nearest(wrong, missing) or _deeper(wrong, missing)
            found |= {wrong: meant} if meant else {}
    return found


def _with_sections(keys: Iterable[str]) -> set[str]:
    return {part for key in keys for part in _parts(key)}


def _parts(key: str) -> list[str]:
    """``a``, ``a.b`` and ``a.b.c`` of ``a.b.c``."""
    words = key.split(".")
    return [".".join(words[: count + 1]) for count in range(len(words))]


def _is_below(key: str, asked: Collection[str]) -> bool:
    """Whether it is in a list or a map that was asked for as a whole: ``items.0``."""
    return key.rpartition(".")[2].isdigit() and key.rpartition(".")[0] in asked


def _nearest(key: str, missing: Iterable[str]) -> str:
    """One in the same section."""
    section, _, word = key.rpartition(".")
    near = [
        (_likeness(word, other.rpartition(".")[2]), other)
        for other in missing
        if other.rpartition(".")[0] == section and _likeness(word, other.rpartition(".")[2]) >= _NEAR
    ]
    return max(near)[1] if near else ""


def _likeness(one: str, other: str) -> float:
    one, other = (word.replace("_", "").replace("-", "").lower() for word in (one, other))
    return SequenceMatcher(None, one, other).ratio()


def _deeper(key: str, missing: Iterable[str]) -> str:
    """``connection.port`` for ``port``: it stands outside its section."""
    return next((other for other in missing if other.endswith(f".{key}")), "")
