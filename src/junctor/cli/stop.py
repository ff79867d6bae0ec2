"""``junctor stop``: end a running node cleanly."""

from __future__ import annotations

import time

import click

from junctor.cli import words
from junctor.cli.options import SLOW, node_option, said_after
from junctor.errors import JunctorError
from junctor.node import directory
from junctor.node.control.client import NodeClient
from junctor.node.control.wire import NoAnswer
from junctor.node.process import starting
from junctor.node.views.status import NodeStatus

PATIENCE = 30.0


class StopFailed(JunctorError):
    """The node was asked to stop and still runs."""

    code = "stop-failed"
    default_fix = "`junctor status` shows what still runs; `kill PID` insists, and nothing that was accepted is lost."


@click.command("stop")
@click.option("--timeout", type=float, default=PATIENCE, show_default=True, help="Seconds to wait for the end.")
@node_option
def command(timeout: float, node: str | None) -> None:
    """Stop a running node: inputs first, then the work in flight, then the rest."""
    client = _client(node)
    if client is None:
        click.echo("the node does not run")
        return
    try:
        with said_after("the node does not answer: its event loop is blocked, and it stops when that is over"):
            client.ask("stop", patience=timeout)
        if not _ended(client, timeout):
            raise StopFailed(f"the node still runs after {timeout:g} s", where=str(client.directory))
    finally:
        client.close()
    click.echo("stopped")


def _client(node: str | None) -> NodeClient | None:
    """The node; None where it is down for sure. One that is starting is waited for."""

    def attempt() -> NodeClient | None:
        path = directory.find(node)
        try:
            return starting.client_of(path)
        except directory.MayStart:
            if starting.starter(path):
                raise
            return None

    return starting.awaited(attempt)


def _ended(client: NodeClient, timeout: float) -> bool:
    """Whether it ends in time; what it waits for is told after a while."""
    end = time.monotonic() + timeout
    if client.await_end(min(SLOW, timeout)):
        return True
    try:
        _tell(client.ask("status", NodeStatus, patience=max(0.1, end - time.monotonic())))
    except NoAnswer:
        return False
    except JunctorError:  # it does not answer questions any more
        click.echo("the node is ending", err=True)
    return client.await_end(max(0.1, end - time.monotonic()))


def _tell(status: NodeStatus) -> None:
    running = [
        f"{one.handler} of {service.service} ({words.duration(one.seconds)})"
        for service in status.services
        for one in service.running
    ]
    stopping = [f"{service.service} is {service.state}" for service in status.services if service.state != "stopped"]
    waits = words.safe(", ".join(running or stopping)) or "its store to close"
    click.echo(f"waiting for {waits}", err=True)
