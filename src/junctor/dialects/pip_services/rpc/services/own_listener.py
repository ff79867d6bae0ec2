"""A small node of its own for an endpoint that no container hosts: a test, a script."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from junctor.core.spec import RouteSpec, ServiceSpec
from junctor.dialects.pip_services.rpc.services.facade import EndpointFacade
from junctor.dialects.pip_services.rpc.services.route_table import RouteTable
from junctor.http import Request, Response
from junctor.node.flow import Flow
from junctor.node.node import Node

NAME = "endpoint-http"
_REASON = "the endpoint was closed"


_OVER_THE_NODE = ("/", "/heartbeat", "/status")
"""Pages that the node has where no service asks for the very path."""


def routes_of(
    bind: Callable[[Any], Any], *, adaptive: bool = True, facade: EndpointFacade | None = None
) -> tuple[RouteSpec, ...]:
    """The routes of a node by which a table answers everything.

    :param bind: from the instance of the service to the table, or to what has the calls of one.
    :param adaptive: see :class:`RouteSpec`.
    :param facade: what the node knows of the table.
    """
    rest = RouteSpec(
        name=NAME,
        method="*",
        path="/{rest:path}",
        bind=bind,
        signature=_below,
        blocking=True,
        adaptive=adaptive,
        facade=facade,
    )
    further = None if facade is None else facade.unlisted()
    named = {f"{NAME}{path.replace('/', '-')}".rstrip("-") + "-page": path for path in _OVER_THE_NODE}
    pages = (
        msgspec.structs.replace(
            rest, name=name, path=path, bind=partial(_Page, bind, path), signature=_at, facade=further
        )
        for name, path in named.items()
    )
    return rest, *pages


class _Page:
    """The route of one path.

    :param bind: see :func:`routes_of`.
    """

    def __init__(self, bind: Callable[[Any], Any], path: str, service: Any) -> None:
        self._table = bind(service)
        self._rest = path.removeprefix("/")

    def __call__(self, request: Request) -> Response:
        answer: Response = self._table(request, self._rest)
        return answer

    def function_of(self, request: Request) -> Any:
        """What will answer a request; see :class:`RouteSpec`."""
        return self._table.function_of(request, self._rest)


def _below(request: Request, rest: str) -> Response:
    """The signature of the route of everything."""
    raise NotImplementedError


def _at(request: Request) -> Response:
    """The signature of a route of one path."""
    raise NotImplementedError


class OwnListener:
    """Listens in a thread, from :meth:`open` to :meth:`close`.

    :param http: the words of the section ``http`` of a flow, with ``host`` and ``port``.
    """

    def __init__(self, table: RouteTable, http: Mapping[str, Any]) -> None:
        routes = routes_of(lambda made: made, facade=EndpointFacade(lambda: table, configured=True))
        spec = ServiceSpec(name=NAME, build=lambda context: table, dialect="pip-services", routes=routes)
        limits = {key: value for key, value in http.items() if key not in ("host", "port")}
        self._flow = Flow(NAME, http=limits or None).add(spec)
        self._address = f"{http['host']}:{http['port']}"
        self._node: Node | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled = threading.Event()
        self._error: BaseException | None = None
        # A daemon: a script that forgets to close its endpoint ends anyway.
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on; one that was 0 has been chosen."""
        return urlsplit(self._node.url).port or 0 if self._node is not None else 0

    def open(self) -> None:
        """Returns when requests are answered.

        :raises JunctorError: the port cannot be used.
        """
        self._thread.start()
        self._settled.wait()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        if self._loop is not None and self._node is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._node.ask_stop, _REASON)
        self._thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 - told by who has opened it
            self._error = error
        finally:
            self._settled.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._flow.running(transport="memory", http=self._address) as node:
            self._node = node
            self._settled.set()
            await node.asked_to_stop()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
