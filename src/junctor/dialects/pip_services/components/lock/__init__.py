"""Locks."""

from junctor.dialects.pip_services.components.lock.default_lock_factory import DefaultLockFactory
from junctor.dialects.pip_services.components.lock.interfaces import ILock
from junctor.dialects.pip_services.components.lock.lock import Lock
from junctor.dialects.pip_services.components.lock.memory_lock import MemoryLock
from junctor.dialects.pip_services.components.lock.null_lock import NullLock

__all__ = ("DefaultLockFactory", "ILock", "Lock", "MemoryLock", "NullLock")
