"""A module of version 3."""

from junctor.dialects.iop.components.camel import CamelHost as _BusinessHost

__all__ = ("_BusinessHost",)
