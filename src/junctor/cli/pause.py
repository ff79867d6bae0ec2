"""``junctor pause``: a service takes no messages until it is resumed."""

from __future__ import annotations

import click

from junctor.cli import completing
from junctor.cli.options import node_option, running_node
from junctor.node.views.stopped import PATIENCE


@click.command("pause")
@click.argument("service", required=False, shell_complete=completing.services)
@click.option("--all", "every", is_flag=True, help="All services of the node.")
@click.option("--reason", metavar="TEXT", default="", help="Why; shown by `junctor status`.")
@node_option
def command(service: str | None, every: bool, reason: str, node: str | None) -> None:
    """Let SERVICE rest until it is resumed, also over restarts of the node.

    Its queue fills and nothing is lost: no deliveries begin, schedules do not tick, loop() ends. What runs finishes.
    Routes and actions go on answering.
    """
    one = one_or_all(service, every)
    client = running_node(node)
    try:
        paused: list[str] = client.ask("pause", list[str], patience=PATIENCE, service=one, reason=reason)
    finally:
        client.close()
    for address in paused:
        click.echo(f"{address} is paused")


def one_or_all(service: str | None, every: bool) -> str | None:
    """The service that is named, None for all.

    :raises click.UsageError: neither or both are asked for.
    """
    if (service is None) is not every:
        raise click.UsageError("name a SERVICE, or give --all")
    return service
