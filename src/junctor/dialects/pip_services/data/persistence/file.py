"""Items in memory with a file behind them."""

from __future__ import annotations

from typing import TypeVar

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.data.persistence.identifiable_memory import IdentifiableMemoryPersistence
from junctor.dialects.pip_services.data.persistence.json_file_persister import JsonFilePersister
from junctor.dialects.pip_services.data.persistence.memory import MemoryPersistence

T = TypeVar("T")


class FilePersistence(MemoryPersistence[T]):
    """
    :param persister: reads and writes the file; one for JSON if there is none, told its ``path`` by configuration.
    """

    def __init__(self, persister: JsonFilePersister[T] | None = None) -> None:
        self._persister = persister or JsonFilePersister()
        super().__init__(self._persister, self._persister)

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._persister.configure(config)


class IdentifiableFilePersistence(IdentifiableMemoryPersistence[T]):
    """The same for items with ids.

    :param persister: reads and writes the file; one for JSON if there is none, told its ``path`` by configuration.
    """

    def __init__(self, persister: JsonFilePersister[T] | None = None) -> None:
        self._persister = persister or JsonFilePersister()
        super().__init__(self._persister, self._persister)

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._persister.configure(config)
