"""A container while it lives in a node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeGuard

from junctor.core.port import Port
from junctor.core.spec import service_address
from junctor.dialects.pip_services.commons.errors import InvalidStateException
from junctor.dialects.pip_services.components.build import IFactory
from junctor.dialects.pip_services.container.container import CONTEXT_INFO, Container, locators_of
from junctor.dialects.pip_services.container.refer.closing import Closing
from junctor.dialects.pip_services.container.refer.naming import told
from junctor.dialects.pip_services.hosting.names import component_name, distinct
from junctor.dialects.pip_services.hosting.turns import Turn
from junctor.errors import NotRunning
from junctor.node.here import node_of

STOP = 5.0
"""Seconds that a container has to close where its node stops."""

_REST = 0.5
"""Seconds of these for the container itself."""

CONTAINER = "container"
"""The name of the service that leads the life of the components."""


class Endpoint(Protocol):
    """What a component has that answers HTTP requests, and leaves it to others to listen."""

    hosted: bool
    served_at: str
    table: Any

    def listening(self, correlation_id: str | None = None) -> dict[str, Any]:
        """Where, in the words of the ``http`` section of a flow."""
        ...


def is_endpoint(component: Any) -> TypeGuard[Endpoint]:
    """Whether a component is one, told without importing the classes of HTTP."""
    return hasattr(component, "table") and callable(getattr(component, "listening", None))


class Part:
    """One component of a container. After a restart another object may be in its place.

    :param index: its place among the components.
    """

    def __init__(self, hosted: Hosted, index: int, locator: Any, component: Any) -> None:
        self.hosted = hosted
        self.index = index
        self.locator = locator
        self.first = component
        self.name = ""
        self.hosts_http = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and (self.index, self.hosted) == (other.index, other.hosted)

    def __hash__(self) -> int:
        return hash(self.index)

    @property
    def component(self) -> Any:
        """The component as it is now.

        :raises NotRunning: the container is not open.
        """
        return self.hosted.component(self.index)


class Hosted:
    """The life of a container in a node. Two are equal that would do the same: where a flow is loaded again, a
    container whose classes and configuration are what they were is not touched.

    ``turn`` is shared with what takes its place.

    :param failed: told of what keeps it from its first opening.
    :param ends: whether the process ends. Then who runs it closes the container, when all else has stopped: that may
        take longer than a node waits for one of its services.
    """

    def __init__(
        self,
        container: Container,
        failed: Callable[[Exception], object] | None = None,
        ends: Callable[[], bool] = lambda: False,
    ) -> None:
        self.container = container
        self.parts: list[Part] = []
        self.failed = failed
        self._ends = ends
        self._components: list[Any] = []
        self.turn = Turn()
        self._is_open = False
        self._open: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hosted) and (self is other or self._made_of() == other._made_of())

    def __hash__(self) -> int:
        return hash(type(self.container))

    def _made_of(self) -> Any:
        rows = [(str(one.locator), dict(one.config)) for one in self.container._config]
        return type(self.container), self.name, rows, [type(part.first) for part in self.parts]

    @property
    def name(self) -> str:
        return self.container.name

    @property
    def endpoint(self) -> Endpoint | None:
        """The component whose requests the node takes: the first endpoint."""
        return next((part.first for part in self.parts if part.hosts_http), None)

    def compose(self) -> None:
        """Make and configure the components, to learn what there is.

        Whatever a constructor or ``configure`` raises comes out of here.
        """
        references = self.container.compose(self.name)
        found = [(locator, component) for locator, component in locators_of(references)]
        self.parts = [
            Part(self, index, locator, component)
            for index, (locator, component) in enumerate(found)
            if not isinstance(component, IFactory) and not (locator is CONTEXT_INFO and _is_told_again(found))
        ]
        endpoint = next((part for part in self.parts if is_endpoint(part.first)), None)
        if endpoint is not None:
            endpoint.hosts_http = True
        names = distinct([component_name(part.locator) for part in self.parts], [CONTAINER])
        for part, name in zip(self.parts, names, strict=True):
            part.name = name

    def attach(self) -> None:
        """The node begins to host it. Called on its loop."""
        if self._open is None:
            self._open, self._loop = asyncio.Event(), asyncio.get_running_loop()

    def open(self, port: Port) -> None:
        """Open the container: link and open the components, in a thread of its service.

        A container that is still being closed is waited for. Whatever a component raises comes out of here, unless
        somebody is told of what keeps a container from its first opening: then it is left to them.

        :raises InvalidStateException: a component is being closed and does not come to its end.
        """
        try:
            with self.turn.to_open(port, self.name):
                self._prepare(port)
                self.container._tells_failures = self.failed is not None  # else the node does
                self.container.open(self.name)
        except (Exception, SystemExit) as error:
            if self.failed is None:
                raise
            self.failed(_ended(error) if isinstance(error, SystemExit) else error)
            return
        self.failed = None
        self._tell(True)

    def _prepare(self, port: Port) -> None:
        """Let the components know that they are in a node. They are made anew after a close."""
        from junctor.dialects.pip_services.hosting.client import ServiceClient

        references = self.container.compose(self.name)
        references.closing = self.turn.closing = Closing()
        self._components = components = references.get_all()
        for part in self.parts:
            if part.hosts_http:
                endpoint = components[part.index]
                endpoint.hosted, endpoint.served_at = True, _elsewhere(endpoint, port)
        for component in components:
            if isinstance(component, ServiceClient):
                component.port = port

    def close(self, port: Port) -> None:
        """Close the container: the components, the last one first. Where the node stops, in the time that it has;
        else a component may take its time, and :meth:`open` waits for it."""
        self._tell(False)
        if not self._ends():
            self.close_within(None if _stays(port) else STOP - _REST)

    def close_within(self, seconds: float | None) -> None:
        """Close the container. A component that takes longer is named, and does not keep the others from it.

        Whatever a component raises comes out of here.

        :param seconds: for all of it; None for as long as it takes.
        """
        with self.turn.to_close(seconds):
            self.container.close(self.name)

    def _tell(self, is_open: bool) -> None:
        self._is_open = is_open
        if self._open is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._open.set if is_open else self._open.clear)

    async def opened(self) -> None:
        """Return when the container is open."""
        assert self._open is not None, "it is attached before"
        await self._open.wait()

    def component(self, index: int) -> Any:
        """A component as it is now.

        :raises NotRunning: the container is not open.
        """
        if not self._is_open:
            fix = f"Try again in a moment; `junctor status` shows how {CONTAINER} starts."
            raise NotRunning(f"the container {self.name} is not open", fix=fix)
        return self._components[index]

    def opening(self, index: int) -> Any:
        """A component also while others are still opened; None before it is made."""
        return self._components[index] if self._components else None


def _stays(port: Port) -> bool:
    """Whether the node of a service goes on, so that the service is only started again, or taken out."""
    return node_of(service_address(port.flow, port.service)) is not None


def _elsewhere(endpoint: Endpoint, port: Port) -> str:
    """Where the flow of a service has the routes of the endpoint, when that is not where it is configured to listen."""
    node = node_of(service_address(port.flow, port.service))
    url = node.listeners.url_of(port.flow) if node is not None else ""
    return "" if url.endswith(f":{endpoint.listening()['port']}") else url


def _ended(error: SystemExit) -> Exception:
    """What a component means that calls ``sys.exit``: in a thread that would end nothing."""
    return InvalidStateException(None, "EXITED", told(error)).with_cause(error)


def _is_told_again(found: list[tuple[Any, Any]]) -> bool:
    """Whether the configuration has context information of its own."""
    return len([True for locator, _ in found if CONTEXT_INFO == locator]) > 1
