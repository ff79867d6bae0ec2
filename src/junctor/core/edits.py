"""Changes to the body of a message by hand, on plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from junctor.errors import JunctorError, nearest

Path = tuple[str | int, ...]


_LONG = 19
"""Digits that no place in a list has; Python refuses to read thousands of them."""


class EditRefused(JunctorError):
    """An edit of a body names a field that is not there, or leaves a masked value where nothing can be put back."""

    code = "edit-refused"
    default_fix = "Name a field of the body, its parts separated by dots: customer.name, lines.0.count."
    status = 422


def with_changes(body: Any, changes: Mapping[str, Any], text: bool = False) -> Any:
    """The body with other values in some of its fields: ``{"lines.0.count": 3}``.

    :param text: the values were typed: where the field has no text, ``"5"`` is a number and ``"[1]"`` a list.
    :raises EditRefused: a way to a field leads nowhere.
    """
    made = msgspec.json.decode(msgspec.json.encode(body))
    for path, value in changes.items():
        _put(made, path, value, text)
    return made


def _put(body: Any, path: str, value: Any, text: bool) -> None:
    *way, last = path.split(".")
    parent = body
    for name in way:
        parent = parent[_index(parent, name, path)]
    if isinstance(parent, dict):
        parent[last] = _typed(value, parent.get(last)) if text else value
    else:
        index = _index(parent, last, path)
        parent[index] = _typed(value, parent[index]) if text else value


def _index(parent: Any, name: str, path: str) -> Any:
    """How to get from a value to the part of this name."""
    if isinstance(parent, dict) and name in parent:
        return name
    if isinstance(parent, list) and name.isdecimal() and len(name) < _LONG and int(name) < len(parent):
        return int(name)
    known = parent if isinstance(parent, dict) else ()
    raise EditRefused(f'the body has no "{name}" on the way to {path}', fix=nearest(name, known).rstrip() or None)


def _typed(value: Any, before: Any) -> Any:
    """What somebody typed for a field that had a value."""
    if not isinstance(value, str) or isinstance(before, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def put_back(edited: Any, original: Any, mask: str) -> Any:
    """The edited body with the original values where it still has the mask.

    :raises EditRefused: there is no value to put back: its list has another length, or its field another name.
    """
    return _put_back(edited, original, mask, ())


def _put_back(edited: Any, original: Any, mask: str, path: Path) -> Any:
    if isinstance(edited, dict):
        others = original if isinstance(original, dict) else {}
        return {name: _put_back(value, others.get(name), mask, (*path, name)) for name, value in edited.items()}
    if isinstance(edited, list):
        same = isinstance(original, list) and len(original) == len(edited)
        originals = original if same else [None] * len(edited)
        pairs = zip(edited, originals, strict=True)
        return [_put_back(value, other, mask, (*path, index)) for index, (value, other) in enumerate(pairs)]
    if edited != mask:
        return edited
    if original is None:
        what = f"{_dotted(path)} is masked, and the original has no value in this place"
        raise EditRefused(what, fix="Write the value itself.")
    return original


def unknown_fields(edited: Any, taken: Any, original: Any) -> list[str]:
    """The fields of an edited body that were not taken over when it was read, for a typing mistake in a name would be
    passed over without a word. What the original had already does not count."""
    return [_dotted(path) for path in _unknown(edited, taken, original, ())]


def _unknown(edited: Any, taken: Any, original: Any, path: Path) -> Iterator[Path]:
    if isinstance(edited, dict) and isinstance(taken, dict):
        before = original if isinstance(original, dict) else {}
        for name, value in edited.items():
            if name in taken:
                yield from _unknown(value, taken[name], before.get(name), (*path, name))
            elif name not in before:
                yield (*path, name)
    elif isinstance(edited, list) and isinstance(taken, list) and len(edited) == len(taken):
        same = isinstance(original, list) and len(original) == len(edited)
        originals = original if same else [None] * len(edited)
        for index, (value, other, was) in enumerate(zip(edited, taken, originals, strict=True)):
            yield from _unknown(value, other, was, (*path, index))


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) or "the body"
