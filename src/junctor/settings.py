"""Typed settings of a service: declared with :func:`setting`, read from text or values, bounded, secret where needed.

A setting is explicit. ``limit: float = setting(80.0)`` is one, ``limit: float = 80.0`` stays an ordinary attribute.
"""

from __future__ import annotations

import datetime
import enum
import functools
import hmac
import math
import pathlib
import re
import sys
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, Union

import msgspec

from junctor.clock import parse_duration
from junctor.errors import SettingError, nearest

__all__ = ("MISSING", "Duration", "Secret", "Setting", "convert", "kind_name", "read_settings", "setting")

_DURATION = "junctor-duration"
Duration = Annotated[float, _DURATION]
"""Seconds as a float; also read from ``"200ms"``, ``"2s"``, ``"1h30m"``."""


class Missing(enum.Enum):
    """The default of a setting that must be given."""

    MISSING = "must be given"


MISSING = Missing.MISSING


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


class Bounds(msgspec.Struct, frozen=True):
    """What a value may be; each is None where it does not bound anything. Seconds for durations."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    choices: tuple[Any, ...] | None = None

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, as the end of a sentence that begins with it."""
        if isinstance(value, float) and not math.isfinite(value):
            return "is not a finite number"
        if self.choices is not None and value not in self.choices:
            return "is not one of the choices"
        return self._number(value) or self._text(value)

    def _number(self, value: Any) -> str | None:
        number = value.total_seconds() if isinstance(value, datetime.timedelta) else value
        if self.ge is not None and number < self.ge:
            return f"is below the minimum of {self.ge:g}"
        if self.gt is not None and number <= self.gt:
            return f"is not above {self.gt:g}"
        if self.le is not None and number > self.le:
            return f"is above the maximum of {self.le:g}"
        if self.lt is not None and number >= self.lt:
            return f"is not below {self.lt:g}"
        return None

    def _text(self, value: Any) -> str | None:
        text = value.reveal() if isinstance(value, Secret) else value
        if self.min_length is not None and len(text) < self.min_length:
            return f"is shorter than {self.min_length}"
        if self.max_length is not None and len(text) > self.max_length:
            return f"is longer than {self.max_length}"
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return f"does not match {self.pattern}"
        return None

    def fix(self, value: Any, unit: str) -> str:
        """The sentence that says what to give instead; empty when only the length or the pattern is bounded."""
        if self.choices is not None:
            return _choose(value, self.choices)
        span = self._span()
        return f"Give {span} {unit}".rstrip() + "." if span else ""

    def _span(self) -> str:
        low = f"from {self.ge:g}" if self.ge is not None else f"above {self.gt:g}" if self.gt is not None else ""
        if low and self.le is not None:
            return f"a number {low} to {self.le:g}" if self.ge is not None else f"a number {low}, up to {self.le:g}"
        if low and self.lt is not None:
            return f"a number {low}, below {self.lt:g}"
        if self.ge is not None:
            return f"{self.ge:g} or more"
        if self.gt is not None:
            return f"more than {self.gt:g}"
        if self.le is not None:
            return f"at most {self.le:g}"
        return f"less than {self.lt:g}" if self.lt is not None else ""


