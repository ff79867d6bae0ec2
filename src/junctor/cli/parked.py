"""``junctor parked``: what was put aside, grouped by error."""

from __future__ import annotations

import click

from junctor.cli import tables, words
from junctor.cli.options import json_option, node_option, reading


@click.command("parked")
@node_option
@json_option
def command(node: str | None, as_json: bool) -> None:
    """Show the messages that were put aside, grouped by service, type, error and place in the code."""
    with reading(node) as source:
        groups = source.parked()
    if as_json:
        click.echo(words.json_text(groups))
        return
    if not groups:
        click.echo("nothing is parked")
        return
    heads = ("service", "type", "count", "first", "last", "error", "place", "see one")
    rows = [
        (
            group.service,
            group.type,
            str(group.count),
            words.clock(group.first),
            words.clock(group.last),
            words.short(f"{group.error}: {group.text}", 80),
            group.fingerprint[:8],
            group.command + (f" --node {node}" if node else ""),
        )
        for group in groups
    ]
    tables.show(heads, rows, right="count")
