"""The table of a listener: built-in parts, routes of services at their paths, actions at ``POST /SERVICE/ACTION``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from junctor.core.spec import ActionSpec, RouteSpec
from junctor.errors import ConfigurationError
from junctor.http.binding import Plan, plan_action, plan_route
from junctor.http.endpoints import Endpoint, ServiceEndpoint
from junctor.http.hosting import Host
from junctor.http.paths import PathTable
from junctor.http.problem import HttpError
from junctor.http.settings import HttpSettings

RESERVED = ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json")
RESERVED_BELOW = ("/health/", "/docs/", "/-/")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


class Opened(msgspec.Struct, frozen=True, eq=False):
    """One open entry of a service, with how its arguments are made and what its flow says about HTTP."""

    host: Host
    method: str
    path: str
    spec: RouteSpec | ActionSpec
    endpoint: Endpoint
    plan: Plan
    settings: HttpSettings


class Routes:
    """Which endpoint answers a request."""

    def __init__(self) -> None:
        self._opened: list[Opened] = []
        self._built_in: list[tuple[str, Endpoint]] = []
        self._fallback: list[tuple[str, Endpoint]] = []
        self._table: PathTable[Endpoint] = PathTable()

    def build_in(self, path: str, endpoint: Endpoint, *, yields: bool = False) -> None:
        """Open a part of the node for GET. ``yields`` leaves the path to a service that wants it."""
        (self._fallback if yields else self._built_in).append((path, endpoint))
        self._table = self._compile(self._opened)

    def attach(self, host: Host, settings: HttpSettings) -> None:
        opened = [*self._opened, *self._entries(host, settings)]
        self._table = self._compile(opened)
        self._opened = opened

    def detach(self, host: Host) -> None:
        self._opened = [one for one in self._opened if one.host is not host]
        self._table = self._compile(self._opened)

    def find(self, path: str, raw_path: bytes) -> tuple[dict[str, Endpoint], list[str]]:
        """:raises HttpError: 404, or 400 for a path that cannot be decoded."""
        found = self._table.find(path, raw_path)
        if found is None:
            raise HttpError(
                f"nothing answers at {ascii(path[:200])}",
                status=404,
                code="not-found",
                fix=self._nearest(path),
            )
        return found

    def __iter__(self) -> Iterator[Opened]:
        """The open entries of services, in the order of their attachment."""
        return iter(self._opened)

    def _entries(self, host: Host, settings: HttpSettings) -> Iterator[Opened]:
        prefix = settings.path
        for route in host.spec.routes:
            path, method = prefix + route.path, route.method.upper()
            where = f"{host.address}.{route.name}"
            _check(method, path, where)
            plan = plan_route(route.signature, path, method, where)
            yield Opened(host, method, path, route, ServiceEndpoint(host, route, plan, settings), plan, settings)
        for action in host.spec.actions:
            path = f"{prefix}/{host.service}/{action.name}"
            where = f"{host.address}.{action.name}"
            _check("POST", path, where)
            plan = plan_action(action.signature, where)
            yield Opened(host, "POST", path, action, ServiceEndpoint(host, action, plan, settings), plan, settings)

    def _compile(self, opened: Iterable[Opened]) -> PathTable[Endpoint]:
        table: PathTable[Endpoint] = PathTable()
        for path, endpoint in self._built_in:
            table.add("GET", path, endpoint)
        for one in opened:
            held = table.add(one.method, one.path, one.endpoint)
            if held is not None:
                raise ConfigurationError(
                    f"{one.method} {one.path} is wanted by {held.source} and by {one.endpoint.source}",
                    where=one.endpoint.source,
                    fix="Give one of them another path, or its flow a prefix: `http: {path: /name}`.",
                )
        for path, endpoint in self._fallback:
            table.add("GET", path, endpoint)  # a service that holds the path keeps it
        return table

    def _nearest(self, path: str) -> str:
        from difflib import get_close_matches

        known = sorted({one.path for one in self._opened})
        near = get_close_matches(path[:200], known, 1) if len(known) <= 1000 else []
        return f"Did you mean {near[0]}?" if near else "GET / lists what does."


def _check(method: str, path: str, where: str) -> None:
    if method not in METHODS:
        raise ConfigurationError(
            f"{method} is not a method of a route", where=where, fix=f"Use one of {', '.join(sorted(METHODS))}."
        )
    if path in RESERVED or path.startswith(RESERVED_BELOW):
        raise ConfigurationError(
            f"{path} is reserved for the node itself",
            where=where,
            fix="Choose another path; /health/*, /metrics, /docs, /openapi.json and /-/ belong to the node.",
        )
