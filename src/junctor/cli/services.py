"""``junctor services``: what each service offers and where its targets lead."""

from __future__ import annotations

import click

from junctor.cli import words
from junctor.cli.options import json_option, node_option, running_node
from junctor.node.views.describe import Entry, ServiceView
from junctor.node.views.stopped import PATIENCE


@click.command("services")
@node_option
@json_option
def command(node: str | None, as_json: bool) -> None:
    """Show what each service offers and where its targets lead."""
    client = running_node(node)
    try:
        found: list[ServiceView] = client.ask("services", list[ServiceView], patience=PATIENCE)
    finally:
        client.close()
    if as_json:
        click.echo(words.json_text(found))
        return
    for service in found:
        _print(service)


def _print(service: ServiceView) -> None:
    click.echo(click.style(f"{service.flow}/{service.service}", bold=True) + f"  {words.safe(service.origin)}")
    if service.doc:
        click.echo(f"  {words.safe(service.doc)}")
    for entry in service.entries:
        click.echo("  " + words.safe(_entry(entry)))
    for target, ways in service.connections.items():
        click.echo(f"  {target} leads to {words.safe(', '.join(map(str, ways))) or 'nothing'}")
    for name, value in service.settings.items():
        click.echo(f"  {name} = {words.short(value, 80)}")


def _entry(entry: Entry) -> str:
    takes = f"({entry.takes})" if entry.kind in ("handler", "action") else f" {entry.takes}".rstrip()
    replies = f" -> {entry.replies}" if entry.replies else ""
    doc = f"  {entry.doc}" if entry.doc else ""
    return f"{entry.kind} {entry.name}{takes}{replies}{doc}"
