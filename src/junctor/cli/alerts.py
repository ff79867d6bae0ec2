"""``junctor alerts``: what an operator should know."""

from __future__ import annotations

import click

from junctor.cli import tables, words
from junctor.cli.options import json_option, node_option, reading


@click.command("alerts")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many.")
@node_option
@json_option
def command(limit: int, node: str | None, as_json: bool) -> None:
    """Show the latest alerts, newest first, each with the command to run next."""
    with reading(node) as source:
        found = source.alerts(limit)
    if as_json:
        click.echo(words.json_text(found))
        return
    if not found:
        click.echo("no alerts")
        return
    rows = [
        (words.clock(alert.time), alert.kind, alert.service, words.short(alert.text, 100), alert.command)
        for alert in found
    ]
    tables.show(("time", "kind", "service", "text", "next"), rows)
