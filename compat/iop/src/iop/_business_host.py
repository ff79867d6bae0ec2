"""A module of version 3."""

from junctor.dialects.iop.components import BusinessHost as _BusinessHost

__all__ = ("_BusinessHost",)
