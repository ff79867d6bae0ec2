"""Connections of HTTP: protocol, host and port, or a URI."""

from __future__ import annotations

from urllib.parse import urlsplit

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.components.auth import CredentialParams, CredentialResolver
from junctor.dialects.pip_services.components.connect import ConnectionParams, ConnectionResolver

_PROTOCOLS = ("http", "https")
_PORTS = {"http": 80, "https": 443}


class HttpConnectionResolver(IReferenceable, IConfigurable):
    """Resolves the section ``connection`` or ``connections``, by a discovery service where it names a key of one, and
    the section ``credential`` for https."""

    def __init__(self) -> None:
        self._connection_resolver = ConnectionResolver()
        self._credential_resolver = CredentialResolver()

    def configure(self, config: ConfigParams) -> None:
        self._connection_resolver.configure(config)
        self._credential_resolver.configure(config)

    def set_references(self, references: IReferences) -> None:
        self._connection_resolver.set_references(references)
        self._credential_resolver.set_references(references)

    def resolve(self, correlation_id: str | None) -> ConfigParams:
        """One connection: ``protocol``, ``host``, ``port``, ``uri``, and the names of files for https.

        :raises ConfigException: there is none, or a part of it is missing or wrong.
        """
        connection = self._connection_resolver.resolve(correlation_id)
        return self._composed(correlation_id, [] if connection is None else [connection])[0]

    def resolve_all(self, correlation_id: str | None) -> ConfigParams:
        """All connections as one: ``uri`` is a list with commas.

        :raises ConfigException: see :meth:`resolve`.
        """
        found = self._composed(correlation_id, self._connection_resolver.resolve_all(correlation_id))
        merged = ConfigParams(found[0])
        merged["uri"] = ",".join(dict.fromkeys(one.get_as_string("uri") for one in found))
        return merged

    def register(self, correlation_id: str | None) -> None:
        """Tells the discovery service about the connection.

        :raises ConfigException: see :meth:`resolve`.
        """
        self.resolve(correlation_id)
        connection = self._connection_resolver.resolve(correlation_id)
        if connection is not None:
            self._connection_resolver.register(correlation_id, connection)

    def _composed(self, correlation_id: str | None, connections: list[ConnectionParams]) -> list[ConfigParams]:
        if not connections:
            raise ConfigException(correlation_id, "NO_CONNECTION", "HTTP connection is not set")
        credential = self._credential_resolver.lookup(correlation_id)
        return [_composed(correlation_id, one, credential) for one in connections]


def _composed(
    correlation_id: str | None, connection: ConnectionParams, credential: CredentialParams | None
) -> ConfigParams:
    uri = connection.get_uri()
    if uri:
        found = _of_uri(correlation_id, uri)
    else:
        found = ConfigParams.from_tuples(
            "protocol", connection.get_protocol_with_default("http"),
            "host", connection.get_host(),
            "port", connection.get_as_nullable_integer("port"),
        )  # fmt: skip
        _check(correlation_id, found)
        host = found.get_as_string("host")
        shown = f"[{host}]" if ":" in host else host
        found["uri"] = f"{found.get_as_string('protocol')}://{shown}:{found.get_as_string('port')}"
    if found.get_as_string("protocol") == "https":
        _add_files(correlation_id, found, credential)
    return found


def _of_uri(correlation_id: str | None, uri: str) -> ConfigParams:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise ConfigException(correlation_id, "BAD_URI", f"Connection URI {uri} cannot be read: {error}") from error
    protocol = parts.scheme or "http"
    found = ConfigParams.from_tuples(
        "protocol", protocol, "host", parts.hostname, "port", port or _PORTS.get(protocol), "uri", uri.rstrip("/")
    )
    _check(correlation_id, found)
    return found


def _check(correlation_id: str | None, found: ConfigParams) -> None:
    protocol = found.get_as_string("protocol")
    if protocol not in _PROTOCOLS:
        text = f"Protocol {protocol} is not supported by HTTP; use http or https"
        raise ConfigException(correlation_id, "WRONG_PROTOCOL", text).with_details("protocol", protocol)
    if not found.get_as_string("host"):
        raise ConfigException(correlation_id, "NO_HOST", "Connection host is not set")
    port = found.get_as_nullable_integer("port")
    if port is None or not 0 <= port <= 65535:
        raise ConfigException(correlation_id, "NO_PORT", "Connection port is not set, or is no number up to 65535")


def _add_files(correlation_id: str | None, found: ConfigParams, credential: CredentialParams | None) -> None:
    for name in ("ssl_key_file", "ssl_crt_file", "ssl_ca_file"):
        value = credential.get_as_nullable_string(name) if credential is not None else None
        if value:
            found[name] = value
