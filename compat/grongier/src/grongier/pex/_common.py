"""A module of version 3."""

from junctor.dialects.iop.components.camel import CamelComponent as _Common

__all__ = ("_Common",)
