"""A message whose class is not known here: a reply read in another process, a dictionary from a web page."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.messages.body import MessageBody


class UntypedMessage(MessageBody, dict[str, Any]):
    """The fields of a message by name: ``message["number"]``, or ``message.number`` where no method of a dictionary has
    that name. It is a dictionary, so a view of Flask may return it."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(self) or "none"
            raise AttributeError(f"the message has no field {name!r}; its fields: {known}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None


def untyped(value: Any) -> Any:
    """JSON values with every object in them as an :class:`UntypedMessage`."""
    if isinstance(value, dict):
        return UntypedMessage({name: untyped(part) for name, part in value.items()})
    return [untyped(part) for part in value] if isinstance(value, list) else value
