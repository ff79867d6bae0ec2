"""State stores."""

from junctor.dialects.pip_services.components.state.default_state_store_factory import DefaultStateStoreFactory
from junctor.dialects.pip_services.components.state.interfaces import IStateStore, StateValue
from junctor.dialects.pip_services.components.state.memory_state_store import MemoryStateStore, StateEntry
from junctor.dialects.pip_services.components.state.null_state_store import NullStateStore

__all__ = (
    "DefaultStateStoreFactory",
    "IStateStore",
    "MemoryStateStore",
    "NullStateStore",
    "StateEntry",
    "StateValue",
)
