"""How objects of a message class are read and written: found once a class, when the first one is."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.dialects.iop.messages.conversion import Convert, converter, is_flat
from junctor.services.hints import class_annotations, resolve_in_class

MISSING = dataclasses.MISSING


class Shape(msgspec.Struct, frozen=True, eq=False):
    """The fields of a dataclass.

    ``direct``: an object is its ``__dict__`` and nothing else happens when one is made, so that it can be made from a
    dictionary and written from one. ``flat``: by their annotations its values have no attributes of their own.
    ``required`` are the fields without which it cannot be made, ``defaults`` make what
    the others have. ``conversions`` are those whose value is not the one of the JSON.
    """

    name: str
    names: tuple[str, ...]
    direct: bool
    flat: bool
    required: tuple[str, ...]
    defaults: Mapping[str, Callable[[], Any]]
    conversions: tuple[tuple[str, Convert], ...]
    passed: frozenset[str]
    """What the constructor takes."""


@functools.lru_cache(maxsize=1024)
def shape_of(cls: Any) -> Shape | None:
    """The shape of a dataclass, None for all else."""
    return _shape(cls) if dataclasses.is_dataclass(cls) else None


def _shape(cls: Any) -> Shape:
    fields = dataclasses.fields(cls)
    kinds = _kinds(cls)
    passed = [field for field in fields if field.init]
    return Shape(
        name=f"{cls.__module__}.{cls.__qualname__}",
        names=tuple(field.name for field in fields),
        direct=len(passed) == len(fields) and _is_direct(cls, len(fields)),
        flat=all(is_flat(kinds.get(field.name, Any)) for field in fields),
        required=tuple(field.name for field in passed if _default(field) is None),
        defaults={field.name: default for field in fields if (default := _default(field)) is not None},
        conversions=tuple(_conversions(kinds, [field.name for field in fields])),
        passed=frozenset(field.name for field in passed),
    )


def _default(field: dataclasses.Field[Any]) -> Callable[[], Any] | None:
    if field.default_factory is not MISSING:
        return field.default_factory
    return None if field.default is MISSING else functools.partial(_same, field.default)


def _same(value: Any) -> Any:
    return value


def _is_direct(cls: Any, fields: int) -> bool:
    code: Any = getattr(cls.__init__, "__code__", None)
    return (
        cls.__new__ is object.__new__
        # The constructor that dataclasses write, and it takes the fields alone; one of the user's comes from a file.
        and getattr(code, "co_filename", "") == "<string>"
        and code.co_argcount + code.co_kwonlyargcount == fields + 1
        and not hasattr(cls, "__post_init__")
        and not any(isinstance(vars(base).get("__slots__"), tuple) for base in cls.__mro__)
    )


def _kinds(cls: type) -> dict[str, Any]:
    return {name: resolved(*written) for name, written in class_annotations(cls).items()}


def _conversions(kinds: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[str, Convert]]:
    for name in names:
        convert = converter(kinds.get(name, Any))
        if convert is not None:
            yield name, convert


def resolved(annotation: Any, owner: type) -> Any:
    """The type of an annotation; Any for one that cannot be resolved, which breaks nothing."""
    try:
        return resolve_in_class(annotation, owner)
    except Exception:  # noqa: BLE001 - an annotation is an expression of the user's
        return Any
