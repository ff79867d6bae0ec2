"""From connections and credentials to the options of a client."""

from __future__ import annotations

from collections.abc import Sequence

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.components.auth import CredentialParams, CredentialResolver
from junctor.dialects.pip_services.components.connect.connection_forms import ConnectionForms
from junctor.dialects.pip_services.components.connect.connection_params import ConnectionParams
from junctor.dialects.pip_services.components.connect.connection_resolver import ConnectionResolver


class CompositeConnectionResolver(IReferenceable, IConfigurable):
    """The base class of resolvers for brokers and databases: subclasses set what they support, and change how the
    options are made.

    Parameters: ``connection(s)``, ``credential(s)``, ``options``.
    """

    def __init__(self) -> None:
        self._options = ConfigParams()
        self._connection_resolver = ConnectionResolver()
        self._credential_resolver = CredentialResolver()
        self._cluster_supported = True
        self._default_protocol: str | None = None
        self._default_port = 0
        self._supported_protocols: list[str] | None = None

    def configure(self, config: ConfigParams) -> None:
        self._connection_resolver.configure(config)
        self._credential_resolver.configure(config)
        self._options = config.get_section("options")

    def set_references(self, references: IReferences) -> None:
        self._connection_resolver.set_references(references)
        self._credential_resolver.set_references(references)

    def resolve(self, correlation_id: str | None) -> ConfigParams:
        """
        :raises ConfigException: a connection or credential is missing or wrong.
        """
        connections = self._connection_resolver.resolve_all(correlation_id)
        credential = self._credential_resolver.lookup(correlation_id)
        return self.compose(correlation_id, connections, credential, self._options)

    def compose(
        self,
        correlation_id: str | None,
        connections: Sequence[ConnectionParams],
        credential: CredentialParams | None,
        parameters: ConfigParams | None,
    ) -> ConfigParams:
        """
        :raises ConfigException: a connection or credential is missing or wrong.
        """
        if not connections:
            raise ConfigException(correlation_id, "NO_CONNECTION", "Connection is not set")
        if len(connections) > 1 and not self._cluster_supported:
            raise ConfigException(correlation_id, "MULTIPLE_CONNECTIONS_NOT_SUPPORTED", "Several connections are set")
        for connection in connections:
            self._validate_connection(correlation_id, connection)
        self._validate_credential(correlation_id, credential)
        return self._compose_options(list(connections), credential, parameters)

    def _validate_connection(self, correlation_id: str | None, connection: ConnectionParams) -> None:
        if connection.get_uri():
            return
        protocol = connection.get_protocol(self._default_protocol)
        if not protocol:
            raise ConfigException(correlation_id, "NO_PROTOCOL", "Connection protocol is not set")
        if self._supported_protocols is not None and protocol not in self._supported_protocols:
            message = f"The protocol {protocol} is not supported"
            raise ConfigException(correlation_id, "UNSUPPORTED_PROTOCOL", message).with_details("protocol", protocol)
        if not connection.get_host():
            raise ConfigException(correlation_id, "NO_HOST", "Connection host is not set")
        if not connection.get_port_with_default(self._default_port):
            raise ConfigException(correlation_id, "NO_PORT", "Connection port is not set")

    def _validate_credential(self, correlation_id: str | None, credential: CredentialParams | None) -> None:
        """For subclasses."""

    def _compose_options(
        self,
        connections: list[ConnectionParams],
        credential: CredentialParams | None,
        parameters: ConfigParams | None,
    ) -> ConfigParams:
        options = ConfigParams()
        for connection in connections:
            options = self._merge_connection(options, connection)
        if credential is not None:
            options = self._merge_credential(options, credential)
        return self._finalize_options(self._merge_optional(options, parameters or ConfigParams()))

    def _merge_connection(self, options: ConfigParams, connection: ConnectionParams) -> ConfigParams:
        return options.set_defaults(connection)

    def _merge_credential(self, options: ConfigParams, credential: CredentialParams) -> ConfigParams:
        return options.override(credential)

    def _merge_optional(self, options: ConfigParams, parameters: ConfigParams) -> ConfigParams:
        return options.set_defaults(parameters)

    def _finalize_options(self, options: ConfigParams) -> ConfigParams:
        return options

    def _compose_uri(self, options: ConfigParams) -> str:
        return ConnectionForms.compose_uri(options, self._default_protocol, self._default_port)

    def _parse_uri(self, uri: str) -> ConfigParams:
        return ConnectionForms.parse_uri(uri, self._default_protocol, self._default_port)
