"""Whether a node has listeners: from the start, or from the change on that brings the first service with a door."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from junctor.flows import Wiring
from junctor.node.address import Address
from junctor.node.web import Web, has_doors

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.node")


class Listeners:
    """The listeners of a node. ``web`` has them, None where there are none yet.

    :param address: where the main listener is; None: there is none at the start.
    :param when_needed: where one is opened for a flow that comes later and has a route or an action.
    """

    def __init__(self, engine: Engine, address: Address | None, when_needed: Address | None) -> None:
        self.web: Web | None = None
        self._engine = engine
        self._address = address
        self._when_needed = when_needed
        self._name = ""

    async def open(self, flows: Sequence[Wiring], name: str) -> None:
        """Open those that the node begins with.

        :param name: the name of the node.
        :raises ConfigurationError: two services want the same path.
        :raises PortInUse: one cannot be opened.
        """
        self._name = name
        if self._address is not None:
            self.web = Web(self._engine, flows, self._address, name)
            await self.web.start()

    async def change(self, flows: Sequence[Wiring], gone: Sequence[Host], come: Sequence[Host]) -> None:
        """Let the listeners lead to other services.

        :raises ConfigurationError: two services want the same path; nothing has changed then.
        :raises PortInUse: a new listener cannot be opened; nothing has changed then.
        """
        web = self._web_for(come)
        if web is not None:
            await web.change(flows, gone, come)
            self.web = web
            return
        for host in come:
            if host.spec.routes or host.spec.sockets:
                text = "%s has routes, and this node has no listener: nobody reaches them until it is started with one"
                log.warning(text, host.address)

    def check(self, flows: Sequence[Wiring], gone: Sequence[Host], come: Sequence[Host]) -> None:
        """Find what :meth:`change` would find, and change nothing.

        :raises ConfigurationError: as there.
        :raises PortInUse: as there.
        """
        web = self._web_for(come)
        if web is not None:
            web.check(flows, gone, come)

    def _web_for(self, come: Sequence[Host]) -> Web | None:
        """The listeners; one that is not open yet where these services need the first."""
        address = self._when_needed
        if self.web is not None or address is None or not any(has_doors(host.spec) for host in come):
            return self.web
        return Web(self._engine, (), address, self._name, closed=True)

    async def stop(self, grace: float) -> None:
        """Close them; requests have ``grace`` seconds to end."""
        if self.web is not None:
            await self.web.stop(grace)

    def url_of(self, flow: str) -> str:
        """Where the routes of a flow are, empty where it has no listener."""
        return self.web.url_of(flow) if self.web is not None else ""

    @property
    def urls(self) -> list[str]:
        """The addresses of all listeners, the main one first."""
        return self.web.urls if self.web is not None else []
