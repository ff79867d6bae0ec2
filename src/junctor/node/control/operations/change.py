"""What changes a running node: other flows, services that pause, go on or start again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from junctor.core.signals import SYSTEM
from junctor.errors import NotPausable
from junctor.flows.comparison import Changes
from junctor.node.alerting.outlook import Aside
from junctor.node.apply import Named, Over, apply_sources, sources_of
from junctor.node.control.entries import host_of
from junctor.node.control.table import operation
from junctor.node.views.status import ServiceStatus

if TYPE_CHECKING:
    from junctor.node.node import Node
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.node")


@operation("apply", permission="operate")
async def apply(
    node: Node,
    who: str,
    targets: list[Named] | None = None,
    over: Over | None = None,
    remove: list[str] | None = None,
    dry_run: bool = False,
    leave_runs: bool = False,
) -> list[Changes]:
    """Go over to what these flows say now, or, without ``targets``, those that the node has; ``over`` is then said over
    them. Answers what has changed. ``remove``: the names of flows that end.
    ``leave_runs``: also where workflows or conversations that are open lose their service."""
    more = over or Over()
    if targets is None and not remove:
        sources = sources_of(node, more.overrides())
    else:
        sources = [target.source() for target in targets or ()]
    return await apply_sources(node, sources, remove=remove or (), who=who, dry_run=dry_run, leave_runs=leave_runs)


def _of_users(node: Node) -> list[Host]:
    """All services but the node's own, and those that others need: who pauses everything wants to be told of it all the
    same."""
    return [host for host in node.engine.hosts.values() if host.flow != SYSTEM and not host.spec.permanent]


@operation("pause", permission="operate")
async def pause(node: Node, who: str, service: str | None = None, reason: str = "") -> list[str]:
    """Let a service rest, or all of them, until it is resumed. Answers the addresses."""
    hosts = [host_of(node.engine, service)] if service is not None else _of_users(node)
    for host in hosts:
        if host.spec.permanent:
            raise NotPausable(f"it cannot be paused: {host.spec.permanent}", where=host.address)
        await node.switches.pause(host, who, reason)
    return [host.address for host in hosts]


@operation("resume", permission="operate")
async def resume(node: Node, who: str, service: str | None = None) -> list[str]:
    """Let a paused service go on, and one that is held or finds the other side away try at once, or all of them. One
    that rests since the start, because its flow says so, goes on only when it is named. Answers the addresses of those
    that were."""
    hosts = [host_of(node.engine, service)] if service is not None else list(node.engine.hosts.values())
    named = service is not None
    paused = [host for host in hosts if host.address in node.switches.paused or (named and host.pause_reason)]
    for host in paused:
        await node.switches.resume(host, who)
    held = [host for host in hosts if host not in paused and host.probe()]
    for host in held:
        log.info("%s was told to try at once by %s", host.address, who or "somebody")
    return [host.address for host in (*paused, *held)]


@operation("restart", permission="operate")
async def restart(node: Node, who: str, service: str) -> ServiceStatus:
    """Stop a service and start it anew, also one that failed too often. Answers how it is then."""
    host = host_of(node.engine, service)
    log.info("%s was restarted by %s", host.address, who or "somebody")
    host.alert("restarted", f"{host.address} was restarted by {who or 'somebody'}")
    await node.restart(host)
    return next(one for one in node.status(Aside()).services if f"{one.flow}/{one.service}" == host.address)
