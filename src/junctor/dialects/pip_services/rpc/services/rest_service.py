"""The base of services that answer HTTP requests."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from pathlib import Path
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import (
    DependencyResolver,
    IReferenceable,
    IReferences,
    IUnreferenceable,
)
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.commons.validate import Schema
from junctor.dialects.pip_services.components.count import CompositeCounters
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.components.trace import CompositeTracer
from junctor.dialects.pip_services.rpc.services.call import current
from junctor.dialects.pip_services.rpc.services.http_endpoint import HttpEndpoint
from junctor.dialects.pip_services.rpc.services.http_response_sender import HttpResponseSender
from junctor.dialects.pip_services.rpc.services.instrument_timing import InstrumentTiming
from junctor.dialects.pip_services.rpc.services.interfaces import IRegisterable, ISwaggerService
from junctor.dialects.pip_services.rpc.services.journal import place_of
from junctor.http import Response

_YAML = "application/x-yaml"


class RestService(IOpenable, IConfigurable, IReferenceable, IUnreferenceable, IRegisterable, ABC):
    """Write ``register``, and call :meth:`register_route` there.

    Configuration: ``base_route``, ``dependencies.{endpoint,controller,swagger}``, ``swagger.{enable,route}``; where the
    container has no endpoint, ``connection`` and the other parameters of :class:`HttpEndpoint`, for one of its own.
    """

    _default_config = ConfigParams.from_tuples(
        "base_route", None,
        "dependencies.endpoint", "*:endpoint:http:*:1.0",
        "dependencies.swagger", "*:swagger-service:*:*:1.0",
    )  # fmt: skip

    def __init__(self) -> None:
        self._dependency_resolver = DependencyResolver(self._default_config)
        self._logger = CompositeLogger()
        self._counters = CompositeCounters()
        self._tracer = CompositeTracer()
        self._base_route: str | None = None
        self._route: str | None = None
        self._endpoint: HttpEndpoint | None = None
        self._config: ConfigParams | None = None
        self._debug = False
        self._swagger_service: ISwaggerService | None = None
        self._swagger_enabled = False
        self._swagger_route: str | None = "swagger"
        self._references: IReferences | None = None
        self._own_endpoint = False
        self._opened = False

    def configure(self, config: ConfigParams) -> None:
        self._config = config = config.set_defaults(self._default_config)
        self._dependency_resolver.configure(config)
        self._base_route = config.get_as_nullable_string("base_route") or self._base_route
        self._swagger_enabled = config.get_as_boolean_with_default("swagger.enable", self._swagger_enabled)
        self._swagger_route = config.get_as_string_with_default("swagger.route", self._swagger_route)

    def set_references(self, references: IReferences) -> None:
        self._references = references
        for one in (self._logger, self._counters, self._tracer, self._dependency_resolver):
            one.set_references(references)
        self._swagger_service = self._dependency_resolver.get_one_optional("swagger")
        self._take_endpoint(self._dependency_resolver.get_one_optional("endpoint"))

    def unset_references(self) -> None:
        if self._endpoint is not None:
            self._endpoint.unregister(self)
        self._endpoint = None
        self._swagger_service = None

    def create_endpoint(self) -> HttpEndpoint:
        """An endpoint of its own, configured like the service."""
        endpoint = HttpEndpoint()
        if self._config is not None:
            endpoint.configure(self._config)
        if self._references is not None:
            endpoint.set_references(self._references)
        return endpoint

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        """Opens its own endpoint, where it has one.

        :raises ConnectionException: the port cannot be used.
        """
        if self._opened:
            return
        if self._endpoint is None:
            self._take_endpoint(None)
        if self._own_endpoint and self._endpoint is not None:
            self._endpoint.open(correlation_id)
        self._opened = True

    def close(self, correlation_id: str | None) -> None:
        if self._opened and self._own_endpoint and self._endpoint is not None:
            self._endpoint.close(correlation_id)
        self._opened = False

    def register(self) -> None:
        """Enters the routes of the service; called when the endpoint opens."""
        raise NotImplementedError(f"{type(self).__name__}.register is not written")

    def send_result(self, result: Any) -> Response:
        """200 with the result as JSON, 204 for None: ``return self.send_result(value)``."""
        return HttpResponseSender.send_result(result)

    def send_created_result(self, result: Any) -> Response:
        """201 with the result as JSON, 204 for None."""
        return HttpResponseSender.send_created_result(result)

    def send_deleted_result(self, result: Any = None) -> Response:
        """200 with the result as JSON, 204 for None."""
        return HttpResponseSender.send_deleted_result(result)

    def send_error(self, error: Any) -> Response:
        """The status of the error, with what there is to say of it as JSON."""
        return HttpResponseSender.send_error(error)

    def fix_route(self, route: str | None) -> str:
        """A path with a slash before it and none behind; empty for nothing."""
        found = (route or "").strip("/")
        return f"/{found}" if found else ""

    def register_route(
        self,
        method: str,
        route: str | None = None,
        schema: Schema | None = None,
        handler: Callable[..., Any] | None = None,
    ) -> None:
        """Adds a route below the base route.

        :param route: None: the name of the handler.
        :param handler: gets values of the path, the query and the body by the names of its parameters.
        :raises ConfigException: there is no handler, or the path cannot be read.
        """
        if handler is None:
            raise ConfigException(None, "NO_HANDLER", f"Route {method} {route} has no handler")
        if route is None:
            route = self._named_after(handler)
        if self._endpoint is not None:
            self._endpoint.register_route(method, self._append_base_route(route), schema, handler)

    def register_route_with_auth(
        self,
        method: str,
        route: str | None,
        schema: Schema | None,
        authorize: Callable[..., Any] | None,
        action: Callable[..., Any],
    ) -> None:
        """Adds a route below the base route whose handler is called only where ``authorize`` lets the request pass; see
        :meth:`HttpEndpoint.register_route_with_auth`."""
        if route is None:
            route = self._named_after(action)
        if self._endpoint is not None:
            path = self._append_base_route(route)
            self._endpoint.register_route_with_auth(method, path, schema, authorize, action)

    def register_interceptor(self, route: str | None, action: Callable[..., Any]) -> None:
        """Adds what is called before the handlers below the base route; see
        :meth:`HttpEndpoint.register_interceptor`."""
        if self._endpoint is not None:
            below = f"/*(?:{(route or '').lstrip('^')})"
            self._endpoint.register_interceptor(self.fix_route(self._base_route) + below, action)

    def _append_base_route(self, route: str | None) -> str:
        return (self.fix_route(self._base_route) + self.fix_route(route)) or "/"

    def _instrument(self, correlation_id: str | None, name: str) -> InstrumentTiming:
        """Counts and measures a call, until ``end_timing()`` of what it answers."""
        self._logger.trace(correlation_id, "Executing %s method", name)
        self._counters.increment_one(f"{name}.exec_count")
        timing = self._counters.begin_timing(f"{name}.exec_time")
        trace = self._tracer.begin_trace(correlation_id, name, None)
        return InstrumentTiming(correlation_id, name, "exec", self._logger, self._counters, timing, trace)

    def _get_data(self) -> Any:
        """The body of the request, read as JSON; None without one."""
        return current().data

    def _get_correlation_id(self) -> str | None:
        return current().correlation_id

    def _get_param(self, param: str, default: Any = None) -> Any:
        return current().param(param, default)

    def _register_open_api_spec_from_file(self, path: str) -> None:
        """Shows a document of OpenAPI that is in a file.

        :raises OSError: it cannot be read.
        """
        self._register_open_api_spec(Path(path).read_text(encoding="utf-8"))

    def _register_open_api_spec(self, content: str) -> None:
        """Shows a document of OpenAPI, in YAML, at ``swagger`` below the base route, where that is enabled."""
        if not self._swagger_enabled:
            return
        document = content.encode()
        self.register_route("GET", self._swagger_route, None, lambda: Response(document, media_type=_YAML))
        if self._swagger_service is not None:
            self._swagger_service.register_open_api_spec(self._base_route or "", self._swagger_route)

    def _take_endpoint(self, found: HttpEndpoint | None) -> None:
        self._own_endpoint = found is None
        self._endpoint = found if found is not None else self.create_endpoint()
        self._endpoint.register(self)

    def _named_after(self, handler: Callable[..., Any]) -> str:
        name = getattr(handler, "__name__", "").strip("_")
        text = "%s has no route; it answers at %s (%s)"
        self._logger.warn(None, text, name, self._append_base_route(name), place_of(handler))  # noqa: G010 - theirs
        return name
