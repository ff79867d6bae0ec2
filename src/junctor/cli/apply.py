"""``junctor apply``: a running node goes over to what its flows say now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from junctor.cli import words
from junctor.cli.options import FlowArguments, json_option, node_option, optional_flow_options, running_node
from junctor.flows.comparison import Changes
from junctor.flows.overrides import Overrides

PATIENCE = 300.0
"""Seconds: the node imports code, and services have time to finish their work."""


@click.command("apply")
@optional_flow_options
@click.option("--remove", "remove", multiple=True, metavar="FLOW", help="End this flow of the node; repeatable.")
@click.option("--dry-run", is_flag=True, help="Check all, and only tell what would change.")
@click.option("--yes", is_flag=True, help="Also where open workflows or conversations lose their service.")
@node_option
@json_option
def command(
    flows: FlowArguments, remove: tuple[str, ...], dry_run: bool, yes: bool, node: str | None, as_json: bool
) -> None:
    """Change a running node to what its flows say now.

    TARGET is what follows `junctor run`; without it the node loads again what it was started with. A flow that the node
    does not have is added. What is equal is not touched; a service that is not stops cleanly and starts anew on the
    same queue. When anything cannot be used, nothing changes; neither where workflows or conversations that are open
    would lose their service, unless --yes says so.
    """
    client = running_node(node)
    try:
        asked = {**_asked(flows, remove), "leave_runs": yes}
        changes: list[Changes] = client.ask("apply", list[Changes], patience=PATIENCE, dry_run=dry_run, **asked)
    finally:
        client.close()
    if as_json:
        click.echo(words.json_text(changes))
        return
    for change in changes:
        for line in change.lines():
            click.echo(words.safe(line))
    if all(change.kind == "same" for change in changes):
        click.echo("nothing to change")
    else:
        click.echo("nothing was changed: --dry-run" if dry_run else "applied")


def _asked(flows: FlowArguments, remove: tuple[str, ...]) -> dict[str, Any]:
    """The question, with names and paths that mean the same in the folder of the node."""
    here, over = Path.cwd(), flows.overrides
    if over.name and len(flows.targets) != 1:
        raise click.UsageError("--name names one flow: give one TARGET with it")
    asked: dict[str, Any] = {"remove": list(remove)}
    if flows.targets:
        asked["targets"] = [
            {"text": text, "folder": str(here), **_over(over), "name": over.name} for text in flows.targets
        ]
    elif remove and over != Overrides():
        raise click.UsageError("name the TARGET that the options are for")
    elif not remove:
        asked["over"] = _over(over, here)
    return asked


def _over(over: Overrides, folder: Path | None = None) -> dict[str, list[str]]:
    def placed(files: tuple[str, ...]) -> list[str]:
        return [str(folder / file) if folder is not None else file for file in files]

    return {"overlays": placed(over.overlays), "env_files": placed(over.env_files), "set": list(over.set)}
