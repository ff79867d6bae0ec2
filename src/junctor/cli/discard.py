"""``junctor discard``: decide that nothing follows of parked messages."""

from __future__ import annotations

import sys

import click

from junctor.cli import words
from junctor.cli.options import json_option, node_option
from junctor.cli.selecting import Meant, counted, needed_node, selection_options, show_kin
from junctor.node.control.client import NodeClient
from junctor.node.views.decisions import Discarded, Preview

_PATIENCE = 300.0


@click.command("discard")
@selection_options
@click.option("--note", metavar="TEXT", default="", help="Why; kept with each message.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@node_option
@json_option
def command(meant: Meant, note: str, yes: bool, node: str | None, as_json: bool) -> int:
    """Decide that nothing follows of parked messages: each MESSAGE, a --group, or all that fit the filters.

    They are "discarded" then, with who did it, and when. They can still be found, and sent again, until retention
    removes them.
    """
    if not meant:
        raise click.UsageError("name a MESSAGE, a --group, or what to look for, such as --service NAME")
    with needed_node(node, "only a running node can discard messages") as client:
        if not yes and not _confirmed(client, meant):
            click.echo("nothing was discarded", err=True)
            return 1
        done: Discarded = client.ask("discard", Discarded, patience=_PATIENCE, **meant.arguments, note=note)
    if as_json:
        click.echo(words.json_text(done))
        return 1 if done.kept else 0
    click.echo(f"{counted(done.discarded)} discarded")
    for kept in done.kept:
        click.echo(f"not {kept.seq}: {words.safe(kept.error.text if kept.error else '')}")
    return 1 if done.kept else 0


def _confirmed(client: NodeClient, meant: Meant) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: give --yes")
    preview: Preview = client.ask("resend-preview", Preview, patience=_PATIENCE, **meant.arguments)
    if not preview.total:
        return True  # the node says that nothing fits
    show_kin(preview.kin)
    return click.confirm(f"discard {counted(preview.total)}?", err=True)
