"""The place at which all HTTP services of a container are reached."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import (
    ApplicationException,
    BadRequestException,
    ConnectionException,
    ErrorCategory,
)
from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.commons.validate import Schema
from junctor.dialects.pip_services.components.count import CompositeCounters
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.rpc.connect import HttpConnectionResolver
from junctor.dialects.pip_services.rpc.services.call import Call, current
from junctor.dialects.pip_services.rpc.services.cors import CorsHeaders
from junctor.dialects.pip_services.rpc.services.interfaces import IRegisterable
from junctor.dialects.pip_services.rpc.services.journal import Journal
from junctor.dialects.pip_services.rpc.services.own_listener import OwnListener
from junctor.dialects.pip_services.rpc.services.pattern import Pattern
from junctor.dialects.pip_services.rpc.services.route_entry import Check, RouteEntry, guarded_by, validated_by
from junctor.dialects.pip_services.rpc.services.route_table import RouteTable
from junctor.errors import JunctorError
from junctor.http import Response

_METHODS = {"DEL": "DELETE"}
_OF_THE_NODE = re.compile(r"/(metrics|docs|openapi\.json|livez|readyz|startupz|healthz)|/(health|docs|-)/.*")


class HttpEndpoint(IOpenable, IConfigurable, IReferenceable):
    """Services register with it, and it has their routes in one table.

    Configuration: ``connection.{protocol,host,port,uri,discovery_key}``, ``credential.{ssl_key_file,ssl_crt_file,
    ssl_ca_file}``, ``cors_headers`` and ``cors_origins`` with commas, ``options.maintenance_enabled``,
    ``options.request_max_size`` in bytes. Nothing configured is 127.0.0.1, port 3000.

    A container that listens for it sets ``hosted``, and ``served_at`` where that is another address than the configured
    one; without one, :meth:`open` listens itself.
    """

    _default_config = ConfigParams.from_tuples(
        "connection.protocol", "http",
        "connection.host", "127.0.0.1",
        "connection.port", 3000,
        "options.maintenance_enabled", False,
        "options.request_max_size", 1024 * 1024,
    )  # fmt: skip

    def __init__(self) -> None:
        self.table = RouteTable()
        self.hosted = False
        self.served_at = ""
        self._config = self._default_config
        self._references: IReferences | None = None
        self._logger = CompositeLogger()
        self._journal = Journal(self._logger)
        self._counters = CompositeCounters()
        self._registrations: list[IRegisterable] = []
        self._registering: IRegisterable | None = None
        self._routes_of: list[tuple[IRegisterable | None, str, str]] = []
        self._interceptors: list[tuple[IRegisterable | None, re.Pattern[str], Check]] = []
        self._request_max_size = 1024 * 1024
        self._maintenance_enabled = False
        self._listener: OwnListener | None = None
        self._uri: str | None = None

    def configure(self, config: ConfigParams) -> None:
        self._config = config = config.set_defaults(self._default_config)
        self._maintenance_enabled = config.get_as_boolean("options.maintenance_enabled")
        self._request_max_size = config.get_as_integer("options.request_max_size")
        self.table.cors = CorsHeaders(
            _words(config.get_as_string("cors_origins")),
            ["correlation_id", *_words(config.get_as_string("cors_headers"))],
        )

    def set_references(self, references: IReferences) -> None:
        self._logger.set_references(references)
        self._counters.set_references(references)
        self._references = references

    def listening(self, correlation_id: str | None = None) -> dict[str, Any]:
        """Where and how to listen, in the words of the section ``http`` of a flow.

        :raises ConfigException: the connection is not complete.
        """
        connection = self._connection(correlation_id)
        cors = self.table.cors
        made: dict[str, Any] = {
            "host": connection.get_as_string("host"),
            "port": connection.get_as_integer("port"),
            "body": self._request_max_size,
        }
        if cors.origins:
            made["cors"] = {"origins": list(cors.origins), "headers": list(cors.headers), "max_age": 5}
        if connection.get_as_string("protocol") == "https":
            made["tls"] = {
                "certificate": connection.get_as_string("ssl_crt_file"),
                "key": connection.get_as_string("ssl_key_file"),
                "clients": connection.get_as_nullable_string("ssl_ca_file"),
            }
        return made

    def is_open(self) -> bool:
        return self._uri is not None

    def open(self, correlation_id: str | None) -> None:
        """Lets the services enter their routes, and listens.

        :raises ConfigException: the connection is not complete, or a route cannot be read.
        :raises ConnectionException: the port cannot be used.
        """
        if self.is_open():
            return
        uri = self._connection(correlation_id).get_as_string("uri")
        for registration in self._registrations:
            self._enter(registration)
        if not self.hosted:
            self._listen(correlation_id, uri)
            uri = re.sub(r":0$", f":{self.port}", uri)
        self._uri = uri = self.served_at or uri
        self._logger.debug(correlation_id, "Opened REST service at %s", uri)

    def close(self, correlation_id: str | None) -> None:
        if not self.is_open():
            return
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        uri, self._uri = self._uri, None
        for registration in self._registrations:
            self._forget(registration)
        self._logger.debug(correlation_id, "Closed REST service at %s", uri)

    @property
    def port(self) -> int:
        """The port of its own listener, chosen where 0 was configured; 0 without one."""
        return self._listener.port if self._listener is not None else 0

    def register(self, registration: IRegisterable) -> None:
        """Adds a service. Its ``register()`` is called when the endpoint opens, or now where it is open."""
        if not any(one is registration for one in self._registrations):
            self._registrations.append(registration)
            if self.is_open():
                self._enter(registration)

    def unregister(self, registration: IRegisterable) -> None:
        """Takes a service and its routes away."""
        self._registrations = [one for one in self._registrations if one is not registration]
        self._forget(registration)

    def register_route(
        self, method: str, route: str | None, schema: Schema | None, handler: Callable[..., Any]
    ) -> None:
        """Adds a route.

        :param method: GET, POST ... in any case.
        :param route: a path as the bottle package writes it: ``/items/<id>``.
        :param schema: what the query, the values of the path and ``body`` must look like.
        :param handler: see :func:`~junctor.dialects.pip_services.rpc.services.arguments.bound`.
        :raises ConfigException: the path cannot be read.
        """
        self._register(method, route, schema, handler, ())

    def register_route_with_auth(
        self,
        method: str,
        route: str | None,
        schema: Schema | None,
        authorize: Callable[..., Any] | None,
        action: Callable[..., Any],
    ) -> None:
        """Adds a route whose handler is called only where ``authorize`` lets the request pass.

        :param authorize: stops a request by raising, by an answer that it sends or returns, or by returning False.
        """
        names = Pattern(_path(route)).names
        self._register(method, route, schema, action, () if authorize is None else (guarded_by(authorize, names),))

    def register_interceptor(self, route: str, action: Callable[..., Any]) -> None:
        """Adds what is called before the handlers of all routes whose path begins with a match of a regular expression,
        with or without its first slash.

        :param action: stops a request by raising, by an answer that it sends or returns, or by returning False.
        :raises ConfigException: it is no regular expression.
        """
        expression = Pattern.expression(f"/*(?:{(route or '').lstrip('^')})")
        found = (self._registering, expression, guarded_by(action))
        self._interceptors.append(found)

    def get_param(self, param: str, default: Any = None) -> Any:
        """A value of the path, or of the query, by its name.

        :raises InvalidStateException: no request is answered here.
        """
        return current().param(param, default)

    def get_correlation_id(self) -> str | None:
        """The correlation id of the request: of its query, else of its header.

        :raises InvalidStateException: no request is answered here.
        """
        return current().correlation_id

    def _register(
        self,
        method: str,
        route: str | None,
        schema: Schema | None,
        handler: Callable[..., Any],
        guards: tuple[Check, ...],
    ) -> None:
        path, method = _path(route), method.upper()
        if _OF_THE_NODE.fullmatch(path):
            self._logger.warn(None, "%s is answered by the node itself; give the route another path", path)  # noqa: G010
        checks = (self._admit, *guards, *((validated_by(schema),) if isinstance(schema, Schema) else ()))
        method, names = _METHODS.get(method, method), Pattern(path).names
        self.table.add(method, path, RouteEntry(handler, checks, names, self._journal, f"{method} {path}"))
        self._routes_of.append((self._registering, method, path))

    def _admit(self, call: Call) -> Response | None:
        if self._maintenance_enabled:
            text = "The service is in maintenance, try again later"
            raise ApplicationException(ErrorCategory.InvalidState, None, "MAINTENANCE", text).with_status(503)
        if len(call.request.body) > self._request_max_size:
            text = f"The body is larger than {self._request_max_size} bytes"
            raise BadRequestException(None, "BODY_TOO_LARGE", text).with_status(413)
        for _, pattern, check in self._interceptors:
            if pattern.match(call.request.path):
                stopped = check(call)
                if stopped is not None:
                    return stopped
        return None

    def _connection(self, correlation_id: str | None) -> ConfigParams:
        # Made anew each time: a resolver adds up what it is configured with.
        resolver = HttpConnectionResolver()
        resolver.configure(self._config)
        if self._references is not None:
            resolver.set_references(self._references)
        return resolver.resolve(correlation_id)

    def _enter(self, registration: IRegisterable) -> None:
        self._registering = registration
        try:
            registration.register()
        finally:
            self._registering = None

    def _forget(self, registration: IRegisterable) -> None:
        for owner, method, path in self._routes_of:
            if owner is registration:
                self.table.remove(method, path)
        self._routes_of = [one for one in self._routes_of if one[0] is not registration]
        self._interceptors = [one for one in self._interceptors if one[0] is not registration]

    def _listen(self, correlation_id: str | None, uri: str) -> None:
        listener = OwnListener(self.table, self.listening(correlation_id))
        try:
            listener.open()
        except (JunctorError, OSError) as error:
            text = f"Opening REST service at {uri} failed: {error}"
            raise ConnectionException(correlation_id, "CANNOT_CONNECT", text).with_cause(error) from error
        self._listener = listener


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _path(route: str | None) -> str:
    return "/" + (route or "").lstrip("/")
