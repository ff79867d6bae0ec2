"""From a container and its components to the specs that the engine runs."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from junctor.core.port import Port
from junctor.core.spec import Activity, Context, HandlerSpec, RouteSpec, ServiceSpec
from junctor.dialects.pip_services.hosting.calls import Calling, methods_of
from junctor.dialects.pip_services.hosting.client import ServiceClient, here
from junctor.dialects.pip_services.hosting.hosted import CONTAINER, STOP, Hosted, Part
from junctor.dialects.pip_services.hosting.turns import turn_of
from junctor.http import HttpError, Request, Response
from junctor.http.waiting import MustWait

DIALECT = "pip-services"
PATIENCE = 2.0
"""Seconds that a request waits for an endpoint to be opened."""

_LOOK = 0.01  # seconds between two looks at it


class Life:
    """The service that leads the life of the components."""

    def __init__(self, hosted: Hosted, port: Port) -> None:
        self.hosted = hosted
        self.port = port
        hosted.attach()
        hosted.turn = turn_of(port)

    def open(self) -> None:
        self.hosted.open(self.port)

    def close(self) -> None:
        self.hosted.close(self.port)


class Member:
    """The service that one component is. It works when its container is open."""

    def __init__(self, part: Part, port: Port) -> None:
        self.hosted = part.hosted
        self.part = part
        self.port = port
        self.hosted.attach()

    async def start(self) -> None:
        await self.hosted.opened()


class Answering:
    """The route of an endpoint: whatever is asked, its table answers.

    :param calls: whether something in the container calls other services, and needs the port.
    """

    def __init__(self, part: Part, port: Port, calls: bool) -> None:
        self._part = part
        self._port = port
        self._calls = calls

    def __call__(self, request: Request, rest: str | None = None) -> Response:
        if not self._calls:
            found: Response = self._table()(request, rest)
            return found
        token = here.set(self._port)
        try:
            answer: Response = self._table()(request, rest)
            return answer
        finally:
            here.reset(token)

    def function_of(self, request: Request, rest: str | None = None) -> Any:
        """What will answer a request; see :class:`~junctor.core.spec.RouteSpec`. What waits is a function of its own:
        it says nothing of the others."""
        endpoint = self._endpoint()
        return self._table if endpoint is None else endpoint.table.function_of(request, rest)

    def _table(self) -> Any:
        """Requests are answered from the moment on at which the endpoint says that it is open. One that comes a moment
        before, as while the container is started again, waits for it.

        :raises MustWait: on the event loop, which does not wait.
        """
        endpoint = self._endpoint()
        if endpoint is None and asyncio._get_running_loop() is not None:
            raise MustWait
        until = time.monotonic() + PATIENCE
        while endpoint is None and time.monotonic() < until:
            time.sleep(_LOOK)
            endpoint = self._endpoint()
        if endpoint is None:
            raise HttpError("the endpoint is not open", status=503, code="not-open", fix="Try again in a moment.")
        return endpoint.table

    def _endpoint(self) -> Any:
        """The endpoint as it is now, None where it is not open."""
        endpoint = self._part.hosted.opening(self._part.index)
        return endpoint if endpoint is not None and endpoint.is_open() else None


def container_spec(hosted: Hosted) -> ServiceSpec:
    """The service that opens and closes the components, in their order."""
    return ServiceSpec(
        name=CONTAINER,
        build=lambda context: Life(hosted, context.port),
        dialect=DIALECT,
        doc=_doc(type(hosted.container)),
        reads=hosted.container._config.files,
        origin=origin_of(type(hosted.container)),
        start=Activity(bind=lambda life: life.open, blocking=True),
        stop=Activity(bind=lambda life: life.close, blocking=True, patience=STOP),
    )


def part_spec(part: Part) -> ServiceSpec:
    """The service that a component is."""
    cls = type(part.first)
    return ServiceSpec(
        name=part.name,
        build=lambda context: Member(part, context.port),
        dialect=DIALECT,
        doc=_doc(cls),
        origin=origin_of(cls),
        handlers=_handlers(dict.fromkeys(methods_of(part), part)),
        routes=_routes(part, configured=True),
        # An endpoint answers as soon as it is open itself, whatever is opened behind it.
        start=None if part.hosts_http else Activity(bind=lambda member: member.start),
    )


def whole_spec(hosted: Hosted, name: str) -> ServiceSpec:
    """A container as one service among others: with the methods of its controllers, and the routes of its endpoint."""
    cls = type(hosted.container)
    methods = {method: part for part in reversed(hosted.parts) for method in methods_of(part)}
    return ServiceSpec(
        name=name,
        build=partial(_whole, hosted),
        reads=hosted.container._config.files,
        dialect=DIALECT,
        doc=_doc(cls),
        origin=origin_of(cls),
        handlers=_handlers(methods),
        routes=tuple(route for part in hosted.parts for route in _routes(part, configured=False)),
        start=Activity(bind=lambda life: life.open, blocking=True),
        stop=Activity(bind=lambda life: life.close, blocking=True, patience=STOP),
    )


def _whole(hosted: Hosted, context: Context) -> Life:
    return Life(hosted, context.port)


def _handlers(methods: Mapping[str, Part]) -> tuple[HandlerSpec, ...]:
    """Methods as handlers. Each takes any message, so of several the sender names one."""
    return tuple(_handler(part, name, len(methods) > 1) for name, part in methods.items())


def _handler(part: Part, name: str, by_name: bool) -> HandlerSpec:
    method = getattr(part.first, name, None)
    return HandlerSpec(
        name=name,
        accepts=Any,
        replies=Any,
        bind=lambda service: Calling(part, service.port, name),
        blocking=True,
        by_name=by_name,
        doc=inspect.getdoc(method) or "" if method is not None else "",
    )


def _routes(part: Part, *, configured: bool) -> tuple[RouteSpec, ...]:
    """Everything that is asked of the listener, but for what the node keeps to itself.

    :param configured: the configuration of the endpoint says how the node listens, and no flow file.
    """
    if not part.hosts_http:
        return ()
    # An endpoint is there: these are loaded.
    from junctor.dialects.pip_services.rpc.services.facade import EndpointFacade
    from junctor.dialects.pip_services.rpc.services.own_listener import routes_of

    # What waits for the engine must not run on its loop.
    calls = any(isinstance(other.first, ServiceClient) for other in part.hosted.parts)
    facade = EndpointFacade(lambda: getattr(part.hosted.opening(part.index), "table", None), configured=configured)
    return routes_of(lambda service: Answering(part, service.port, calls), adaptive=not calls, facade=facade)


def _doc(cls: type) -> str:
    own = cls.__doc__ if not cls.__module__.startswith(__name__.partition(".")[0] + ".") else None
    return inspect.cleandoc(own or "")


def origin_of(cls: type) -> str:
    """Where a class is written: file and line."""
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return cls.__module__
