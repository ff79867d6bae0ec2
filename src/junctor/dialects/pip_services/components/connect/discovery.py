"""Services that know where others are."""

from __future__ import annotations

import threading
from abc import ABC

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.components.connect.connection_params import ConnectionParams


class IDiscovery(ABC):  # noqa: B024 - others may be written without inheriting
    """Connections by key."""

    def register(self, correlation_id: str | None, key: str, connection: ConnectionParams) -> None:
        raise NotImplementedError

    def resolve_one(self, correlation_id: str | None, key: str) -> ConnectionParams | None:
        raise NotImplementedError

    def resolve_all(self, correlation_id: str | None, key: str) -> list[ConnectionParams]:
        raise NotImplementedError


class MemoryDiscovery(IDiscovery, IReconfigurable):
    """Parameters: a connection for each key, ``key1: {host: ..., port: ...}`` or as text ``key1: host=...;port=...``;
    also in a section ``connections``.

    :param config: see ``configure``.
    """

    def __init__(self, config: ConfigParams | None = None) -> None:
        self._items: list[tuple[str, ConnectionParams]] = []
        self._lock = threading.Lock()
        if config is not None:
            self.configure(config)

    def configure(self, config: ConfigParams) -> None:
        self.read_connections(config)

    def read_connections(self, config: ConfigParams) -> None:
        """Take these in place of all."""
        found = config.get_section("connections") or config
        self._items = [
            (key, ConnectionParams(found.get_section(key)) or ConnectionParams.from_string(found.get(key)))
            for key in found.get_section_names()
            if key != "descriptor"
        ]

    def register(self, correlation_id: str | None, key: str, connection: ConnectionParams) -> None:
        with self._lock:
            self._items.append((key, connection))

    def resolve_one(self, correlation_id: str | None, key: str) -> ConnectionParams | None:
        return next(iter(self.resolve_all(correlation_id, key)), None)

    def resolve_all(self, correlation_id: str | None, key: str) -> list[ConnectionParams]:
        return [connection for known, connection in self._items if known == key]
