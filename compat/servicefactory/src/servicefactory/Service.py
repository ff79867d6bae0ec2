"""``Service.base`` and ``Service.API``."""

from junctor.dialects.servicefactory import API, base

__all__ = ("API", "base")
