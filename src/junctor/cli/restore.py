"""``junctor restore``: a backup in place of a store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from junctor.cli import words
from junctor.cli.options import json_option
from junctor.errors import NodeNotFound
from junctor.node import directory
from junctor.store.restore import Restored, restore

_EFFECT = """\
When the node is started:
  messages that waited when the backup was made are delivered again, also those that were handled since;
  what was accepted since is not known here any more;
  new messages get numbers far above the old ones, so that no id is used twice."""


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--store", metavar="DIR", help="The data directory; made where it is not there.")
@json_option
def command(file: Path, store: str | None, as_json: bool) -> None:
    """Put the backup FILE in place of the store of a node that is stopped.

    The backup is verified first. The store that was there is kept, in a folder beside it: before-restore-TIME. The
    directory is that of the node in this folder, unless --store names one.
    """
    place = directory.data_directory("", store) if store else _here()
    done = restore(file.expanduser().absolute(), place)
    if as_json:
        click.echo(words.json_text(done))
        return
    _tell(done, place)


def _here() -> Path:
    """:raises NodeNotFound: no node is known here, or several."""
    try:
        return directory.find(None)
    except NodeNotFound as error:
        fix = "Run the command in the folder of the node, or name its data directory with --store DIR; it may be new."
        raise NodeNotFound(error.what, where=error.where, fix=fix) from None


def _tell(done: Restored, place: Path) -> None:
    click.echo(f"{place}: {done.records} record{'' if done.records == 1 else 's'}, of {_when(done.made)}; verified")
    if done.damaged:
        click.echo(f"{done.damaged} of the records are damaged", err=True)
    if done.aside is not None:
        click.echo(f"the store before it is kept in {done.aside}")
    click.echo(_EFFECT)


def _when(made: int) -> str:
    if not made:
        return "a copy that was not made by `junctor backup`"
    return datetime.fromtimestamp(made / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
