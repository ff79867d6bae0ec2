"""``junctor capture``: a session as one file, for a replay on another machine."""

from __future__ import annotations

from pathlib import Path

import click

from junctor.cli.options import node_option, reading, said_after
from junctor.cli.output import write
from junctor.node.capture.file import written
from junctor.observe.logs import readable_json

OWN = 0o600
"""A file holds what messages hold: its owner reads it, and nobody else."""


@click.command("capture")
@click.argument("which", metavar="SESSION|MESSAGE")
@click.option("-o", "--output", metavar="FILE", help="Where to; SESSION.capture.json by default, - for the terminal.")
@node_option
def command(which: str, output: str | None, node: str | None) -> None:
    """Write a session into one file: messages, attempts, replies, logs, notes, code versions, settings.

    SESSION may be the first digits of one, or the correlation id of a request; of a MESSAGE it is the whole
    session. Secrets and sensitive fields are masked. `junctor.testing.replay` runs the file against the code of a
    service, under pytest, without the node.
    """
    with reading(node) as source, said_after("The session is read ..."):
        capture = source.capture(which)
    for line in capture.missing:
        click.echo(line, err=True)
    if output == "-":
        click.echo(readable_json(written(capture).rstrip("\n")))
    else:
        write(Path(output or f"{capture.session}.capture.json"), written(capture), OWN)
