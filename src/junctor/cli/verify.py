"""``junctor verify``: a whole store, or a backup, read against its checksums."""

from __future__ import annotations

import time
from pathlib import Path

import click

from junctor.cli import completing, words
from junctor.cli.options import json_option, node_option
from junctor.errors import NodeNotFound
from junctor.node import directory

SHOWN = 20
"""Numbers of damaged records that are listed; --json has all."""


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path), required=False, shell_complete=completing.targets)
@node_option
@json_option
def command(file: Path | None, node: str | None, as_json: bool) -> int:
    """Read the whole store, or the backup FILE, and compare every record with its checksum. Changes nothing.

    The node may run meanwhile. Exit code 1 when something is damaged. What is damaged of a store is never delivered:
    it is parked when its turn comes, or when the node starts.
    """
    from junctor.store.entries import shown
    from junctor.store.identity import DATABASE
    from junctor.store.verify import verify

    path = file.expanduser() if file is not None else directory.find(node)
    path = path / DATABASE if path.is_dir() else path
    if not path.exists():
        raise NodeNotFound("there is no store", where=str(path), fix="Name a backup, or a node with --node.")
    began = time.monotonic()
    found = verify(path)
    if as_json:
        click.echo(words.json_text({"path": str(path), "sound": found.sound, **vars(found)}))
        return int(not found.sound)
    took = words.duration(time.monotonic() - began)
    click.echo(f"{path}: {found.records} records read in {took}, {len(found.damaged)} damaged")
    if found.damaged:
        more = ", ..." if len(found.damaged) > SHOWN else ""
        click.echo(f"damaged: {', '.join(map(str, found.damaged[:SHOWN]))}{more}  (junctor trace NUMBER)")
    if found.state:
        click.echo(f"damaged state, which nothing reads: {shown(found.state)}")
    for problem in found.problems:
        click.echo(problem)
    return int(not found.sound)
