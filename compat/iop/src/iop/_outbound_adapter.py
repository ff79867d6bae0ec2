"""A module of version 3."""

from junctor.dialects.iop.components import OutboundAdapter as _OutboundAdapter

__all__ = ("_OutboundAdapter",)
