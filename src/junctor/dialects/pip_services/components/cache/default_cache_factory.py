"""Caches by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.cache.memory_cache import MemoryCache
from junctor.dialects.pip_services.components.cache.null_cache import NullCache


class DefaultCacheFactory(Factory):
    """``pip-services:cache:null`` and ``memory``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("null", NullCache), ("memory", MemoryCache)):
            self.register_as_type(Descriptor("pip-services", "cache", kind, "*", "1.0"), cls)
