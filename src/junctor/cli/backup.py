"""``junctor backup``: a verified copy of the store in one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junctor.cli import words
from junctor.cli.options import json_option, node_option
from junctor.core.upkeep import Backup
from junctor.errors import NodeNotFound
from junctor.node import directory
from junctor.node.process import starting

if TYPE_CHECKING:
    from junctor.store.salvage import Salvaged

PATIENCE = 24 * 3600.0
"""Seconds: a large store on a slow disk takes its time."""


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--salvage", is_flag=True, help="Copy what can be read of a damaged store. Its node is down.")
@node_option
@json_option
def command(file: Path, salvage: bool, node: str | None, as_json: bool) -> None:
    """Write a copy of the store into FILE, which must not exist yet.

    The node may run, and goes on meanwhile. The copy is one moment of the store; every record of it is read back and
    compared with its checksum before FILE gets its name. `junctor restore` puts it in place.

    With --salvage a damaged store is copied row by row; what cannot be read is left out and told.
    """
    if salvage:
        _salvage(directory.find(node), Path(os.path.abspath(file.expanduser())), as_json)
        return
    made = _backup(directory.find(node), Path(os.path.abspath(file.expanduser())))
    if as_json:
        click.echo(words.json_text(made))
        return
    click.echo(f"{_facts(made)}; verified")
    if made.damaged:
        text = f"{made.damaged} of the records were damaged in the store already, and are so in the backup"
        click.echo(text, err=True)


def _facts(made: Backup | Salvaged) -> str:
    records = f"{made.records} record{'' if made.records == 1 else 's'}"
    return f"{made.path}: {records}, {words.size(made.bytes)}, {words.duration(made.seconds)}"


def _salvage(store: Path, file: Path, as_json: bool) -> None:
    from junctor.store.identity import DATABASE
    from junctor.store.salvage import salvage

    made = salvage(store / DATABASE, file)
    if as_json:
        click.echo(words.json_text(made))
        return
    click.echo(f"{_facts(made)}; salvaged")
    for text in made.lost:
        click.echo(words.safe(text), err=True)
    if made.damaged:
        click.echo(f"{made.damaged} of the records are damaged; what waits of them is parked", err=True)


def _backup(store: Path, file: Path) -> Backup:
    """By the node where it runs, else from its store."""
    try:
        client = starting.client_of(store)
    except NodeNotFound:
        return _of_stopped(store, file)
    try:
        made: Backup = client.ask("backup", Backup, patience=PATIENCE, path=str(file))
    finally:
        client.close()
    return made


def _of_stopped(store: Path, file: Path) -> Backup:
    from junctor.store.backup import write_backup
    from junctor.store.identity import DATABASE
    from junctor.store.reader import open_archive

    open_archive(store).close()  # says what is wrong with a store that is none
    click.echo(f"The node is down; its store {store} is copied", err=True)
    return write_backup(store / DATABASE, file)
