"""How a service ends by its own action: alone on its node it ends the node, beside others it rests."""

from __future__ import annotations

from junctor.core.port import Port
from junctor.core.signals import SYSTEM
from junctor.core.spec import service_address
from junctor.node.here import nodes_here
from junctor.node.node import Node

REASON = "shutdown requested"


def shut_down(port: Port | None) -> None:
    """End the service behind a port. Callable from any thread; nothing happens without a node."""
    if port is None:
        return
    address = service_address(port.flow, port.service)
    for node, loop in nodes_here():
        if address in node.engine.hosts:
            loop.call_soon_threadsafe(_end, node, address)


def _end(node: Node, address: str) -> None:
    hosts = node.engine.hosts
    if all(host.flow == SYSTEM or host.address == address for host in hosts.values()):
        node.ask_stop(REASON)
    else:
        node.engine.supervisor.start(f"{address} shutdown", node.switches.pause(hosts[address], "the service", REASON))
