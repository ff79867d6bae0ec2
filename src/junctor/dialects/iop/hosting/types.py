"""The message classes that a component's code knows: what it sends, gets and answers without saying so."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from junctor.dialects.iop.messages import is_message_class, messages_of, named
from junctor.services.hints import resolve_in_class

__all__ = ("is_message_class", "known_types")


def known_types(component: type) -> tuple[type, ...]:
    """The message classes in the module of a component, in the modules beside it that it imports, and in the
    annotations of its methods; of base classes too."""
    found: dict[type, None] = {}
    for base in component.__mro__:
        module = sys.modules.get(base.__module__)
        if module is None or base.__module__.startswith("junctor."):
            continue
        found |= dict.fromkeys(messages_of(module))
        found |= dict.fromkeys(_annotated(base))
    return tuple(found)


def _annotated(cls: type) -> Iterator[type]:
    for function in vars(cls).values():
        for written in inspect.get_annotations(function).values() if inspect.isfunction(function) else ():
            try:
                hint = resolve_in_class(written, cls)
            except Exception:  # noqa: BLE001 - an annotation is an expression of a user's; dispatch tells of it
                continue
            if is_message_class(hint):
                yield named(hint)
