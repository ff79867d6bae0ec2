"""The declared type of a route's result as classes that one look compares with what it returned."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any

_UNIONS = (typing.Union, types.UnionType)


def classes_of(kind: Any) -> tuple[type, ...] | None:
    """The classes whose objects are of the type, by their outermost class: what is in a list is not looked at. None
    for a type that tells nothing, as Any, or that objects do not show, as a protocol."""
    if kind is Any or kind is None or kind is type(None) or kind is object:
        return None
    found = _classes(kind)
    return None if not found or object in found else found


def _classes(kind: Any) -> tuple[type, ...]:
    """Empty where it cannot be told."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is None:
        return (type(None),)
    if origin is Annotated:
        return _classes(parts[0])
    if origin in _UNIONS:
        each = [_classes(part) for part in parts]
        return tuple(one for found in each for one in found) if all(each) else ()
    if origin is typing.Literal:
        return tuple(type(value) for value in parts)
    if isinstance(kind, typing.NewType):
        return _classes(kind.__supertype__)
    base = origin if origin is not None else kind
    if not isinstance(base, type):
        return ()
    if typing.is_typeddict(base):
        return (dict,)
    if getattr(base, "_is_protocol", False):
        return ()
    return {float: (float, int), complex: (complex, float, int), bytes: (bytes, bytearray, memoryview)}.get(
        base, (base,)
    )
