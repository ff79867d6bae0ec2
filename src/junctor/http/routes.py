"""The table of a listener: built-in parts, routes of services at their paths, actions at ``POST /SERVICE/ACTION``.

What a flow asks for (keys, other origins, idempotency) is put around its endpoints when they are opened: an endpoint
that needs none of it is in the table as it is, and its requests pay for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from junctor.core.facade import Facade
from junctor.core.spec import ActionSpec, RouteSpec, SocketSpec
from junctor.errors import ConfigurationError, JunctorError
from junctor.http import problem
from junctor.http.access.cors import Shared, Sharing
from junctor.http.access.keys import Keyed, Keys
from junctor.http.endpoints import Answer, Endpoint, ServiceEndpoint
from junctor.http.hosting import Host
from junctor.http.idempotency import Idempotent, Ledger
from junctor.http.paths import ANY, PathTable, entry_for
from junctor.http.problem import HttpError
from junctor.http.requests.binding import Plan, plan_action, plan_route
from junctor.http.settings import ApiKey, HttpSettings
from junctor.http.sockets import WEBSOCKET, SocketEndpoint, Sockets

RESERVED = ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json")
RESERVED_BELOW = ("/health/", "/docs/", "/-/")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OPEN = ("health", "docs")
"""Built-in parts for everyone: probes have no key, and the page of the documentation, the same for every node, asks for
one before it reads what runs here."""
REPEATED = frozenset({"POST", "PATCH"})
"""Methods whose repetition ``Idempotency-Key`` makes harmless; that of the others is, or should be, by itself."""


class Opened(msgspec.Struct, frozen=True, eq=False):
    """One open entry of a service, with how its arguments are made and what its flow says about HTTP.

    ``endpoint`` is the entry itself, ``door`` what requests come to first. ``repeatable``: it reads an
    ``Idempotency-Key``.
    """

    host: Host
    method: str
    path: str
    spec: RouteSpec | ActionSpec | SocketSpec
    endpoint: Endpoint
    plan: Plan
    settings: HttpSettings
    door: Endpoint
    repeatable: bool = False


class Routes:
    """Which endpoint answers a request.

    :param keys: they open what is built in, except health, which probes must reach, and the empty page of ``/docs``.
    :param ledger: keeps answers for requests with an ``Idempotency-Key``; None: the header is not read.
    :param live: the WebSockets of the listener.
    """

    def __init__(
        self, *, keys: Sequence[ApiKey] = (), ledger: Ledger | None = None, live: Sockets | None = None
    ) -> None:
        self._keys = Keys(keys) if keys else None
        self._key_sets: dict[tuple[ApiKey, ...], Keys] = {}
        self._ledger = ledger
        self._live = live if live is not None else Sockets()
        self._shares = False
        self._opened: list[Opened] = []
        self._built_in: list[tuple[str, Endpoint]] = []
        self._fallback: list[tuple[str, Endpoint]] = []
        self._table: PathTable[Endpoint] = PathTable()

    @property
    def shares(self) -> bool:
        """Whether pages of other origins may call something here."""
        return self._shares

    @property
    def sockets(self) -> list[Opened]:
        """The WebSockets of services."""
        return [one for one in self._opened if isinstance(one.spec, SocketSpec)]

    def build_in(self, path: str, endpoint: Endpoint, *, yields: bool = False) -> None:
        """Open a part of the node for GET. ``yields`` leaves the path to a service that wants it."""
        if self._keys is not None and endpoint.source not in _OPEN:
            endpoint = Keyed(endpoint, self._keys)
        (self._fallback if yields else self._built_in).append((path, endpoint))
        self._table = self._compile(self._opened)

    def attach(self, host: Host, settings: HttpSettings) -> None:
        """Open all entries of a service as the ``http`` section of its flow says.

        :raises ConfigurationError: a path is reserved, unreadable or taken; nothing of the service is open then.
        """
        opened = [*self._opened, *self._entries(host, settings)]
        self._table = self._compile(opened)
        self._opened = opened
        self._shares = self._shares or settings.cors is not None

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

    def refusal(self, error: JunctorError, method: str, path: str, raw_path: bytes) -> Answer:
        """The answer to a request that no service has seen, in the words of the system that it was for."""
        facades = self._facades
        facade = self._facade_for(facades, method, path, raw_path) if facades else None
        return problem.of_error(error) if facade is None else facade.refusal(error)

    def _facade_for(self, facades: dict[str, Facade], method: str, path: str, raw_path: bytes) -> Facade | None:
        try:
            entries, _ = self.find(path, raw_path)
        except HttpError:  # nobody can say for whom it was, unless there is only one
            return next(iter(facades.values())) if len(facades) == len(self._opened) else None
        endpoint = entry_for(entries, method)
        return None if endpoint is None else facades.get(endpoint.source)

    @property
    def _facades(self) -> dict[str, Facade]:
        """Those of routes that stand for routes of another system, by what errors call the route."""
        found = ((one.endpoint.source, one.spec) for one in self._opened if isinstance(one.spec, RouteSpec))
        return {source: spec.facade for source, spec in found if spec.facade is not None}

    def __iter__(self) -> Iterator[Opened]:
        """The open routes and actions of services, in the order of their attachment."""
        return (one for one in self._opened if not isinstance(one.spec, SocketSpec))

    def _entries(self, host: Host, settings: HttpSettings) -> Iterator[Opened]:
        prefix = settings.path
        keys = self._keys_of(settings)
        sharing = Sharing(settings.cors, keys=keys is not None) if settings.cors is not None else None

        def opened(method: str, path: str, spec: RouteSpec | ActionSpec, plan: Plan) -> Opened:
            endpoint = ServiceEndpoint(host, spec, plan, settings)
            door = self._door(endpoint, method, settings, keys, sharing)
            return Opened(host, method, path, spec, endpoint, plan, settings, door, self._repeatable(method))

        for route in host.spec.routes:
            path, method = prefix + route.path, route.method.upper()
            where = f"{host.address}.{route.name}"
            _check(method, path, where)
            _check_status(route.status, where)
            yield opened(method, path, route, plan_route(route.signature, path, method, where))
        for action in host.spec.actions:
            path = f"{prefix}/{host.service}/{action.name}"
            where = f"{host.address}.{action.name}"
            _check("POST", path, where)
            yield opened("POST", path, action, plan_action(action.signature, where))
        for socket in host.spec.sockets:
            path = prefix + socket.path
            _check("GET", path, f"{host.address}.{socket.name}")
            live = SocketEndpoint(host, socket, path, self._live, settings, keys, sharing)
            yield Opened(host, WEBSOCKET, path, socket, live, live.plan, settings, live)

    def _keys_of(self, settings: HttpSettings) -> Keys | None:
        if not settings.keys:
            return None
        return self._key_sets.setdefault(settings.keys, Keys(settings.keys))

    def _repeatable(self, method: str) -> bool:
        return self._ledger is not None and method in REPEATED

    def _door(
        self, endpoint: Endpoint, method: str, settings: HttpSettings, keys: Keys | None, sharing: Sharing | None
    ) -> Endpoint:
        if self._ledger is not None and self._repeatable(method):
            endpoint = Idempotent(endpoint, self._ledger, settings)
        if sharing is not None:
            endpoint = Shared(endpoint, sharing)
        return Keyed(endpoint, keys) if keys is not None else endpoint

    def _compile(self, opened: Sequence[Opened]) -> PathTable[Endpoint]:
        table: PathTable[Endpoint] = PathTable()
        for path, endpoint in self._built_in:
            table.add("GET", path, endpoint)
        for one in opened:
            held = table.add(one.method, one.path, one.door)
            if held is not None:
                raise _clash(one, held.source)
        whole = {one.path for one in opened if one.method == ANY}
        for path, endpoint in self._fallback:
            if path not in whole:
                table.add("GET", path, endpoint)  # a service that holds the path keeps it
        return table

    def _nearest(self, path: str) -> str:
        if self._keys is not None or self._key_sets:
            return "Look at the address again."  # which paths there are is for callers with a key

        from difflib import get_close_matches

        known = sorted({one.path for one in self._opened})
        near = get_close_matches(path[:200], known, 1) if len(known) <= 1000 else []
        return f"Did you mean {near[0]}?" if near else "GET / lists what does."


def _clash(one: Opened, held: str) -> ConfigurationError:
    """Two want the same path; or all that is asked below it, as they stand for the routes of another system."""
    source = one.endpoint.source
    if getattr(one.spec, "facade", None) is None:
        what, fix = f"{one.method} {one.path}", "Give one of them another path, or its flow a prefix"
        return ConfigurationError(
            f"{what} is wanted by {held} and by {source}", where=source, fix=f"{fix}: `http: {{path: /name}}`."
        )
    first, second = held.partition(".")[0], source.partition(".")[0]
    path = f"/{one.host.service if first.startswith(f'{one.host.flow}/') else one.host.flow}"
    return ConfigurationError(
        f"all that is asked of the listener is wanted by {first} and by {second}",
        where=source,
        fix=f"Write each in a flow file of its own, one with a path, `http: {{path: {path}}}`, and name both files.",
    )


def _check_status(status: int, where: str) -> None:
    if not 200 <= status <= 599:
        raise ConfigurationError(f"{status} is no status of an answer", where=where, fix="Use one from 200 to 599.")


def _check(method: str, path: str, where: str) -> None:
    if method not in METHODS and method != ANY:
        fix = f'Use one of {", ".join(sorted(METHODS))}, or "{ANY}" for all.'
        raise ConfigurationError(f"{method} is not a method of a route", where=where, fix=fix)
    if path in RESERVED or path.startswith(RESERVED_BELOW):
        raise ConfigurationError(
            f"{path} is reserved for the node itself",
            where=where,
            fix="Choose another path; /health/*, /metrics, /docs, /openapi.json and /-/ belong to the node.",
        )
