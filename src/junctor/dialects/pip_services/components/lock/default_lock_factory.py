"""Locks by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.lock.memory_lock import MemoryLock
from junctor.dialects.pip_services.components.lock.null_lock import NullLock


class DefaultLockFactory(Factory):
    """``pip-services:lock:null`` and ``memory``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("null", NullLock), ("memory", MemoryLock)):
            self.register_as_type(Descriptor("pip-services", "lock", kind, "*", "1.0"), cls)
