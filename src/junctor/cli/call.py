"""``junctor call``: call an action of a service, or let a schedule tick now."""

from __future__ import annotations

import click

from junctor.cli import completing
from junctor.cli.options import json_option, node_option, pairs, running_node
from junctor.cli.results import print_result


@click.command("call")
@click.argument("service", shell_complete=completing.services)
@click.argument("action", shell_complete=completing.actions)
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...", shell_complete=completing.arguments)
@node_option
@json_option
def command(service: str, action: str, arguments: tuple[str, ...], node: str | None, as_json: bool) -> None:
    """Call an action of a service and print what it returns.

    Values are converted to the types of the action's parameters; lists and objects are written as JSON. A schedule can
    be called, too: it ticks once, now, as it would at its time.
    """
    given = pairs(arguments, "argument")
    client = running_node(node)
    try:
        result = client.ask("call", service=service, action=action, arguments=given, text=True)
    finally:
        client.close()
    print_result(result, as_json)
