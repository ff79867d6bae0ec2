"""A module of version 3."""

from junctor.dialects.iop.components import BusinessProcess as _BusinessProcess

__all__ = ("_BusinessProcess",)
