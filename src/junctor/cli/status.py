"""``junctor status``: the node and its services."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from junctor.cli import tables, words
from junctor.cli.options import json_option, node_option, reading, said_after
from junctor.node.views.status import NodeStatus, ServiceStatus
from junctor.node.views.stopped import PATIENCE

SLOW_LOOP = 0.1  # seconds of lag from which the status mentions it

_LONGEST_NOTE = 80

_BLOCKED = (
    "The node does not answer: its event loop is blocked, since when is not known; its log names what blocks it "
    f"(`junctor logs`). Waiting up to {PATIENCE:g} s"
)


@click.command("status")
@node_option
@json_option
def command(node: str | None, as_json: bool) -> None:
    """Show the node and its services.

    QUEUED messages wait for their handler, RUNNING ones are in it; DONE and FAILED count since the node started, PARKED
    is what was put aside and waits for you. A service that the node has no more is listed as removed for as long as
    something of it waits, or it is paused. A note tells why a service does not run, or the last error of one
    that does.
    """
    with reading(node) as source, said_after(_BLOCKED):
        status = source.status()
    if as_json:
        click.echo(words.json_text(status))
        return
    _head(status)
    heads = ("service", "state", "queued", "running", "done", "retried", "failed", "parked", "restarts", "note")
    several = len({*status.flows, *(service.flow for service in status.services)}) > 1
    rows = [_row(service, several) for service in status.services]
    if rows:
        click.echo()
        tables.show(heads, rows, right="queued running done retried failed parked restarts")


def _head(status: NodeStatus) -> None:
    facts = [tables.word(status.state), *(f"flow {flow}" for flow in status.flows)]
    if status.pid:
        facts += [f"pid {status.pid}", f"up {words.duration(status.uptime)}"]
    click.echo(f"node {status.node}  {'  '.join(facts)}")
    click.echo(f"store {status.store}" + (f" ({status.transport})" if status.transport else "") + _size(status))
    for url in status.urls:
        click.echo(f"http {url}")
    if status.loop_lag > SLOW_LOOP:
        click.echo(f"the event loop is {words.duration(status.loop_lag)} late: a handler blocks it")
    if status.damaged:
        click.echo(f"{status.damaged} of the latest messages are damaged: junctor messages")
    for service in status.services:
        if service.state == "failed":
            address = words.safe(f"{service.flow}/{service.service}")
            click.echo(f"{address} stays stopped: junctor restart {address}")
    if status.parked:
        click.echo(f"{status.parked} parked: junctor parked")
    if status.suspended:
        runs = "1 run" if status.suspended == 1 else f"{status.suspended} runs"
        click.echo(f"{runs} suspended: junctor workflows --status suspended")
    if status.alerts:
        click.echo(f"{status.alerts} alert{'' if status.alerts == 1 else 's'} open: junctor alerts")


def _size(status: NodeStatus) -> str:
    """``  12.0 MB of 5.0 GB; 66.0 GB free on its disk``."""
    store = status.store_size
    if store is None:
        return ""
    limit = f" of {words.size(store.limit)}" if store.limit else ""
    return f"  {words.size(store.size)}{limit}; {words.size(store.free)} free on its disk"


def _row(service: ServiceStatus, several: bool) -> tuple[str, ...]:
    counts = (
        service.queued,
        service.in_flight,
        service.done,
        service.retried,
        service.failed,
        service.parked,
        service.restarts,
    )
    name = f"{service.flow}/{service.service}" if several else service.service
    return (name, service.state, *map(str, counts), words.short(_note(service), _LONGEST_NOTE))


def _note(service: ServiceStatus) -> str:
    if service.state == "held":
        return f"{service.reason}{_probe(service)}"
    if service.away:
        tail = _next_try(service)
        return words.short(service.reason, _LONGEST_NOTE - len(tail)) + tail
    if service.reason:
        return service.reason
    slow = [one for one in service.running if one.seconds >= 1]
    if slow:
        return f"{slow[0].handler} has been running for {words.duration(slow[0].seconds)} ({slow[0].message})"
    return f"last error{_ago(service)}: {service.last_error}" if service.last_error else ""


def _probe(service: ServiceStatus) -> str:
    """Since when a service is held, and when it tries again."""
    now = datetime.now(UTC)
    since = f"; held for {words.duration((now - service.since).total_seconds())}" if service.since else ""
    left = (service.next_probe - now).total_seconds() if service.next_probe else 0.0
    return since + (f", tries in {words.duration(left)}" if left >= 1 else "")


def _next_try(service: ServiceStatus) -> str:
    """When ticks or ``loop()`` that find the other side away are tried again."""
    left = (service.next_probe - datetime.now(UTC)).total_seconds() if service.next_probe else 0.0
    if left < 0.5:
        return "; tries now"
    return f"; next try in {left:.0f} s" if left < 60 else f"; next try in {words.duration(left)}"


def _ago(service: ServiceStatus) -> str:
    if service.last_error_at is None:
        return ""
    seconds = max(0.0, (datetime.now(UTC) - service.last_error_at).total_seconds())
    return f" {words.duration(seconds)} ago"
