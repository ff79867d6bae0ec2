"""What the code of a service mentions, as far as its byte code tells: enough to say what nobody seems to use."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

import msgspec

from junctor.flows.check.places import owner_of
from junctor.flows.dialects import dialect_of
from junctor.services import Service


class Usage(msgspec.Struct, frozen=True):
    """The names and texts in a piece of code, with what is defined inside it."""

    names: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


def usage_of(source: Any) -> Usage | None:
    """What all functions of a service mention; None where its code is not known, as for services of a dialect."""
    owner = owner_of(source)
    if owner is None or dialect_of(source) is not None:
        return None
    codes = [code for _, code in functions_of(owner)]
    return Usage(
        frozenset(name for code in codes for part in _all(code) for name in part.co_names),
        frozenset(text for code in codes for part in _all(code) for text in part.co_consts if isinstance(text, str)),
    )


def mentions(source: Any, function: str, name: str) -> bool:
    """Whether a function of a service mentions a name."""
    owner = owner_of(source)
    found = [code for own, code in functions_of(owner) if own == function] if owner is not None else []
    return any(name in part.co_names for code in found for part in _all(code))


def functions_of(owner: Any) -> Iterator[tuple[str, types.CodeType]]:
    """The functions of a class and its own bases, or of a module, with their names."""
    holders = [base for base in owner.__mro__ if base not in Service.__mro__] if isinstance(owner, type) else [owner]
    for holder in holders:
        for name, value in vars(holder).items():
            inner = inspect.unwrap(value) if inspect.isfunction(value) else None
            if isinstance(inner, types.FunctionType):
                yield name, inner.__code__


def _all(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _all(part)
