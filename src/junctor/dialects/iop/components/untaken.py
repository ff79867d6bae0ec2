"""A message that no method of a component takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from junctor.dialects.iop.components.logging import say
from junctor.dialects.iop.messages import UntypedMessage, is_message_class, key_of

if TYPE_CHECKING:
    from junctor.dialects.iop.components.component import Component


def tell_untaken(component: Component, request: Any) -> None:
    """Warn of it, for the method that calls this; its answer is None."""
    cls = type(component)
    what = f"no method of {cls.__module__}.{cls.__qualname__} takes {_kind(request)}: the answer is None"
    say(component, "Warning", f"{what}. Write a method for it, or on_message for all else", None)


def _kind(request: Any) -> str:
    if isinstance(request, UntypedMessage):
        return "a message whose class is not known here"
    return key_of(type(request)) if is_message_class(type(request)) else "an empty message"
