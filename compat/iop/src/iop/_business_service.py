"""A module of version 3."""

from junctor.dialects.iop.components import BusinessService as _BusinessService

__all__ = ("_BusinessService",)
