"""A module of version 3."""

from junctor.dialects.iop.messages import Message as _Message

__all__ = ("_Message",)
