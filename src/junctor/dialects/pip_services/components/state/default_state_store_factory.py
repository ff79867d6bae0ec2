"""State stores by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.state.memory_state_store import MemoryStateStore
from junctor.dialects.pip_services.components.state.null_state_store import NullStateStore


class DefaultStateStoreFactory(Factory):
    """``pip-services:state-store:null`` and ``memory``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("null", NullStateStore), ("memory", MemoryStateStore)):
            self.register_as_type(Descriptor("pip-services", "state-store", kind, "*", "1.0"), cls)
