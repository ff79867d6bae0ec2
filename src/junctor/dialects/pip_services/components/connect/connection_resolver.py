"""From the configuration of a component to a connection."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences, ReferenceException
from junctor.dialects.pip_services.components.connect.connection_params import ConnectionParams

_DISCOVERY = Descriptor("*", "discovery", "*", "*", "*")


class ConnectionResolver:
    """Parameters: ``connection`` or several ``connections``; what has a ``discovery_key`` is asked for at the discovery
    services of the container.

    :param config: see :meth:`configure`.
    :param references: see :meth:`set_references`.
    """

    def __init__(self, config: ConfigParams | None = None, references: IReferences | None = None) -> None:
        self._connections: list[ConnectionParams] = []
        self._references: IReferences | None = None
        if config is not None:
            self.configure(config)
        if references is not None:
            self.set_references(references)

    def configure(self, config: ConfigParams) -> None:
        self._connections += ConnectionParams.many_from_config(config)

    def set_references(self, references: IReferences) -> None:
        self._references = references

    def get_all(self) -> list[ConnectionParams]:
        return list(self._connections)

    def add(self, connection: ConnectionParams) -> None:
        self._connections.append(connection)

    def resolve(self, correlation_id: str | None) -> ConnectionParams | None:
        """The first that is written, else the first that is found; None where none is written at all.

        :raises ConfigException: a discovery service does not know the key; its code is ``CANNOT_RESOLVE``.
        :raises ReferenceException: there is no discovery service.
        """
        return next(iter(self.resolve_all(correlation_id)), None)

    def resolve_all(self, correlation_id: str | None) -> list[ConnectionParams]:
        """Those that are written, and behind them those that are found.

        :raises ConfigException: a discovery service does not know a key.
        :raises ReferenceException: there is no discovery service.
        """
        written = [one for one in self._connections if not one.use_discovery()]
        sought = [one for one in self._connections if one.use_discovery()]
        return [*written, *(found for one in sought for found in self._discovered(correlation_id, one))]

    def _discovered(self, correlation_id: str | None, connection: ConnectionParams) -> list[ConnectionParams]:
        key = connection.get_discovery_key() or ""
        for discovery in self._discoveries(correlation_id):
            found = discovery.resolve_all(correlation_id, key)
            if found:
                return [ConnectionParams.merge_configs(one, connection) for one in found]
        message = f"No discovery service knows a connection {key}"
        raise ConfigException(correlation_id, "CANNOT_RESOLVE", message).with_details("key", key)

    def _discoveries(self, correlation_id: str | None) -> list[Any]:
        found = [] if self._references is None else self._references.get_optional(_DISCOVERY)
        if not found:
            raise ReferenceException(correlation_id, _DISCOVERY)
        return found

    def register(self, correlation_id: str | None, connection: ConnectionParams) -> None:
        """Tell the discovery services of a connection that has a key.

        :raises ReferenceException: there is no discovery service.
        """
        if not connection.use_discovery():
            return
        for discovery in self._discoveries(correlation_id):
            discovery.register(correlation_id, connection.get_discovery_key(), connection)
        self._connections.append(connection)