class Setting:
    """The declaration of one setting. As a class attribute it answers with its default where no value was given."""

    def __init__(self, default: Any, bounds: Bounds, *, unit: str = "", doc: str = "", secret: bool = False) -> None:
        self.name = ""
        self.default = default
        self.bounds = bounds
        self.unit = unit
        self.doc = doc
        self.secret = secret

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        """The default, for an instance that holds no value of its own; the declaration itself, for the class."""
        if instance is None:
            return self
        if self.default is MISSING:
            raise _missing(f"{type(instance).__name__}.{self.name}", self.name)
        return self.default

    def read(self, value: Any, kind: Any, where: str) -> Any:
        """The value as the declared type ``kind``, within the bounds.

        :param value: a value, or text from a file, the environment or a command line.
        :param where: the place for errors, for example ``alarm.limit (flow.yaml:12)``.
        :raises SettingError: it does not fit; a secret value is not shown.
        """
        if isinstance(value, Secret) and not _wants_secret(kind):
            value = value.reveal()
        try:
            read = convert(value, kind)
        except (ValueError, TypeError, OverflowError) as error:
            shown = "***" if self.hidden(kind) else _show(value)
            what = f"expected {kind_name(kind)}, got {shown}"
            raise SettingError(what, where=where, fix=self._fix(kind, value)) from (
                None if self.hidden(kind) else error
            )
        self._check(read, kind, where)
        return read

    def hidden(self, kind: Any) -> bool:
        """Whether the value must not show."""
        return self.secret or _wants_secret(kind)

    def _fix(self, kind: Any, value: Any) -> str:
        words = self.bounds.choices or _words(kind)
        if words:
            return _choose(value, words)
        return _example(kind, None if self.default is MISSING or self.hidden(kind) else self.default)

    def _check(self, value: Any, kind: Any, where: str) -> None:
        try:
            problem = None if value is None else self.bounds.problem(value)
        except TypeError:
            problem = f"has no bounds of this kind: {kind_name(kind)}"
        if problem is None:
            return
        shown = "***" if self.hidden(kind) else _show(value)
        fix = self.bounds.fix(value, self.unit) or (f"{self.doc.rstrip('.')}." if self.doc else None)
        raise SettingError(f"{shown} {problem}", where=where, fix=fix)


def setting(
    default: Any = MISSING,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    choices: Collection[Any] | None = None,
    unit: str = "",
    doc: str = "",
    secret: bool = False,
) -> Any:
    """Declare a setting of a service: ``limit: float = setting(80.0, ge=0, le=100, unit="percent")``.

    :param default: the value when none is given, itself converted (``setting("2s")`` for a :data:`Duration`);
        without it the setting must be given.
    :param ge: at least, ``gt``: above, ``le``: at most, ``lt``: below. Seconds for durations.
    :param min_length: bounds of the length of text, lists and mappings, with ``max_length``.
    :param pattern: a regular expression that the whole text must match.
    :param choices: the only values allowed.
    :param unit: shown with the value, for example ``percent``.
    :param doc: what the setting means, in a sentence.
    :param secret: never show the value; implied by the type :class:`Secret`.
    :raises SettingError: the pattern is no regular expression.
    """
    if pattern is not None:
        _readable_pattern(pattern)
    listed = None if choices is None else tuple(choices)
    bounds = Bounds(ge, gt, le, lt, min_length, max_length, pattern, listed)
    return Setting(default, bounds, unit=unit, doc=doc, secret=secret)


def _readable_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError, OverflowError) as error:
        # Not at `__set_name__`, which knows the name: Python 3.11 hides what it raises behind a RuntimeError.
        code, line = (frame := sys._getframe(2)).f_code, frame.f_lineno
        raise SettingError(
            f"the pattern {pattern!r} is no regular expression: {error}",
            where=f"{code.co_qualname.rpartition('<locals>.')[2]} ({pathlib.PurePath(code.co_filename).name}:{line})",
            fix="Correct it; a bracket that is meant as itself has a backslash in front.",
        ) from error


def read_settings(
    declared: Mapping[str, tuple[Setting, Any]],
    given: Mapping[str, Any],
    service: str,
    *,
    others: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
    in_flow: bool = False,
) -> dict[str, Any]:
    """All settings of a service: given values and defaults, converted and checked.

    :param declared: name to declaration and type.
    :param service: the name shown in errors.
    :param others: attributes of the class that are not settings, each with what to do instead.
    :param places: where a value was written, for example ``flow.yaml:12``, by setting.
    :param in_flow: ``service`` is a name in a flow, so that the command line can give what is missing.
    :raises SettingError: one is unknown, missing or wrong.
    """
    places = places or {}

    def where(name: str) -> str:
        return f"{service}.{name} ({places[name]})" if name in places else f"{service}.{name}"

    for name in given:
        if name not in declared:
            raise _unknown(where(name), name, declared, others or {})
    values: dict[str, Any] = {}
    for name, (setting, kind) in declared.items():
        value = given.get(name, setting.default)
        if value is MISSING:
            raise _missing(where(name), name, f"--set {service}.{name}=..., or in the code " if in_flow else "")
        # None as a default stands for "not given", whatever the type.
        values[name] = None if value is None and setting.default is None else setting.read(value, kind, where(name))
    return values


