"""``junctor stop``: end a running node cleanly."""

from __future__ import annotations

import click

from junctor.cli.options import node_option
from junctor.errors import JunctorError, NodeNotFound
from junctor.node import directory
from junctor.node.client import NodeClient

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
    path = directory.find(node)
    try:
        client = NodeClient(path)
    except NodeNotFound:
        click.echo("the node does not run")
        return
    try:
        client.ask("stop", patience=timeout)
        if not client.await_end(timeout):
            raise StopFailed(f"the node still runs after {timeout:g} s", where=str(path))
    finally:
        client.close()
    click.echo("stopped")
