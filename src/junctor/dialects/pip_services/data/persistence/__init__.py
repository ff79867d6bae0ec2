"""Persistences: items in memory, and the same with a JSON file behind them."""

from junctor.dialects.pip_services.data.persistence.file import FilePersistence, IdentifiableFilePersistence
from junctor.dialects.pip_services.data.persistence.identifiable_memory import IdentifiableMemoryPersistence
from junctor.dialects.pip_services.data.persistence.json_file_persister import JsonFilePersister
from junctor.dialects.pip_services.data.persistence.memory import MemoryPersistence

__all__ = (
    "FilePersistence",
    "IdentifiableFilePersistence",
    "IdentifiableMemoryPersistence",
    "JsonFilePersister",
    "MemoryPersistence",
)
