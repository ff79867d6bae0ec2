"""What the node knows of an endpoint: its routes, the sessions of its requests, and what is said to refused ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from junctor.core.facade import Headers, RouteBehind
from junctor.dialects.pip_services.commons.errors import ApplicationException, ErrorCategory
from junctor.dialects.pip_services.rpc.services.answers import error_answer
from junctor.dialects.pip_services.rpc.services.call import HEADERS, PARAMETER, header_text, read_query
from junctor.dialects.pip_services.rpc.services.route_table import RouteTable
from junctor.errors import JunctorError
from junctor.http import HttpError
from junctor.messages import session_called
from junctor.observe.hidden import unquoted
from junctor.observe.secrets import mask

_PARAMETER = PARAMETER.encode()
_HEADERS = tuple(name.encode() for name in HEADERS)
_CATEGORIES = {401: ErrorCategory.Unauthorized, 403: ErrorCategory.Unauthorized, 404: ErrorCategory.NotFound}
_FIXES = {
    "body-too-large": "Send less, or raise options.request_max_size of the endpoint in the configuration file.",
    "cross-site": "Call from a program, or name the site in cors_origins of the endpoint in the configuration file.",
    "host": "Call 127.0.0.1 or localhost, or set connection.host of the endpoint to 0.0.0.0 in the configuration file.",
}
"""What helps where the configuration of the endpoint says how the node listens."""


class EndpointFacade:
    """See :class:`junctor.core.facade.Facade`.

    :param table: the routes as they are now; None before there are any.
    :param configured: the configuration of the endpoint says how the node listens, and no flow file.
    :param lists: False for one of several that stand for the same routes.
    """

    def __init__(self, table: Callable[[], RouteTable | None], *, configured: bool, lists: bool = True) -> None:
        self._table = table
        self._configured = configured
        self._lists = lists

    def unlisted(self) -> EndpointFacade:
        """The same for a further route, so that nothing is told twice."""
        return EndpointFacade(self._table, configured=self._configured, lists=False)

    def routes(self) -> Sequence[RouteBehind] | None:
        if not self._lists:
            return ()
        table = self._table()
        return None if table is None else table.described()

    def session(self, query: bytes, headers: Headers) -> int:
        """That of the correlation id: requests of one are one session, in this node and in others."""
        if _PARAMETER in query:
            found = read_query(query.decode("latin-1")).get(PARAMETER)
            if found:
                return session_called(found)
        for name, value in headers:
            if name in _HEADERS and value:
                return session_called(header_text(value.decode("latin-1")))
        return 0

    def refusal(self, error: JunctorError) -> tuple[int, Headers, Any]:
        known = error if isinstance(error, HttpError) else None
        word, status = (error.code, error.status) if known is None else (known.word, known.http_status)
        fix = _FIXES.get(word) if self._configured else None
        text = mask(unquoted(f"{error.what[:1].upper()}{error.what[1:]}. {fix or error.fix}", error))
        category = _CATEGORIES.get(status, ErrorCategory.BadRequest if status < 500 else ErrorCategory.NoResponse)
        told = ApplicationException(category, None, word.upper().replace("-", "_"), text).with_status(status)
        made = error_answer(told)
        table = self._table()
        made.raw_headers = [*made.raw_headers, *(known.headers if known is not None else ())]
        if table is not None:
            made.raw_headers += table.cors.fixed
        if status == 503:
            made.raw_headers.append((b"retry-after", b"1"))
        return made.whole()
