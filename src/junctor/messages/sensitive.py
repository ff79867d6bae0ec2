"""Fields that nobody who operates a node should read: marked at the type, masked wherever a message is shown.

A handler gets the plain value, and the store keeps it: it must be handled, and sent again. What shows messages
goes by the paths that are found here, once a type.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import msgspec

from junctor.messages import codec

T = TypeVar("T")

Path = tuple[str | int, ...]
"""How to get to a sensitive value: names of fields, places in a tuple, :data:`EACH`, :data:`DEEP`. The empty path is
the whole body."""

EACH = "*"
"""Every element of a list, every value of a mapping."""

DEEP = "**"
"""Any number of steps: a type within itself."""

MASK = "***"

if TYPE_CHECKING:
    Sensitive = Annotated[T, "sensitive"]
else:

    class Sensitive:
        """Marks a field of a body whose value operators must not see: ``card: Sensitive[str]``, which is the same as
        ``card: Annotated[str, Sensitive]``.

        The value itself stays what its type says. Where messages are shown, it is ``***``, 0, false, or empty.
        """

        def __class_getitem__(cls, kind: Any) -> Any:
            return Annotated[kind, cls]


def sensitive_paths(cls: Any) -> tuple[Path, ...]:
    """The paths of the marked fields of a body type, nested ones included."""
    finder = _Finder()
    finder.visit(cls, (), {})
    return tuple(sorted(finder.paths(), key=str))


def sensitive_parameters(signature: Callable[..., Any]) -> dict[str, tuple[Path, ...]]:
    """The parameters of a route or action with something sensitive, and where it is in them."""
    try:
        hints = typing.get_type_hints(signature, include_extras=True)
    except Exception:  # noqa: BLE001 - of another framework, or made by a user: then nothing is known of it
        return {}
    found = {name: sensitive_paths(hint) for name, hint in hints.items() if name != "return"}
    return {name: paths for name, paths in found.items() if paths}


class _Finder:
    """Walks through a type. ``_found`` are the marked places; ``_again`` those where a type comes that is open already,
    with the place where it was opened."""

    def __init__(self) -> None:
        self._found: set[Path] = set()
        self._again: set[tuple[Path, Path]] = set()

    def paths(self) -> set[Path]:
        within = {
            (*place, DEEP, *found[len(opened) :])
            for place, opened in self._again
            for found in self._found
            if found[: len(opened)] == opened
        }
        return self._found | within

    def visit(self, kind: Any, path: Path, opened: Mapping[Any, Path]) -> None:
        kind, marked = _unwrapped(kind)
        if marked:
            self._found.add(path)
            return
        fields = _fields(kind)
        if fields is not None:
            self._visit_fields(kind, fields, path, opened)
            return
        for step, part in _parts(kind):
            self.visit(part, path if step is None else (*path, step), opened)

    def _visit_fields(
        self, kind: Any, fields: Iterable[tuple[str | int, Any]], path: Path, opened: Mapping[Any, Path]
    ) -> None:
        key = repr(kind) if typing.get_origin(kind) else kind
        if key in opened:
            self._again.add((path, opened[key]))
            return
        for step, part in fields:
            self.visit(part, (*path, step), {**opened, key: path})


_WRAPPERS = ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar")


def _unwrapped(kind: Any) -> tuple[Any, bool]:
    """The type below ``Annotated``, aliases and qualifiers, and whether it was marked on the way."""
    while True:
        origin = typing.get_origin(kind)
        if origin is Annotated:
            inner, *notes = typing.get_args(kind)
            if any(note is Sensitive for note in notes):
                return inner, True
            kind = inner
        elif isinstance(kind, str):
            return kind, "Sensitive" in kind  # nobody could resolve it
        elif getattr(origin, "_name", None) in _WRAPPERS:
            kind = typing.get_args(kind)[0]
        elif hasattr(kind, "__supertype__") or (type(kind).__name__ == "TypeAliasType" and hasattr(kind, "__value__")):
            kind = getattr(kind, "__supertype__", None) or kind.__value__
        else:
            return kind, False


def _parts(kind: Any) -> Iterator[tuple[str | int | None, Any]]:
    """The types within a plain one: of a union under the same path, of a container one step further."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        yield from ((None, part) for part in parts)
    elif origin is tuple and not (len(parts) == 2 and parts[1] is Ellipsis):
        yield from enumerate(parts)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        key, value = parts if len(parts) == 2 else (Any, Any)
        yield None if _unwrapped(key)[1] else EACH, _marked() if _unwrapped(key)[1] else value
    elif isinstance(origin, type):
        yield from ((EACH, part) for part in parts if part is not Ellipsis)


def _marked() -> Any:
    return Annotated[Any, Sensitive]


def _fields(kind: Any) -> list[tuple[str | int, Any]] | None:
    """The fields of a class as JSON names them, with their types; None for what has none."""
    cls = typing.get_origin(kind) or kind
    if not isinstance(cls, type):
        return None
    if codec.is_pydantic(cls):
        return list(_pydantic_fields(cls))
    steps = _steps(cls)
    if steps is None:
        return None
    hints = _hints(cls)
    filled = dict(zip(getattr(cls, "__parameters__", ()), typing.get_args(kind), strict=False))
    return [(step, _filled(hints[name], filled)) for name, step in steps.items() if name in hints]


