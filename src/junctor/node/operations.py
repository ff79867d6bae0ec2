"""What can be asked of a running node: one table for command line, clients, pages and hub.

Each operation is a function in this file with a permission and typed parameters. It does not know who asks, nor over
which wire; whoever serves it says which permissions the asker has.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import msgspec

from junctor import __version__
from junctor.core.port import Receipt
from junctor.errors import ConfigurationError, UnknownOperation, nearest
from junctor.flows.comparison import Changes
from junctor.node import answers, views
from junctor.node.apply import Named, Over, apply_sources, sources_of
from junctor.node.arguments import Parameters
from junctor.node.describe import ServiceView, describe
from junctor.node.entries import action_of, called_host, handler_for, host_of, refuse_reserved
from junctor.node.search import Filter
from junctor.node.status import NodeStatus, ServiceStatus, parked_counts
from junctor.node.wire import NotPermitted

if TYPE_CHECKING:
    from junctor.node.node import Node

log = logging.getLogger("junctor.node")

Permission = Literal["read", "send", "operate"]
"""``read`` changes nothing; ``send`` hands over messages; ``operate`` calls actions and stops things."""

ALL: frozenset[Permission] = frozenset(get_args(Permission))

Function = Callable[..., Any]


class Operation(msgspec.Struct, frozen=True):
    """A row of the table."""

    name: str
    permission: Permission
    doc: str
    run: Function
    parameters: Parameters


TABLE: dict[str, Operation] = {}


def operation(name: str, *, permission: Permission) -> Callable[[Function], Function]:
    """Put a function into the table: ``async def f(node, ...)`` with typed parameters.

    :raises ConfigurationError: the permission is not one, or the name is taken.
    """
    if permission not in ALL:
        raise ConfigurationError(f"{permission!r} is not a permission", where=name, fix=f"Give one of {sorted(ALL)}.")
    if name in TABLE:
        raise ConfigurationError(f'there are two operations "{name}"', where="node/operations.py")

    def register(function: Function) -> Function:
        TABLE[name] = Operation(
            name, permission, inspect.getdoc(function) or "", function, Parameters(function, skip=("node", "who"))
        )
        return function

    return register


async def perform(
    node: Node, name: str, arguments: Mapping[str, Any], permissions: Collection[Permission] = ALL, who: str = ""
) -> Any:
    """Do an operation.

    :param arguments: by name; values are JSON values, or still encoded as ``msgspec.Raw``.
    :param who: the name of the asker as the server of the wire knows it; operations that keep it have a ``who``.
    :raises UnknownOperation: there is none of this name, or the arguments have other names.
    :raises NotPermitted: the asker may not.
    :raises WrongArgument: an argument does not fit its type.
    """
    row = TABLE.get(name)
    if row is None:
        raise UnknownOperation(f'there is no operation "{name}"', fix=nearest(name, TABLE).rstrip())
    if row.permission not in permissions:
        raise NotPermitted(f'this needs the permission "{row.permission}"', where=name)
    bound = row.parameters.bind(arguments, name)
    if "who" in inspect.signature(row.run).parameters:
        bound["who"] = who
    return await row.run(node, **bound)


# The node ---------------------------------------------------------------------------------------------------


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
    return node.status(await node.read(parked_counts))


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
    return [describe(flow, plan) for flow in node.engine.flows.values() for plan in flow.services]


@operation("stop", permission="operate")
async def stop(node: Node) -> None:
    """Stop cleanly. Answers at once; the node ends when its work in flight is done."""
    node.ask_stop("asked for by `junctor stop`")


# Change -----------------------------------------------------------------------------------------------------


@operation("apply", permission="operate")
async def apply(
    node: Node,
    who: str,
    targets: list[Named] | None = None,
    over: Over | None = None,
    remove: list[str] | None = None,
    dry_run: bool = False,
) -> list[Changes]:
    """Go over to what these flows say now, or, without ``targets``, those that the node has; ``over`` is then said over
    them. Answers what has changed. ``remove``: the names of flows that end."""
    more = over or Over()
    if targets is None and not remove:
        sources = sources_of(node, more.overrides())
    else:
        sources = [target.source() for target in targets or ()]
    return await apply_sources(node, sources, remove=remove or (), who=who, dry_run=dry_run)


@operation("pause", permission="operate")
async def pause(node: Node, who: str, service: str | None = None, reason: str = "") -> list[str]:
    """Let a service rest, or all of them, until it is resumed. Answers the addresses."""
    hosts = [host_of(node.engine, service)] if service is not None else list(node.engine.hosts.values())
    for host in hosts:
        await node.switches.pause(host, who, reason)
    return [host.address for host in hosts]


@operation("resume", permission="operate")
async def resume(node: Node, who: str, service: str | None = None) -> list[str]:
    """Let a paused service go on, or all that are paused. Answers the addresses of those that were."""
    hosts = [host_of(node.engine, service)] if service is not None else list(node.engine.hosts.values())
    paused = [host for host in hosts if host.address in node.switches.paused]
    for host in paused:
        await node.switches.resume(host, who)
    return [host.address for host in paused]


@operation("restart", permission="operate")
async def restart(node: Node, who: str, service: str) -> ServiceStatus:
    """Stop a service and start it anew, also one that failed too often. Answers how it is then."""
    host = host_of(node.engine, service)
    log.info("%s was restarted by %s", host.address, who or "somebody")
    host.alert("restarted", f"{host.address} was restarted by {who or 'somebody'}")
    await node.restart(host)
    return next(one for one in node.status({}).services if f"{one.flow}/{one.service}" == host.address)


# Calls and messages -----------------------------------------------------------------------------------------


@operation("call", permission="operate")
async def call(
    node: Node, service: str, action: str, arguments: dict[str, Any] | None = None, text: bool = False
) -> Any:
    """Call an action and answer what it returns. ``text``: the arguments were typed, "5" may also be a number."""
    host = called_host(node.engine, service)
    return await action_of(host, action).call(host, arguments or {}, text)


@operation("send", permission="send")
async def send(
    node: Node,
    service: str,
    body: msgspec.Raw,
    type: str | None = None,
    key: str | None = None,
    headers: dict[str, str] | None = None,
    delay: float = 0.0,
    idempotency_key: str | None = None,
) -> Receipt:
    """Hand a message to a service; answers when it is accepted. ``type`` picks among several handlers."""
    refuse_reserved(headers)
    entry = handler_for(node.engine, host_of(node.engine, service), type)
    sending = entry.port.send(
        entry.link, entry.read(body), key=key, delay=delay, headers=headers, idempotency_key=idempotency_key
    )
    return cast(Receipt, await sending)  # None only inside a delivery


@operation("request", permission="send")
async def request(
    node: Node,
    service: str,
    body: msgspec.Raw,
    type: str | None = None,
    key: str | None = None,
    headers: dict[str, str] | None = None,
    timeout: float | None = None,
) -> Any:
    """Hand a message to a service and answer its reply."""
    refuse_reserved(headers)
    entry = handler_for(node.engine, host_of(node.engine, service), type)
    return await entry.port.request(entry.link, entry.read(body), key=key, timeout=timeout, headers=headers)


# What is stored ---------------------------------------------------------------------------------------------


@operation("messages", permission="read")
async def messages(
    node: Node,
    service: str | None = None,
    type: str | None = None,
    status: list[str] | None = None,
    session: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    before: int | None = None,
    limit: int = 50,
    bodies: bool = False,
) -> list[views.MessageView]:
    """Messages that fit all filters, newest first. ``bodies``: with body and headers."""
    filter = Filter(
        service=service,
        type=type,
        status=status,
        session=session,
        since=since,
        until=until,
        text=text,
        before=before,
        limit=limit,
    )
    hosted = list(node.engine.hosts)
    types = [kind.name for flow in node.engine.flows.values() for kind in flow.types]
    return await node.read(lambda archive: answers.messages(archive, filter, bodies, node.is_held, hosted, types))


@operation("trace", permission="read")
async def trace(node: Node, which: str, whole: bool = False) -> views.Trace:
    """A message with its causes and effects, or the session that begins with these digits.

    ``whole``: of a message, the whole session.
    """
    return await node.read(lambda archive: answers.trace(archive, which, whole, node.is_held))


@operation("parked", permission="read")
async def parked(
    node: Node, service: str | None = None, group: str | None = None, members: int = 0
) -> list[views.ParkedView]:
    """Parked messages, grouped by service, type, error and place in the code.

    ``group`` is the place or its first digits; ``members``: so many messages of each group.
    """
    hosted = list(node.engine.hosts)
    return await node.read(lambda archive: answers.parked(archive, service, group, members, hosted))


@operation("alerts", permission="read")
async def alerts(node: Node, limit: int = 50) -> list[views.AlertView]:
    """The latest alerts, newest first."""
    return await node.read(lambda archive: views.alerts(archive, max(1, min(limit, 1000))))
