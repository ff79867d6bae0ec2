"""The declaration of a setting: its default, its bounds, and how a value is read."""

from __future__ import annotations

import datetime
import math
import pathlib
import re
import sys
import typing
from collections.abc import Collection
from typing import Annotated, Any

import msgspec

from junctor.errors import ConfigurationError, SettingError
from junctor.settings.conversion import (
    choose,
    convert,
    example_of,
    kind_name,
    mentions_secret,
    show,
    wants_secret,
    words_of,
)
from junctor.settings.values import MISSING, Secret
from junctor.settings.written import Leaf, Misread, Node, Series, Table, fitting, holds_secret


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
            return choose(value, self.choices)
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


def bounded(kind: Any) -> tuple[Any, Bounds | None]:
    """The type and the bounds of ``Annotated[int, Bounds(ge=1)]``; None for a type without bounds."""
    if typing.get_origin(kind) is Annotated:
        found = next((part for part in typing.get_args(kind)[1:] if isinstance(part, Bounds)), None)
        if found is not None:
            return typing.get_args(kind)[0], found
    return kind, None


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
            raise missing(f"{type(instance).__name__}.{self.name}", self.name)
        return self.default

    def read(self, value: Any, kind: Any, where: str) -> Any:
        """The value as the declared type ``kind``, within the bounds.

        :param value: a value, or text from a file, the environment or a command line.
        :param where: the place for errors, for example ``alarm.limit (flow.yaml:12)``.
        :raises SettingError: it does not fit; a secret value is not shown.
        """
        if isinstance(value, Leaf | Table | Series):
            value = self._from_file(value, kind, where)
        if isinstance(value, Secret) and not wants_secret(kind):
            value = value.reveal()
        elif self.secret and not mentions_secret(kind):
            value = _revealed(value)
        try:
            read = convert(value, kind)
        except ConfigurationError as error:  # of a type that reads itself from text
            raise SettingError(error.what, where=where, fix=error.fix) from None
        except (ValueError, TypeError, OverflowError) as error:
            shown = "***" if self.hidden(kind) else show(value)
            what = f"expected {kind_name(kind)}, got {shown}"
            cause = None if self.hidden(kind) or not _by_users_code(error) else error
            raise SettingError(what, where=where, fix=self._fix(kind, value)) from cause
        self._check(read, kind, where)
        return read

    def _from_file(self, value: Node, kind: Any, where: str) -> Any:
        """What the file says, as plain values; refused where YAML reads a word in another way than it looks."""
        if holds_secret(value) and not self.hidden(kind) and not mentions_secret(kind):
            raise SettingError(
                "a secret is given to a setting that would show it",
                where=where,
                fix=f"Declare the setting with setting(secret=True): {self.name}.",
            )
        try:
            return fitting(value, kind)
        except Misread as error:
            if self.hidden(kind):
                raise SettingError("the text is not in quotes", where=where, fix="Put it in quotes.") from None
            raise SettingError(error.what, where=where, fix=error.fix) from None

    def hidden(self, kind: Any) -> bool:
        """Whether the value must not show."""
        return self.secret or wants_secret(kind)

    def _fix(self, kind: Any, value: Any) -> str:
        words = self.bounds.choices or words_of(kind)
        if words:
            return choose(value, words)
        return example_of(kind, None if self.default is MISSING or self.hidden(kind) else self.default)

    def _check(self, value: Any, kind: Any, where: str) -> None:
        try:
            problem = None if value is None else self.bounds.problem(value)
        except TypeError:
            problem = f"has no bounds of this kind: {kind_name(kind)}"
        if problem is None:
            return
        shown = "***" if self.hidden(kind) else show(value)
        fix = self.bounds.fix(value, self.unit) or (f"{self.doc.rstrip('.')}." if self.doc else None)
        raise SettingError(f"{shown} {problem}", where=where, fix=fix)


def _revealed(value: Any) -> Any:
    """A list or mapping with the texts of secrets in it, as types have them that know nothing of secrets."""
    if isinstance(value, dict):
        return {name: _revealed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_revealed(part) for part in value]
    return value.reveal() if isinstance(value, Secret) else value


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


def missing(where: str, name: str, option: str = "") -> SettingError:
    """The error for a setting that has no value."""
    return SettingError("is missing and has no default", where=where, fix=f"Give it a value: {option}{name}=...")


_OURS = str(pathlib.Path(__file__).parents[1])


def _by_users_code(error: BaseException) -> bool:
    """Whether code outside of Junctor raised it, a class of the user's: what our own found is in our own words."""
    following: BaseException | None = error
    while following is not None:
        trace = following.__traceback__
        while trace is not None:
            if not trace.tb_frame.f_code.co_filename.startswith(_OURS):
                return True
            trace = trace.tb_next
        following = following.__cause__ or following.__context__
    return False
