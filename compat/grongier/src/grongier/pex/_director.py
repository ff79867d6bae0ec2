"""A module of version 3."""

from junctor.dialects.iop.director.director import Director as _Director

__all__ = ("_Director",)
