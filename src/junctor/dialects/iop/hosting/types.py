"""The message classes that a component's code knows: what it sends, gets and answers without saying so."""

from __future__ import annotations

import inspect
import os
import sys
import types
import typing
from collections.abc import Iterator
from typing import Any

from junctor.messages.custom import codec_of
from junctor.messages.types import is_body_class

__all__ = ("is_message_class", "known_types")


def is_message_class(cls: Any) -> bool:
    """Whether objects of a class can be sent: messages of the dialect, and models of pydantic."""
    if not isinstance(cls, type) or not is_body_class(cls):
        return False
    return codec_of(cls) is not None or hasattr(cls, "__pydantic_fields__")


def known_types(component: type) -> tuple[type, ...]:
    """The message classes in the module of a component, in the modules of the same project that it imports, and in the
    annotations of its methods; of base classes too."""
    found: dict[type, None] = {}
    for base in component.__mro__:
        module = sys.modules.get(base.__module__)
        if module is None or base.__module__.startswith("junctor."):
            continue
        for part in (module, *_imported(module)):
            found |= dict.fromkeys(_messages_in(part))
        found |= dict.fromkeys(_annotated(base))
    return tuple(found)


def _imported(module: types.ModuleType) -> Iterator[types.ModuleType]:
    """The modules that it imports as a whole, of the same project: ``import msg``."""
    folder = _folder(module)
    for value in list(vars(module).values()):
        if isinstance(value, types.ModuleType) and folder and _folder(value).startswith(folder):
            yield value


def _folder(module: types.ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.dirname(file) if isinstance(file, str) else ""


def _messages_in(module: types.ModuleType) -> Iterator[type]:
    for value in list(vars(module).values()):
        if is_message_class(value) and not inspect.isabstract(value) and not value.__module__.startswith("junctor."):
            yield value


def _annotated(cls: type) -> Iterator[type]:
    for function in vars(cls).values():
        if not inspect.isfunction(function):
            continue
        try:
            hints = typing.get_type_hints(function)
        except Exception:  # noqa: BLE001 - an annotation of a user may raise anything; dispatch tells of it
            continue
        yield from (hint for hint in hints.values() if is_message_class(hint))
