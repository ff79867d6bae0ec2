"""A module of version 3."""

from junctor.dialects.iop.messages import PickleMessage as _PickleMessage

__all__ = ("_PickleMessage",)
