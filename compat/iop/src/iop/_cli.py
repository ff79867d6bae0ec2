"""A module of version 3."""

from junctor.dialects.iop.cli.main import main

__all__ = ("main",)
