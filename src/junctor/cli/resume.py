"""``junctor resume``: a paused service goes on, one that waits for the other side tries at once."""

from __future__ import annotations

import click

from junctor.cli import completing
from junctor.cli.options import node_option, running_node
from junctor.cli.pause import one_or_all
from junctor.node.views.stopped import PATIENCE


@click.command("resume")
@click.argument("service", required=False, shell_complete=completing.services)
@click.option("--all", "every", is_flag=True, help="All services that are paused or held.")
@node_option
def command(service: str | None, every: bool, node: str | None) -> None:
    """Let the paused SERVICE go on with its queue.

    One that is held for the other side, or whose ticks or loop() find it away, tries at once, instead of later.
    """
    one = one_or_all(service, every)
    client = running_node(node)
    try:
        resumed: list[str] = client.ask("resume", list[str], patience=PATIENCE, service=one)
    finally:
        client.close()
    for address in resumed:
        click.echo(f"{address} goes on")
    if not resumed:
        click.echo(f"{one} is neither paused nor held" if one else "no service is paused or held")
