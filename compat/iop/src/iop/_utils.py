"""A module of version 3."""

from junctor.dialects.iop.migration import Utils as _Utils

__all__ = ("_Utils",)
