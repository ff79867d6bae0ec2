"""A module of version 3."""

from junctor.dialects.iop.components import Component as _Common

__all__ = ("_Common",)
