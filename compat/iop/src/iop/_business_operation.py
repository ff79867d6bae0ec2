"""A module of version 3."""

from junctor.dialects.iop.components import BusinessOperation as _BusinessOperation

__all__ = ("_BusinessOperation",)
