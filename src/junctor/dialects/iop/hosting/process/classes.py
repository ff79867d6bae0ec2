"""The classes that an attribute of a process may be of: those that its project knows, by name."""

from __future__ import annotations

import dataclasses
import enum
import os
import sys
import types
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from junctor.dialects.iop.messages import key_of
from junctor.messages import MessageType, type_name
from junctor.messages.types import is_body_class


class Classes:
    """Names of classes, and classes by their names. A name only chooses among what the code of the project has loaded
    by itself: nothing is imported because something stored says so.

    :param named: the message type of a name in the flow.
    """

    def __init__(self, component: type, named: Callable[[str], MessageType | None]) -> None:
        self._component = component
        self._named = named

    def name_of(self, cls: type) -> str | None:
        """The name under which :meth:`named` finds the class; None where it would not."""
        own = key_of(cls)
        if self._known.get(own) is cls:
            return own
        name = type_name(cls)
        return name if self._in_flow(name) is cls else None

    def named(self, name: str) -> type | None:
        """The class of this name; None where nobody knows it any more."""
        return self._known.get(name) or self._in_flow(name)

    def _in_flow(self, name: str) -> type | None:
        kind = self._named(name)
        return kind.cls if kind is not None and isinstance(kind.cls, type) else None

    @cached_property
    def _known(self) -> dict[str, type]:
        return {key_of(cls): cls for cls in reversed(list(_classes_of(self._component)))}


def _classes_of(component: type) -> Iterator[type]:
    """Data classes, models and enumerations in the modules of a component and in those of its project that they
    know."""
    roots = [sys.modules.get(base.__module__) for base in component.__mro__]
    waiting = [root for root in roots if root is not None and not _is_ours(root)]
    folders = tuple({folder for root in waiting if (folder := _folder(root))})
    seen: set[types.ModuleType] = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for value in list(vars(module).values()):
            if isinstance(value, type) and _is_data(value):
                yield value
                value = sys.modules.get(value.__module__)
            if isinstance(value, types.ModuleType) and folders and _folder(value).startswith(folders):
                waiting.append(value)


def _is_data(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls) or issubclass(cls, enum.Enum) or is_body_class(cls)


def _is_ours(module: types.ModuleType) -> bool:
    return module.__name__.startswith("junctor.") or module.__name__ == "builtins"


def _folder(module: types.ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.dirname(file) if isinstance(file, str) else ""
