"""Messages."""

from junctor.dialects.iop.messages import Message, PersistentMessage, PickleMessage

__all__ = ("Message", "PersistentMessage", "PickleMessage")
