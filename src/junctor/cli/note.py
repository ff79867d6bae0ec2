"""``junctor note``: say something about a message."""

from __future__ import annotations

import click

from junctor.cli import words
from junctor.cli.options import json_option, node_option
from junctor.cli.selecting import needed_node
from junctor.node.views.messages import NoteView
from junctor.node.views.stopped import PATIENCE


@click.command("note")
@click.argument("message")
@click.argument("text")
@node_option
@json_option
def command(message: str, text: str, node: str | None, as_json: bool) -> None:
    """Keep a note with a MESSAGE: shown by `junctor trace` and `junctor parked --members`, with who wrote it."""
    if not text.strip():
        raise click.UsageError("the note is empty")
    with needed_node(node, "only a running node keeps notes") as client:
        note: NoteView = client.ask("note", NoteView, patience=PATIENCE, which=message, text=text)
    if as_json:
        click.echo(words.json_text(note))
    else:
        click.echo(f"noted by {note.who or 'somebody'} at {words.clock(note.time)}")
