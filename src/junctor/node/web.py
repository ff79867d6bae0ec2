"""The listener of a node: the routes and actions of its services, health, metrics, and a page that lists them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from junctor import __version__
from junctor.errors import PortInUse
from junctor.http.app import Site
from junctor.http.guard import Guard, is_loopback
from junctor.http.health import open_health
from junctor.http.index import open_index
from junctor.http.listener import Listener
from junctor.http.metrics import open_metrics
from junctor.node.address import Address

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.http")


class Web:
    """HTTP of one node on one address.

    :raises ConfigurationError: two services want the same path, or a reserved one.
    """

    def __init__(self, engine: Engine, address: Address, name: str) -> None:
        self._engine = engine
        self._address = address
        self._site = site = Site(guard=Guard(loopback=is_loopback(address.host)))
        open_health(site.routes, engine)
        open_metrics(
            site.routes,
            engine,
            lambda: site.requests,
            name=name,
            transport=engine.transport.name,
            version=__version__,
        )
        open_index(site.routes, engine)
        for host in engine.hosts.values():
            site.attach(host)
        self._listener = self._make(address.port)

    def _make(self, port: int) -> Listener:
        return Listener(self._site, spawn=self._engine.supervisor.start, host=self._address.host, port=port)

    @property
    def url(self) -> str:
        """The address to open on this machine."""
        return self._listener.url

    async def start(self) -> None:
        """Listen.

        :raises PortInUse: another process listens there, and the port was asked for.
        """
        try:
            await self._listener.start()
        except PortInUse:
            if not self._address.flexible:
                raise
            log.warning("port %d is in use, a free one is taken; --port or $PORT chooses one", self._address.port)
            self._listener = self._make(0)
            await self._listener.start()

    async def stop(self, grace: float) -> None:
        """Take no new requests, let those that run finish for ``grace`` seconds. Idempotent."""
        await self._listener.stop(grace)
