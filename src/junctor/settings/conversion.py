"""From text or plain values to declared types, and how a type is told to a user."""

from __future__ import annotations

import datetime
import enum
import functools
import pathlib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union

import msgspec

from junctor.clock import parse_duration
from junctor.errors import nearest
from junctor.settings.values import DURATION, Secret

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def convert(value: Any, kind: Any) -> Any:
    """A value, or text, as the declared type.

    Text becomes booleans (``yes``/``no``), numbers, durations, paths, members of an enum by value or name, lists
    (``a, b`` or JSON) and, from JSON, mappings and classes with fields.

    :raises ValueError: it does not fit.
    """
    optional, kind = without_none(kind)
    if kind is Any:
        return value
    if optional and (value is None or value == ""):
        return None
    if is_duration(kind) or (kind is datetime.timedelta and isinstance(value, (str, int, float))):
        seconds = parse_duration(value)
        return datetime.timedelta(seconds=seconds) if kind is datetime.timedelta else seconds
    if kind is bool and isinstance(value, str):
        return _boolean(value)
    if isinstance(kind, type) and kind not in _SCALARS and isinstance(value, kind):
        return value
    if is_written_as_text(kind) and isinstance(value, str):
        return kind.from_text(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum) and isinstance(value, str) and value in kind.__members__:
        return kind[value]
    return msgspec.convert(_parsed(value, kind), kind, strict=False, dec_hook=_other)


_SCALARS = (bool, int, float, str, list, dict, tuple, set, frozenset, bytes)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(f"{text!r} is neither true nor false")
    return word in _TRUE


def _parsed(value: Any, kind: Any) -> Any:
    """Text for something with parts is JSON, or for a list, words between commas."""
    base = typing.get_origin(kind) or kind
    if not isinstance(value, str) or not isinstance(base, type) or base in (str, bytes):
        return value
    if issubclass(base, (list, tuple, set, frozenset)) and not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    if value.lstrip().startswith(("[", "{")):
        return msgspec.json.decode(value)
    return value


def _other(kind: type, value: Any) -> Any:
    if isinstance(value, Secret) and issubclass(kind, Secret):
        return value
    if issubclass(kind, (Secret, pathlib.PurePath)):
        if not isinstance(value, str):
            raise TypeError(f"expected text, got {type(value).__name__}")
        return kind(value)
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    if isinstance(value, kind):
        return value
    if is_written_as_text(kind):
        if not isinstance(value, str):
            raise TypeError(f"expected text, got {type(value).__name__}")
        return kind.from_text(value)  # type: ignore[attr-defined]
    raise TypeError(f"expected {kind.__name__}")


def is_written_as_text(kind: Any) -> bool:
    """Whether the class reads itself from text: it has a ``from_text(text)``."""
    return isinstance(kind, type) and callable(getattr(kind, "from_text", None))


def without_none(kind: Any) -> tuple[bool, Any]:
    """Whether None is allowed, and the type without it when one other remains."""
    if typing.get_origin(kind) not in (Union, types.UnionType):
        return kind is None or kind is type(None), kind
    # The metadata of a Duration is lost in `Duration | None` on no supported Python; only None is taken out.
    rest = [part for part in typing.get_args(kind) if part is not type(None)]
    optional = len(rest) < len(typing.get_args(kind))
    return optional, functools.reduce(lambda left, right: left | right, rest)


def is_duration(kind: Any) -> bool:
    """Whether the type is :data:`Duration`."""
    return typing.get_origin(kind) is Annotated and DURATION in typing.get_args(kind)


def wants_secret(kind: Any) -> bool:
    """Whether the type is :class:`Secret`."""
    return without_none(kind)[1] is Secret


def mentions_secret(kind: Any) -> bool:
    """Whether :class:`Secret` is part of the type."""
    return kind is Secret or any(map(mentions_secret, typing.get_args(kind)))


def kind_name(kind: Any) -> str:
    """The type as a user would say it: ``float``, ``duration``, ``list[str]``."""
    optional, kind = without_none(kind)
    if is_duration(kind) or kind is datetime.timedelta:
        name = "duration"
    elif typing.get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        name = "one of the choices"
    else:
        name = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else _composed(kind)
    return f"{name} or nothing" if optional else name


def _composed(kind: Any) -> str:
    """``dict[str, Expression]``: classes without their modules, which say nothing to who writes a value."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType or not isinstance(origin, type) or not all(map(_has_name, parts)):
        return str(kind).replace("typing.", "")
    return f"{origin.__name__}[{', '.join(map(_part_name, parts))}]"


def _has_name(part: Any) -> bool:
    return part is Ellipsis or isinstance(part, type) or typing.get_origin(part) is not None


def _part_name(part: Any) -> str:
    if typing.get_origin(part) is Literal:
        return " | ".join(map(str, typing.get_args(part)))
    return "..." if part is Ellipsis else kind_name(part)


def words_of(kind: Any) -> tuple[Any, ...]:
    """The words that a type has: of a Literal, an Enum, a boolean."""
    kind = without_none(kind)[1]
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(member.value for member in kind)
    return ("true", "false") if kind is bool else ()


def choose(value: Any, words: Iterable[Any]) -> str:
    """The fix that lists words, the nearest first."""
    listed = [str(word) for word in words]
    close = nearest(str(value), listed)
    return f"{close if close.startswith('Did') else ''}Give one of: {', '.join(listed)}."


def example_of(kind: Any, default: Any) -> str:
    """The fix that shows a value of the type."""
    kind = without_none(kind)[1]
    if kind in (int, float):
        return f"Give a number, for example {default if isinstance(default, (int, float)) else 1:g}."
    if is_duration(kind) or kind is datetime.timedelta:
        return 'Give a number of seconds or a text like "200ms", "2s", "1h30m".'
    if kind in (str, Secret) or (isinstance(kind, type) and issubclass(kind, pathlib.PurePath)):
        return "Give a text; in a file, put it in quotes."
    base = typing.get_origin(kind) or kind
    if isinstance(base, type) and issubclass(base, (list, tuple, set, frozenset)):
        sample = _sample(kind)
        text = f"text {', '.join(map(str, sample))} or as " if isinstance(sample[0], (str, int)) else ""
        return f"Give a list, as {text}JSON {_quoted(sample)}."
    return f"Give JSON that fits {kind_name(kind)}, for example {_quoted(_sample(kind))}."


def _quoted(sample: Any) -> str:
    """JSON as it is typed in a shell."""
    return f"'{msgspec.json.encode(sample, enc_hook=str).decode()}'"


def _sample(kind: Any) -> Any:
    """JSON values of the shape of a type, to show how it is written."""
    kind = without_none(kind)[1]
    base, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if words := words_of(kind):
        return words[0]
    if is_duration(kind) or kind is datetime.timedelta:
        return "2s"
    if not isinstance(base, type) or base in (str, Secret) or issubclass(base, pathlib.PurePath):
        return "a"
    if issubclass(base, (int, float)):
        return 1
    if issubclass(base, (list, tuple, set, frozenset)):
        first = _sample(parts[0] if parts else str)
        return {"1": [1, 2], "a": ["a", "b"]}.get(str(first), [first])
    if issubclass(base, Mapping):
        return {"name": _sample(parts[1]) if len(parts) == 2 else "a"}
    try:
        return {name: _sample(hint) for name, hint in typing.get_type_hints(base, include_extras=True).items()}
    except (NameError, TypeError, RecursionError):
        return {}


def show(value: Any) -> str:
    """A value as errors show it."""
    text = str(value) if isinstance(value, str) else repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return f'"{text}"' if isinstance(value, str) else text
