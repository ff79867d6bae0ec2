"""What the services of one flow have in common: their names and ids, and the state that is wanted of the node."""

from __future__ import annotations

import asyncio
import weakref
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from junctor.core.spec import service_address
from junctor.dialects.microservicebus.names import INTERNALS, resolve, service_id
from junctor.errors import UnknownTarget
from junctor.node.here import node_of

if TYPE_CHECKING:
    from junctor.core.spec import FlowPlan
    from junctor.node.node import Node
    from junctor.runtime.host import Host

T = TypeVar("T")

WHO = "msb-state"
"""Who stops and starts the custom services where the state says so."""

_buses: weakref.WeakKeyDictionary[object, dict[str, Bus]] = weakref.WeakKeyDictionary()
"""By the node, then by the name of the flow."""


class Bus:
    """The services of a flow, as they see each other. One for each flow of a node.

    ``debug`` says whether Debug lines are shown in the console. ``ids`` are those of the services of this dialect by
    their names, ``classes`` the names of the classes of custom services. ``changes`` counts those of the ids.
    ``failing`` are services whose ``Start`` has raised and has not worked since.
    ``wanted`` is what the cloud wants of the node, as services get it; None until Com has read what it knows of that.
    """

    def __init__(self, flow: str, node: Node | None) -> None:
        self.flow = flow
        self._node = None if node is None else weakref.ref(node)
        self.loop = asyncio.get_running_loop()
        self.debug = True
        self.wanted: Mapping[str, Any] | None = None
        self._enabled: bool | None = None
        self.ids: dict[str, str] = {}
        self.classes: dict[str, str] = {}
        self.changes = 0
        self.failing: set[str] = set()
        self._following: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # Names --------------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node | None:
        """The node that runs the flow; None where an engine alone does."""
        return None if self._node is None else self._node()

    @property
    def plan(self) -> FlowPlan | None:
        """The flow as it runs; another object after each change of it."""
        node = self.node
        return node.engine.flows.get(self.flow) if node is not None else None

    @property
    def hosts(self) -> Mapping[str, Host]:
        """All services of the flow by their names."""
        node = self.node
        hosts = list(node.engine.hosts.values()) if node is not None else ()
        return {host.service: host for host in hosts if host.flow == self.flow}

    def resolve(self, destination: str) -> str:
        """The service that a destination is.

        :raises UnknownTarget: there is none, or several.
        """
        hosts = self.hosts
        claimed = [
            name for name, own in list(self.ids.items()) if own == destination != service_id(name) and name in hosts
        ]
        if len(claimed) > 1:
            what = f"{destination!r} may be {' or '.join(claimed)}: each has given itself this id"
            raise UnknownTarget(what, fix=f"Write the name of the service: {claimed[0]}.")
        return claimed[0] if claimed else resolve(destination, hosts, self.classes)

    def id_of(self, address: str) -> str:
        """The id of the service with an address, as others name it: of one of another flow it is the address."""
        flow, _, name = address.rpartition("/")
        return self.ids.get(name, name) if flow in ("", self.flow) else address

    def join(self, name: str, cls: type) -> str:
        """A service of the dialect comes; its id. One that an instance before has given itself holds until the new one
        is made: messages for it wait meanwhile."""
        own = service_id(name)
        own = own if own not in self.hosts else name  # that of another one: sender beside sender_py
        self.ids.setdefault(name, own)
        if name not in INTERNALS:
            self.classes[name] = cls.__name__
        return own

    def claim(self, name: str, own: str) -> None:
        """A service is made: its id is this one, or one that it has given itself, such as ``com``."""
        if own != self.ids.get(name):
            self.ids[name] = own
            self.changes += 1

    @property
    def customs(self) -> tuple[str, ...]:
        """The names of the custom services."""
        return tuple(self.classes)

    # State --------------------------------------------------------------------------------------------------

    @property
    def enabled(self) -> bool:
        """Whether the custom services are not stopped by :meth:`set_enabled`, in an earlier life of the node either."""
        if self._enabled is None:
            node = self.node
            paused = {} if node is None else node.switches.paused
            self._enabled = not any(
                pause.who == WHO and service_address(self.flow, name) == address
                for address, pause in paused.items()
                for name in self.hosts
            )
        return self._enabled

    async def set_enabled(self, enabled: bool) -> None:
        """Start or stop the custom services. A stopped one gets no messages; they wait. Kept over restarts of the node.
        One that an operator has paused stays so. Callable from any loop."""
        await self.on_node(self._set_enabled(enabled))

    async def _set_enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        for name in self.customs:
            await self.follow(name)

    async def follow(self, name: str) -> bool:
        """Stop or start a custom service as the state says, where nothing else has stopped it; whether it may run. One
        that comes while the others are stopped is stopped, too. On the loop of the node."""
        async with self._following[name]:
            return await self._follow(name)

    async def _follow(self, name: str) -> bool:
        """Again after each change: another state may have come while that one was written."""
        node, address, runs = self.node, service_address(self.flow, name), True
        while node is not None and name in self.classes:
            host, pause = node.engine.hosts.get(address), node.switches.paused.get(address)
            if host is not None and not self.enabled and pause is None and host.pause_reason is None:
                runs = False
                await node.switches.pause(host, WHO, "the node is InActive")
            elif host is not None and self.enabled and pause is not None and pause.who == WHO:
                await node.switches.resume(host, WHO)
                runs = True
            else:
                break
        return runs

    def set_debug(self, on: bool) -> None:
        """Show Debug lines in the console, or not; the trace has them all the same. Callable from any thread."""
        self.debug = on

    def settings(self) -> dict[str, Any]:
        """What ``get_settings()`` answers."""
        node = self.node
        name = node.name if node is not None else self.flow
        state = "Active" if self.enabled else "InActive"
        return {"id": name, "nodeName": name, "state": state, "debug": self.debug, "tags": ["#ALL"], "flow": self.flow}

    @property
    def folder(self) -> Path:
        """Where the flow is: packages are installed below it."""
        node = self.node
        flows = node.flows if node is not None else ()
        sources = (flow.model.source for flow in flows if flow.plan.name == self.flow)
        found = next((source for source in sources if source is not None), None)
        return found.folder if found is not None else Path.cwd()

    async def on_node(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work on the loop of the node, from any loop."""
        if asyncio.get_running_loop() is self.loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))


def bus_of(flow: str, service: str) -> Bus:
    """The bus of a flow that the node of this loop runs."""
    node = node_of(service_address(flow, service))
    buses = _buses.setdefault(asyncio.get_running_loop() if node is None else node, {})
    if flow not in buses:
        buses[flow] = Bus(flow, node)
    return buses[flow]
