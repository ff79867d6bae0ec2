"""The root of all errors."""

from __future__ import annotations

import re
from typing import Any, ClassVar

_LINE = re.compile(r":\d+\)?$")


_MODULE = "junctor.errors"
"""Where all errors are imported from, and so the module in their names."""


class JunctorError(Exception):
    """Root of every error that Junctor raises on purpose.

    :param what: what is wrong, in one sentence without the final full stop.
    :param where: the place: a service, a setting, a file with its line.
    :param fix: the next step that helps; a class may carry a general one.
    """

    __module__ = _MODULE
    code: ClassVar[str] = "error"
    default_fix: ClassVar[str] = "See the chain of causes above this line."
    status: ClassVar[int] = 500

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if cls.__module__.startswith(f"{_MODULE}."):
            cls.__module__ = _MODULE

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix or self.default_fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what.rstrip('.')}. {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        return (restore, (type(self), self.what, self.where, self.fix))


def has_line(error: JunctorError) -> bool:
    """Whether it says itself in which line of a file it is."""
    return _LINE.search(error.where or "") is not None


def kind_of(code: str) -> type[JunctorError]:
    """The class with a code, to make an error again that came over a wire; the root for a code nobody has."""
    kinds = [JunctorError]
    while kinds:
        kind = kinds.pop()
        if kind.code == code:
            return kind
        kinds += kind.__subclasses__()
    return JunctorError


def restore(kind: type[JunctorError], what: str, where: str | None, fix: str | None) -> JunctorError:
    """An error that came from another process."""
    return kind(what, where=where, fix=fix)