def _missing(where: str, name: str, option: str = "") -> SettingError:
    return SettingError("is missing and has no default", where=where, fix=f"Give it a value: {option}{name}=...")


def _unknown(where: str, name: str, declared: Iterable[str], others: Mapping[str, str]) -> SettingError:
    if name in others:
        return SettingError("is not a setting", where=where, fix=others[name])
    return SettingError("there is no such setting", where=where, fix=nearest(name, declared).strip() or "Leave it out.")


# Conversion ---------------------------------------------------------------------------------------------------

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def convert(value: Any, kind: Any) -> Any:
    """A value, or text, as the declared type.

    Text becomes booleans (``yes``/``no``), numbers, durations, paths, members of an enum by value or name, lists
    (``a, b`` or JSON) and, from JSON, mappings and classes with fields.

    :raises ValueError: it does not fit.
    """
    optional, kind = _optional(kind)
    if kind is Any:
        return value
    if optional and (value is None or value == ""):
        return None
    if _is_duration(kind) or (kind is datetime.timedelta and isinstance(value, (str, int, float))):
        seconds = parse_duration(value)
        return datetime.timedelta(seconds=seconds) if kind is datetime.timedelta else seconds
    if kind is bool and isinstance(value, str):
        return _boolean(value)
    if isinstance(kind, type) and kind not in _SCALARS and isinstance(value, kind):
        return value
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
    if issubclass(kind, (Secret, pathlib.PurePath)):
        if not isinstance(value, str):
            raise TypeError(f"expected text, got {type(value).__name__}")
        return kind(value)
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    if isinstance(value, kind):
        return value
    raise TypeError(f"expected {kind.__name__}")


def _optional(kind: Any) -> tuple[bool, Any]:
    """Whether None is allowed, and the type without it when one other remains."""
    if typing.get_origin(kind) not in (Union, types.UnionType):
        return kind is None or kind is type(None), kind
    # The metadata of a Duration is lost in `Duration | None` on no supported Python; only None is taken out.
    rest = [part for part in typing.get_args(kind) if part is not type(None)]
    optional = len(rest) < len(typing.get_args(kind))
    return optional, functools.reduce(lambda left, right: left | right, rest)


def _is_duration(kind: Any) -> bool:
    return typing.get_origin(kind) is Annotated and _DURATION in typing.get_args(kind)


def _wants_secret(kind: Any) -> bool:
    return _optional(kind)[1] is Secret


def kind_name(kind: Any) -> str:
    """The type as a user would say it: ``float``, ``duration``, ``list[str]``."""
    optional, kind = _optional(kind)
    if _is_duration(kind) or kind is datetime.timedelta:
        name = "duration"
    elif typing.get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        name = "one of the choices"
    else:
        name = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
    return f"{name.replace('typing.', '')} or nothing" if optional else name.replace("typing.", "")


def _words(kind: Any) -> tuple[Any, ...]:
    kind = _optional(kind)[1]
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(member.value for member in kind)
    return ("true", "false") if kind is bool else ()


def _choose(value: Any, words: Iterable[Any]) -> str:
    listed = [str(word) for word in words]
    close = nearest(str(value), listed)
    return f"{close if close.startswith('Did') else ''}Give one of: {', '.join(listed)}."


def _example(kind: Any, default: Any) -> str:
    kind = _optional(kind)[1]
    if kind in (int, float):
        return f"Give a number, for example {default if isinstance(default, (int, float)) else 1:g}."
    if _is_duration(kind) or kind is datetime.timedelta:
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
    kind = _optional(kind)[1]
    base, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if words := _words(kind):
        return words[0]
    if _is_duration(kind) or kind is datetime.timedelta:
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


def _show(value: Any) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return f'"{text}"' if isinstance(value, str) else text
