"""Caches."""

from junctor.dialects.pip_services.components.cache.default_cache_factory import DefaultCacheFactory
from junctor.dialects.pip_services.components.cache.interfaces import ICache
from junctor.dialects.pip_services.components.cache.memory_cache import CacheEntry, MemoryCache
from junctor.dialects.pip_services.components.cache.null_cache import NullCache

__all__ = ("CacheEntry", "DefaultCacheFactory", "ICache", "MemoryCache", "NullCache")
