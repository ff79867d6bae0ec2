"""A marked function, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from junctor.core.spec import Bind
from junctor.errors import ConfigurationError
from junctor.services.markers import Mark, place_of

_ASYNCHRONOUS = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A marked function of a class or module. ``owner`` is the class, None for a module."""

    name: str
    function: Callable[..., Any]
    marks: tuple[Mark, ...]
    bind: Bind
    owner: type | None = None

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    def wrong(self, what: str, fix: str) -> ConfigurationError:
        return ConfigurationError(what, where=place_of(self.function), fix=fix)


def is_blocking(function: Callable[..., Any]) -> bool:
    """Whether it runs in a thread: it is not a coroutine function or asynchronous generator, and wraps none."""
    inner = inspect.unwrap(function)
    return not (inspect.iscoroutinefunction(function) or any(made(inner) for made in _ASYNCHRONOUS))
