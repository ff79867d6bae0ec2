"""One request while its handler runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from junctor.dialects.pip_services.commons.errors import BadRequestException, InvalidStateException
from junctor.http import Request, Response

PARAMETER = "correlation_id"
"""Of the query, by which a request names its correlation id."""

HEADERS = (PARAMETER, "correlation-id")
"""Those that do the same."""


class Call:
    """What a handler can ask of the request that it answers.

    :param values: those of the path.

    ``sent`` is the answer that the handler made last; it counts even when the handler does not return it. ``user`` is
    who calls, as far as an interceptor has found out.
    """

    __slots__ = ("_correlation_id", "_data", "_params", "environ", "request", "sent", "user", "values")

    def __init__(self, request: Request, values: dict[str, Any]) -> None:
        self.request = request
        self.values = values
        self.sent: Response | None = None
        self.user: Any = None
        self.environ: dict[str, Any] | None = None
        self._params: dict[str, str] | None = None
        self._data: Any = msgspec.UNSET
        self._correlation_id: Any = msgspec.UNSET

    @property
    def params(self) -> dict[str, str]:
        """The query by name; of a name that comes several times, the last value."""
        if self._params is None:
            self._params = read_query(self.request.query)
        return self._params

    def param(self, name: str, default: Any = None) -> Any:
        """A value of the path, else of the query. The path first: it is what an authorizer has looked at, and a query
        is easily added to it."""
        return self.values[name] if name in self.values else self.params.get(name, default)

    @property
    def data(self) -> Any:
        """The body as JSON, None without one. A JSON text that holds JSON is read twice: clients of the family send it.

        :raises BadRequestException: it is not JSON.
        """
        if self._data is msgspec.UNSET:
            self._data = self._read()
        return self._data

    @property
    def correlation_id(self) -> str | None:
        """Of the query, else of the header; None where neither has one. Who finds it elsewhere sets it."""
        if self._correlation_id is msgspec.UNSET:
            self._correlation_id = self._sent_correlation_id()
        found: str | None = self._correlation_id
        return found

    @correlation_id.setter
    def correlation_id(self, value: str | None) -> None:
        self._correlation_id = value

    def _sent_correlation_id(self) -> str | None:
        if self.request.query:
            found = self.params.get(PARAMETER)
            if found:
                return found
        for name, value in self.request.headers:
            if name in HEADERS:
                return header_text(value)
        return None

    def _read(self) -> Any:
        body = self.request.body
        if not body:
            return None
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = f"The body is not JSON: {error}"
            raise BadRequestException(self.correlation_id, "BAD_JSON", text) from None
        if type(found) is not str:
            return found
        try:
            return msgspec.json.decode(found)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return found


def header_text(value: str) -> str:
    """A header, of which each character stands for a byte: UTF-8 where it is that."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def read_query(query: str) -> dict[str, str]:
    """The values of a query by name, of each the last one."""
    if "%" in query or "+" in query:
        return dict(parse_qsl(query, keep_blank_values=True))
    found = {}
    for field in query.split("&") if query else ():  # nothing to decode: most queries are like that
        name, _, value = field.partition("=")
        if name or value:
            found[name] = value
    return found


running: ContextVar[Call | None] = ContextVar("pip_services_call", default=None)


def current() -> Call:
    """The request that is answered here and now.

    :raises InvalidStateException: none is.
    """
    call = running.get()
    if call is None:
        raise InvalidStateException(None, "NO_REQUEST", "This can be called only while a request is answered")
    return call
