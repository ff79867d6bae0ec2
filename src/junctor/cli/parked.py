"""``junctor parked``: what was put aside, grouped by error."""

from __future__ import annotations

import click

from junctor.cli import completing, tables, words
from junctor.cli.options import json_option, node_option, reading
from junctor.node.views.messages import BODY_LIMIT, MessageView
from junctor.node.views.parked import ParkedView


@click.command("parked")
@click.argument("group", required=False, metavar="[PLACE]", shell_complete=completing.groups)
@click.option("--service", metavar="NAME", help="Of this service.", shell_complete=completing.services)
@click.option("--members", is_flag=True, help="List the messages of each group.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many of each.")
@node_option
@json_option
def command(group: str | None, service: str | None, members: bool, limit: int, node: str | None, as_json: bool) -> None:
    """Show the messages that were put aside, grouped by service, type, error and place in the code.

    With the PLACE of a group, or its first digits, it lists the messages of this group. --json has body and headers:
    of the latest message of each group, and of all that are listed.
    """
    listed = members or group is not None
    with reading(node) as source:
        groups = source.parked(service, group, limit if listed else 0)
    if as_json:
        click.echo(words.json_text(groups))
    elif not groups:
        click.echo("nothing is parked")
    elif listed:
        for position, one in enumerate(groups):
            if position:
                click.echo()
            _show_members(one)
    else:
        _show_groups(groups, f" --node {node}" if node else "")


def _show_groups(groups: list[ParkedView], node: str) -> None:
    # A column for notes only where there are some: the table is wide enough.
    noted = any(group.notes for group in groups)
    heads = ("service", "type", "count", *(["notes"] if noted else []), "first", "last", "error", "place", "see one")
    rows = [
        (
            group.service,
            group.label,
            str(group.count),
            *([str(group.notes or "")] if noted else []),
            words.clock(group.first),
            words.clock(group.last),
            words.short(_error(group), 80),
            group.fingerprint[:8],
            group.command + node,
        )
        for group in groups
    ]
    tables.show(heads, rows, right="count notes")
    place = groups[0].fingerprint[:8] if len(groups) == 1 else "PLACE"
    click.echo(f"send a group again: junctor resend --group {place}{node}")


def _show_members(group: ParkedView) -> None:
    count = f"{group.count} message" + ("" if group.count == 1 else "s")
    error = words.short(_error(group), 80)
    click.echo(f"{words.safe(group.service)} {words.safe(group.label)}  {error}  {group.fingerprint[:8]}  {count}")
    noted = any(message.notes for message in group.members)
    heads = ("seq", "time", "key", "body", *(["note"] if noted else []))
    tables.show(heads, [_row(message, noted) for message in group.members], right="seq")
    if group.count > len(group.members):
        click.echo(f"the latest {len(group.members)} are shown; -n shows more")


def _error(group: ParkedView) -> str:
    """The error, with the line of the user's code where it came from: ``alarm.py:14: KeyError: 'unit'``."""
    place = group.line.partition(",")[0]
    return f"{place}: {group.error}: {group.text}" if place else f"{group.error}: {group.text}"


def _row(message: MessageView, noted: bool) -> tuple[str, ...]:
    whole = message.size <= BODY_LIMIT
    body = words.short(words.json_line(message.body), 80) if whole else words.size(message.size)
    row = (str(message.seq), words.clock(message.time), words.short(message.key or "", 40), body)
    return (*row, "; ".join(f"{note.who}: {words.short(note.text, 80)}" for note in message.notes)) if noted else row
