"""The nodes that run in this process, for code that was handed none of them: a call on a class, another thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from junctor.node.node import Node

_running: dict[Node, asyncio.AbstractEventLoop] = {}


def arrive(node: Node) -> None:
    """The node is open, on the loop that runs now."""
    _running[node] = asyncio.get_running_loop()


def leave(node: Node) -> None:
    """The node stops. Idempotent."""
    _running.pop(node, None)


def nodes_here() -> list[tuple[Node, asyncio.AbstractEventLoop]]:
    """Each node of this process with its event loop, the first opened first. Callable from any thread."""
    return list(_running.items())


def node_of(address: str) -> Node | None:
    """The node of this process that hosts the service of this address, None where none does or it stops."""
    return next((node for node, _ in nodes_here() if address in node.engine.hosts), None)
