"""The base of clients of HTTP services."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from junctor.dialects.pip_services.commons.config import ConfigParams, IConfigurable
from junctor.dialects.pip_services.commons.data import PagingParams
from junctor.dialects.pip_services.commons.errors import (
    ApplicationException,
    ApplicationExceptionFactory,
    BadRequestException,
    ConfigException,
    ConnectionException,
    ErrorCategory,
    ErrorDescription,
    InvalidStateException,
    InvocationException,
)
from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.components.count import CompositeCounters
from junctor.dialects.pip_services.components.log import CompositeLogger
from junctor.dialects.pip_services.components.trace import CompositeTracer
from junctor.dialects.pip_services.rpc.clients.http_connections import (
    Answer,
    HttpConnections,
    NoAnswer,
    NotSent,
    TimedOut,
)
from junctor.dialects.pip_services.rpc.connect import HttpConnectionResolver
from junctor.dialects.pip_services.rpc.services.answers import encoded
from junctor.dialects.pip_services.rpc.services.instrument_timing import InstrumentTiming
from junctor.dialects.pip_services.rpc.services.rest_query_params import RestQueryParams

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_CATEGORIES = {
    400: ErrorCategory.BadRequest,
    401: ErrorCategory.Unauthorized,
    403: ErrorCategory.Unauthorized,
    404: ErrorCategory.NotFound,
    409: ErrorCategory.Conflict,
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class RestClient(IOpenable, IConfigurable, IReferenceable):
    """Calls with :meth:`_call`, on connections that are kept.

    Configuration: ``base_route``, ``connection.{protocol,host,port,uri,discovery_key}``, ``options.timeout`` (10000)
    and ``options.connect_timeout`` (10000) in milliseconds, ``options.retries`` (3), ``options.correlation_id``:
    whether it goes in the ``query``, the ``headers`` or ``both``. ``options.timeout`` is for the whole answer.

    A request is sent again where it did not reach the server, and where the connection broke and its method says that
    once more does no harm. One that timed out is not.
    """

    _default_config = ConfigParams.from_tuples(
        "connection.protocol", "http",
        "connection.host", "127.0.0.1",
        "connection.port", 3000,
        "options.timeout", 10000,
        "options.connect_timeout", 10000,
        "options.retries", 3,
        "options.correlation_id", "query",
    )  # fmt: skip

    def __init__(self) -> None:
        self._client: HttpConnections | None = None
        self._uri: str | None = None
        self._base_route: str | None = None
        self._config = self._default_config
        self._options = ConfigParams()
        self._headers: dict[str, str] = {}
        self._timeout = self._connect_timeout = 10000
        self._retries = 3
        self._correlation_id_location = "query"
        self._references: IReferences | None = None
        self._logger = CompositeLogger()
        self._counters = CompositeCounters()
        self._tracer = CompositeTracer()

    def configure(self, config: ConfigParams) -> None:
        """
        :raises ConfigException: a time-out is no number above zero.
        """
        self._config = config = config.set_defaults(self._default_config)
        self._options = options = config.get_section("options")
        self._timeout = _milliseconds(options, "timeout")
        self._connect_timeout = _milliseconds(options, "connect_timeout")
        self._retries = options.get_as_integer("retries")
        self._correlation_id_location = options.get_as_string("correlation_id")
        self._base_route = config.get_as_nullable_string("base_route") or self._base_route

    def set_references(self, references: IReferences) -> None:
        self._references = references
        for one in (self._logger, self._counters, self._tracer):
            one.set_references(references)

    def is_open(self) -> bool:
        return self._client is not None

    def open(self, correlation_id: str | None) -> None:
        """Finds out where the server is. The first call connects.

        :raises ConfigException: the connection is not complete.
        """
        if self.is_open():
            return
        resolver = HttpConnectionResolver()
        resolver.configure(self._config)
        if self._references is not None:
            resolver.set_references(self._references)
        connection = resolver.resolve(correlation_id)
        self._uri = connection.get_as_string("uri")
        authorities = connection.get_as_nullable_string("ssl_ca_file")
        seconds = (self._connect_timeout / 1000, self._timeout / 1000)
        self._client = HttpConnections(self._uri, *seconds, authorities)
        self._logger.debug(correlation_id, "Connected via REST to %s", self._uri)

    def close(self, correlation_id: str | None) -> None:
        if self._client is not None:
            self._client.close()
            self._logger.debug(correlation_id, "Closed REST client at %s", self._uri)
        self._client = self._uri = None

    def fix_route(self, route: str | None) -> str:
        """A path with a slash before it and none behind; empty for nothing."""
        found = (route or "").strip("/")
        return f"/{found}" if found else ""

    def add_correlation_id(self, params: Any = None, correlation_id: str | None = None) -> Any:
        """The query with the correlation id, where there is one."""
        params = dict(params or {})
        if correlation_id:
            params["correlation_id"] = correlation_id
        return params

    def _add_filter_params(self, params: Any = None, filters: Any = None) -> dict[str, Any]:
        return {**(params or {}), **RestQueryParams(filter=filters)}

    def _add_paging_params(self, params: Any = None, paging: PagingParams | None = None) -> dict[str, Any]:
        return {**(params or {}), **RestQueryParams(paging=paging)}

    def _instrument(self, correlation_id: str | None, name: str) -> InstrumentTiming:
        """Counts and measures a call, until ``end_timing()`` of what it answers."""
        self._logger.trace(correlation_id, "Calling %s method", name)
        self._counters.increment_one(f"{name}.call_count")
        timing = self._counters.begin_timing(f"{name}.call_time")
        trace = self._tracer.begin_trace(correlation_id, name, None)
        return InstrumentTiming(correlation_id, name, "call", self._logger, self._counters, timing, trace)

    def _call(
        self,
        method: str,
        route: str | None,
        correlation_id: str | None = None,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
    ) -> Any:
        """What the server answers, read from JSON; None for an answer without a body.

        :param params: the query; what is None is left out.
        :param data: sent as JSON.
        :raises ApplicationException: what the server says is wrong, as an error of its category.
        :raises ConnectionException: the server cannot be reached, or the connection broke.
        :raises InvocationException: the answer did not come in time, or leads elsewhere: nothing is sent to a place
            that the configuration does not name.
        """
        method = method.upper()
        path = quote(self.fix_route(self._base_route) + self.fix_route(route) or "/", safe="/%:@!$&'()*+,;=~-._")
        query = self._query(correlation_id, params)
        body = None if data is None else encoded(data)
        answer = self._ask(correlation_id, method, path + query, body, self._request_headers(correlation_id, body))
        return _value_of(answer, correlation_id)

    def _query(self, correlation_id: str | None, params: Mapping[str, Any] | None) -> str:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        if self._correlation_id_location in ("query", "both"):
            given = self.add_correlation_id(given, correlation_id)
        return f"?{urlencode(given)}" if given else ""

    def _request_headers(self, correlation_id: str | None, body: bytes | None) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {"Accept": "application/json", **self._headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if correlation_id and self._correlation_id_location in ("headers", "both"):
            if not correlation_id.isprintable():
                text = f"The correlation id {correlation_id!a} cannot be sent in a header"
                raise BadRequestException(None, "BAD_CORRELATION_ID", text)
            headers["correlation_id"] = correlation_id.encode()
        return headers

    def _ask(
        self,
        correlation_id: str | None,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str | bytes],
    ) -> Answer:
        if self._client is None:
            raise InvalidStateException(correlation_id, "NOT_OPENED", "The client is not open")
        failed: Exception | None = None
        for attempt in range(max(0, self._retries) + 1):
            if attempt:
                time.sleep(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE))
            try:
                return self._client.ask(method, target, body, headers)
            except TimedOut as error:
                text = f"{method} {self._uri}{target}: {error}"
                raise InvocationException(correlation_id, "TIMEOUT", text).with_status(504) from error
            except NoAnswer as error:
                failed = error
                if method not in _REPEATABLE:
                    break
            except NotSent as error:
                failed = error
        text = f"{method} {self._uri}{target}: {failed}"
        raise ConnectionException(correlation_id, "CANNOT_CONNECT", text).with_cause(failed)


def _milliseconds(options: ConfigParams, name: str) -> int:
    """
    :raises ConfigException: it is no number above zero. A client that waits for ever is none, and one that does not
        wait gets no answer.
    """
    found = options.get_as_integer(name)
    if found <= 0:
        text = f"options.{name} is {options.get_as_string(name)}; give milliseconds above 0"
        raise ConfigException(None, "BAD_TIMEOUT", text)
    return found


def _value_of(answer: Answer, correlation_id: str | None) -> Any:
    if answer.status >= 400:
        raise error_of(answer, correlation_id)
    if 300 <= answer.status < 400:
        text = f"The server answered {answer.status}: what is asked for is at {answer.location or 'another place'}"
        raise InvocationException(correlation_id, "REDIRECTED", text)
    if answer.status == 204 or not answer.body:
        return None
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return answer.body.decode("utf-8", "replace")


def error_of(answer: Answer, correlation_id: str | None) -> ApplicationException:
    """What a server has said is wrong."""
    try:
        said = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        said = None
    said = said if isinstance(said, dict) else {}
    described = ErrorDescription.from_json(said)
    described.status = answer.status
    described.category = described.category or _CATEGORIES.get(answer.status, ErrorCategory.Unknown)
    described.code = str(described.code or f"HTTP_{answer.status}")
    described.correlation_id = described.correlation_id or correlation_id
    # Servers that are no Pip.Services say it as in RFC 9457, or as plain text.
    text = described.message or said.get("detail") or answer.body[:500].decode("utf-8", "replace")
    described.message = str(text) or f"The server answered {answer.status}"
    return ApplicationExceptionFactory.create(described)