def _steps(cls: type) -> Mapping[str, str | int] | None:
    """The name of each field, and how its value is found in the JSON."""
    if issubclass(cls, msgspec.Struct):
        config = cls.__struct_config__
        if config.array_like:
            first = int(config.tag is not None)
            return {name: first + place for place, name in enumerate(cls.__struct_fields__)}
        return dict(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))
    if dataclasses.is_dataclass(cls):
        return {field.name: field.name for field in dataclasses.fields(cls)}
    if hasattr(cls, "__attrs_attrs__"):
        return {field.name: field.name for field in cls.__attrs_attrs__}
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return {name: place for place, name in enumerate(cls._fields)}
    if issubclass(cls, dict) and hasattr(cls, "__total__"):
        return {name: name for name in _hints(cls)}
    return None


def _hints(cls: type) -> dict[str, Any]:
    known = {field.name: field.type for field in getattr(cls, "__attrs_attrs__", ())}
    try:
        return {**known, **typing.get_type_hints(cls, include_extras=True)}
    except (NameError, TypeError, AttributeError):
        return {**known, **{name: hint for base in reversed(cls.__mro__) for name, hint in _written(base).items()}}


def _written(cls: type) -> dict[str, Any]:
    return dict(vars(cls).get("__annotations__", {}))


def _filled(hint: Any, arguments: Mapping[Any, Any]) -> Any:
    """The hint of a field of a generic class with its arguments put in."""
    if isinstance(hint, TypeVar) and hint in arguments:
        return arguments[hint]
    open_ones = getattr(hint, "__parameters__", ())
    return hint[tuple(arguments.get(each, Any) for each in open_ones)] if open_ones and arguments else hint


def _pydantic_fields(cls: Any) -> Iterator[tuple[str, Any]]:
    for name, field in cls.model_fields.items():
        kind = _marked() if any(note is Sensitive for note in field.metadata) else field.annotation
        aliases = (field.alias, field.serialization_alias, field.validation_alias)
        yield from ((each, kind) for each in {name, *(alias for alias in aliases if isinstance(alias, str))})


# Values -------------------------------------------------------------------------------------------------------


class Masked(NamedTuple):
    """JSON values with those at sensitive paths masked: where they were, and what was there."""

    value: Any
    places: tuple[str, ...]
    hidden: tuple[Any, ...]


def masked(value: Any, paths: Iterable[Path]) -> Masked:
    """JSON values as operators may see them. What is masked keeps its JSON type; null, which hides nothing, stays."""
    places: list[str] = []
    hidden: list[Any] = []

    def leave_out(place: Path, found: Any) -> Any:
        if found is None:
            return None
        places.append(".".join(map(str, place)) or "body")
        hidden.append(found)
        return blank(found)

    return Masked(_replaced(value, frozenset(paths), (), leave_out), tuple(places), tuple(hidden))


def blank(value: Any) -> Any:
    """What stands for a sensitive value: of its JSON type, and the same for every value."""
    if isinstance(value, str):
        return MASK
    return None if value is None else type(value)()


def restored(edited: Any, original: Any, paths: Iterable[Path]) -> Any:
    """JSON values that were edited in their masked form, with the sensitive values of the original where the mask was
    left as it is.

    :raises ValueError: a list with masked values has another length: nobody knows which belongs where.
    """
    return _restored(edited, original, frozenset(paths), "body")


def _restored(edited: Any, original: Any, rests: frozenset[Path], place: str) -> Any:
    rests = _opened(rests)
    if () in rests:
        return original if edited == blank(original) and type(edited) is type(blank(original)) else edited
    if not rests:
        return edited
    if isinstance(edited, dict) and isinstance(original, dict):
        return {
            name: _restored(part, original[name], _behind(rests, name), f"{place}.{name}") if name in original else part
            for name, part in edited.items()
        }
    if isinstance(edited, list) and isinstance(original, list):
        if len(edited) != len(original):
            raise ValueError(f"{place} had {len(original)} elements with masked values and has {len(edited)} now")
        pairs = enumerate(zip(edited, original, strict=True))
        return [_restored(new, old, _behind(rests, at), f"{place}.{at}") for at, (new, old) in pairs]
    return edited


def _replaced(value: Any, rests: frozenset[Path], place: Path, leave_out: Any) -> Any:
    rests = _opened(rests)
    if () in rests:
        return leave_out(place, value)
    if not rests:
        return value
    if isinstance(value, dict):
        return {name: _replaced(part, _behind(rests, name), (*place, name), leave_out) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, _behind(rests, at), (*place, at), leave_out) for at, part in enumerate(value)]
    return value


def _opened(rests: Collection[Path]) -> frozenset[Path]:
    """With what remains where any number of steps is none."""
    return frozenset(rests) | {rest[1:] for rest in rests if rest and rest[0] == DEEP}


def _behind(rests: Collection[Path], step: str | int) -> frozenset[Path]:
    """What remains of the paths one step further."""
    taken = {rest[1:] for rest in rests if rest and rest[0] in (step, EACH)}
    return frozenset(taken | {rest for rest in rests if rest and rest[0] == DEEP})


def touches(path: Path, sensitive: Path) -> bool:
    """Whether a place is a sensitive one, is within it, or contains it."""
    for step, other in zip(path, sensitive, strict=False):
        if other == DEEP:
            return True
        if other not in (step, EACH):
            return False
    return True
