"""About the node itself: how it is, what it has, and its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from junctor import __version__
from junctor.core.signals import SYSTEM
from junctor.node.alerting.outlook import put_aside
from junctor.node.control.table import operation
from junctor.node.views.describe import ServiceView, describe
from junctor.node.views.status import NodeStatus

if TYPE_CHECKING:
    from junctor.node.node import Node


class Pong(msgspec.Struct):
    """That the node is there, and which one it is."""

    node: str
    version: str
    pid: int


@operation("ping", permission="read")
async def ping(node: Node) -> Pong:
    """Whether the node answers."""
    return Pong(node.name, __version__, os.getpid())


@operation("status", permission="read")
async def status(node: Node) -> NodeStatus:
    """The node and its services at this moment."""
    return node.status(await node.read(put_aside))


class Health(msgspec.Struct):
    """How the node is, for probes. ``ready``: it takes work, and no service has failed; ``reasons`` say why not.

    ``well``: no service has failed; a node that starts or stops is well and not ready. ``waiting`` are the services
    that accept messages and do not handle them now, because they are held or paused.
    """

    node: str
    state: str
    ready: bool
    well: bool
    reasons: list[str]
    waiting: list[str]


@operation("health", permission="read")
async def health(node: Node) -> Health:
    """How the node is; asks only what is in memory, so that a probe is answered at once."""
    from junctor.http.pages.health import condition

    found = condition(node.engine.hosts, ready=node.engine.ready, stopping=node.engine.stopping)
    return Health(node.name, node.state.value, found.ready, found.well, found.reasons, found.waiting)


@operation("services", permission="read")
async def services(node: Node) -> list[ServiceView]:
    """What each service offers and where its targets lead."""
    flows = [flow for flow in node.engine.flows.values() if flow.name != SYSTEM]
    return [describe(flow, plan) for flow in flows for plan in flow.services]


@operation("stop", permission="operate")
async def stop(node: Node) -> None:
    """Stop cleanly. Answers at once; the node ends when its work in flight is done."""
    node.ask_stop("asked for by `junctor stop`")
