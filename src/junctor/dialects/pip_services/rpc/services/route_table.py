"""The routes of an endpoint, and which of them answers a request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import msgspec

from junctor.core.facade import RouteBehind
from junctor.dialects.pip_services.commons.errors import ApplicationException, ErrorCategory, NotFoundException
from junctor.dialects.pip_services.rpc.services.answers import Failed, empty, error_answer
from junctor.dialects.pip_services.rpc.services.arguments import names_of
from junctor.dialects.pip_services.rpc.services.cors import CorsHeaders
from junctor.dialects.pip_services.rpc.services.pattern import Pattern
from junctor.http import Request, Response

Entry = Callable[[Request, dict[str, Any]], Response]
"""What answers at a route: called with the request and the values of its path."""

ANY = "ANY"
_WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS")
_MOST_KNOWN = 1000
"""Routes among which a likeness is looked for."""


class RouteTable:
    """Routes by path and method. Of two that fit a path, one without values in it goes first, then the older one.

    ``cors`` says which headers every answer gets. A table is what a route of a node is bound to: it is called with the
    request, and says which function will answer it.
    """

    def __init__(self, cors: CorsHeaders | None = None) -> None:
        self.cors = cors or CorsHeaders()
        self._fixed: dict[str, dict[str, Entry]] = {}
        self._patterns: dict[str, tuple[Pattern, dict[str, Entry]]] = {}

    def __len__(self) -> int:
        return len(self.routes)

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Method and path of each."""
        places = [*self._fixed.items(), *((route, entries) for route, (_, entries) in self._patterns.items())]
        return [(method, route) for route, entries in places for method in entries]

    def described(self) -> tuple[RouteBehind, ...]:
        """Each with what a caller should know, in the order in which they were entered, those without values first."""
        fixed = ((Pattern(route), entries) for route, entries in self._fixed.items())
        places = [*fixed, *self._patterns.values()]
        return tuple(
            _described(pattern, method, entry) for pattern, entries in places for method, entry in entries.items()
        )

    def add(self, method: str, route: str, entry: Entry) -> None:
        """Enter a route; one of the same method and path is replaced.

        :param method: GET, POST ... in any case; ANY takes every one without a route of its own.
        :param route: a path as the bottle package writes it, see :class:`Pattern`.
        :raises ConfigException: the path cannot be read.
        """
        pattern = Pattern(route)
        if pattern.fixed:
            entries = self._fixed.setdefault(route, {})
        else:
            entries = self._patterns.setdefault(route, (pattern, {}))[1]
        entries[method.upper()] = entry

    def __call__(self, request: Request, rest: str | None = None) -> Response:
        """As a route of a node.

        What a handler raised and did not mean to send comes out of here, with its answer in ``response``, so that the
        call counts as failed.

        :param rest: the path below that of the flow, without its first slash; None: that of the request.
        """
        made = self.answer(_below(request, rest))
        if isinstance(made, Failed):
            made.error.response = made.plain()  # type: ignore[attr-defined]
            raise made.error
        return made

    def function_of(self, request: Request, rest: str | None = None) -> Entry | None:
        """What will answer a request, None where nothing of the program does."""
        request = _below(request, rest)
        fixed = self._fixed.get(request.path)
        if fixed is not None and request.method in fixed:
            return fixed[request.method]
        found = (_entry_for(entries, request.method) for entries, _ in self._fitting(request.path))
        return next((entry for entry in found if entry is not None), None)

    def remove(self, method: str, route: str) -> None:
        """Take a route out, where it is there."""
        places = {**self._fixed, **{path: entries for path, (_, entries) in self._patterns.items()}}
        places.get(route, {}).pop(method.upper(), None)
        if not places.get(route, True):
            self._fixed.pop(route, None)
            self._patterns.pop(route, None)

    def answer(self, request: Request) -> Response:
        """The answer of the route that fits; 404 and 405 as JSON; what browsers ask before a request of a page."""
        fixed = self._fixed.get(request.path)
        entry = fixed.get(request.method) if fixed is not None else None
        made = entry(request, {}) if entry is not None else self._search(request)
        made.raw_headers += self.cors.of(request)
        return made

    def _search(self, request: Request) -> Response:
        allowed: set[str] = set()
        for entries, values in self._fitting(request.path):
            entry = _entry_for(entries, request.method)
            if entry is not None:
                return entry(request, values)
            allowed.update(entries)
        if not allowed:
            return error_answer(self._not_found(request.path))
        return _without_entry(request.method, allowed)

    def _fitting(self, path: str) -> list[tuple[dict[str, Entry], dict[str, Any]]]:
        fixed = self._fixed.get(path)
        found: list[tuple[dict[str, Entry], dict[str, Any]]] = [] if fixed is None else [(fixed, {})]
        for pattern, entries in self._patterns.values():
            values = pattern.match(path)
            if values is not None:
                found.append((entries, values))
        return found

    def _not_found(self, path: str) -> ApplicationException:
        known = [*self._fixed, *self._patterns]
        near = get_close_matches(path[:200], known, 1) if len(known) <= _MOST_KNOWN else []
        hint = f"; did you mean {near[0]}?" if near else ""
        error = NotFoundException(None, "ROUTE_NOT_FOUND", f"There is no route {path[:200]}{hint}")
        return error.with_details("path", path[:200])


def _below(request: Request, rest: str | None) -> Request:
    """The request as the container knows it: where its flow has a path, its routes are below that."""
    if rest is None or request.path == (path := f"/{rest}"):
        return request
    return msgspec.structs.replace(request, path=path)


def _described(pattern: Pattern, method: str, entry: Entry) -> RouteBehind:
    handler = getattr(entry, "handler", entry)
    name = getattr(handler, "__name__", "")
    takes_body = method not in _WITHOUT_BODY
    return RouteBehind(
        name=name.strip("_") if name.isidentifier() else f"{method.lower()} {pattern.braced}",
        method="*" if method == ANY else method,
        path=pattern.braced,
        values=pattern.values,
        queries=() if takes_body else tuple(name for name in names_of(handler) if name not in pattern.names),
        takes_body=takes_body,
        doc=inspect.getdoc(handler) or "",
    )


def _entry_for(entries: dict[str, Entry], method: str) -> Entry | None:
    found = entries.get(method)
    if found is None and method == "HEAD":
        found = entries.get("GET")
    return entries.get(ANY) if found is None else found


def _without_entry(method: str, allowed: set[str]) -> Response:
    methods = sorted({*allowed, "OPTIONS", *(("HEAD",) if "GET" in allowed else ())})
    if method == "OPTIONS":
        made = empty()
    else:
        text = f"The route does not take {method}; it takes {', '.join(sorted(allowed))}"
        error = ApplicationException(ErrorCategory.BadRequest, None, "METHOD_NOT_ALLOWED", text).with_status(405)
        made = error_answer(error)
    made.raw_headers.append((b"allow", ", ".join(methods).encode()))
    return made
