"""A module of version 3."""

from junctor.dialects.iop.components import InboundAdapter as _InboundAdapter

__all__ = ("_InboundAdapter",)
