"""``junctor resend``: send parked messages again."""

from __future__ import annotations

import re
import sys
from typing import Any

import click

from junctor.cli import completing, following, words
from junctor.cli.editing import edited, keep
from junctor.cli.options import json_option, node_option, pairs
from junctor.cli.selecting import Meant, counted, needed_node, selection_options, show_kin
from junctor.core.batches import RATE, STOP_AT
from junctor.core.edits import EditRefused
from junctor.errors import DecodeError
from junctor.node.control.client import NodeClient
from junctor.node.views.decisions import Preview, ResendView
from junctor.node.views.stopped import PATIENCE

_WHY = "only a running node can send messages again"
_CHECKING = 300.0  # seconds for a look at each of many messages
_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/([smh]))?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@click.command("resend")
@selection_options
@click.option("--to", metavar="SERVICE", help="To another service.", shell_complete=completing.services)
@click.option("--edit", "edit", is_flag=True, help="Change the body of one message in $VISUAL or $EDITOR first.")
@click.option("--body", metavar="BODY", help="With this body: JSON, @FILE, or - for standard input.")
@click.option("--set", "changes", multiple=True, metavar="FIELD=VALUE", help="With another value there; repeatable.")
@click.option("--again", is_flag=True, help="Also what was handled; what it does outside is done once more.")
@click.option("--rate", metavar="N/s", help="So many a second at most; also N/m, N/h.")
@click.option("--stop-at", metavar="SHARE", default=f"{STOP_AT:.0%}", show_default=True, help="Stop when more fail.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and what could not.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.option("--jobs", is_flag=True, help="Show the jobs of this node, the latest first.")
@click.option("--stop", "stop", is_flag=True, help="End the jobs that run, or those of --service.")
@node_option
@json_option
def command(
    meant: Meant,
    to: str | None,
    edit: bool,
    body: str | None,
    changes: tuple[str, ...],
    again: bool,
    rate: str | None,
    stop_at: str,
    dry_run: bool,
    detach: bool,
    jobs: bool,
    stop: bool,
    node: str | None,
    as_json: bool,
) -> int:
    """Send parked messages again: each MESSAGE, a --group, or all that fit the filters.

    The new message has a number of its own and leads back to the old one, which is "resent" then. Of many, one goes
    first, then 5, 20, 100 at a time; each batch only when the one before it has ended well. Ctrl-C asks what to do.

    The exit code is 0 when all were sent and handled, 1 when some failed or the job was stopped.
    """
    if jobs or stop:
        return _look_or_stop(meant, stop, node, as_json)
    if not meant:
        raise click.UsageError("name a MESSAGE, a --group, or what to look for, such as --service NAME")
    given = _given(meant, edit, body, changes)
    arguments = meant.arguments | given | {"to": to, "again": again}
    pace = {"rate": _rate(rate), "stop_at": _share(stop_at)}
    with needed_node(node, _WHY) as client:
        if dry_run:
            return _preview(client, arguments, as_json)
        if edit:
            arguments["body"] = edited(client, meant.messages[0], arguments)
        view = _begun(client, arguments | pace, typed=body == "-")
        if detach and view.job:
            click.echo(words.json_text(view) if as_json else f"job {view.job} sends {counted(view.total)} again")
            return 0
    return following.to_its_end(view, node, as_json)


def _given(meant: Meant, edit: bool, body: str | None, changes: tuple[str, ...]) -> dict[str, Any]:
    """The arguments that change the body."""
    if edit + (body is not None) + bool(changes) > 1:
        raise click.UsageError("--edit, --body and --set exclude each other")
    if (edit or body is not None) and len(meant.messages) != 1:
        raise click.UsageError(f"--{'edit' if edit else 'body'} is for one MESSAGE; --set is for many too")
    if body is not None:
        return {"body": words.body(body)}
    return {"changes": pairs(changes, "field"), "text": True} if changes else {}


def _begun(client: NodeClient, arguments: dict[str, Any], typed: bool) -> ResendView:
    """The job as it begins.

    :param typed: the body came from standard input: where it is refused, it is kept in a file.
    """
    try:
        view: ResendView = client.ask("resend", ResendView, patience=_CHECKING, **arguments)
    except (DecodeError, EditRefused) as error:
        if typed:
            which = arguments["messages"][0]
            path = keep(which, bytes(arguments["body"]).decode())
            error.fix = f"Your text is kept; correct it and run: junctor resend {which} --body @{path}."
        raise
    return view


def _rate(text: str | None) -> float:
    if text is None:
        return 0.0
    found = _RATE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise click.BadParameter(f'"{text}" is not a rate: write 10/s or 600/m', param_hint="--rate")
    rate = float(found[1]) / _SECONDS[found[2] or "s"]
    if rate >= RATE:
        raise click.BadParameter(f"a rate is below {RATE:,.0f} a second", param_hint="--rate")
    return rate


def _share(text: str) -> float:
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise click.BadParameter(f'"{text}" is not a share: write 20%, or 0.2', param_hint="--stop-at")
    return share


def _preview(client: NodeClient, arguments: dict[str, Any], as_json: bool) -> int:
    preview: Preview = client.ask("resend-preview", Preview, patience=_CHECKING, **arguments)
    if as_json:
        click.echo(words.json_text(preview))
    elif not preview.total:
        click.echo("nothing fits, nothing would be sent")
    else:
        show_kin(preview.kin)
        click.echo(f"{counted(preview.total - preview.refused)} would be sent again")
        for refusal in preview.refusals:
            click.echo(f"not {refusal.seq}: {words.safe(refusal.error.text if refusal.error else '')}")
        if preview.refused > len(preview.refusals):
            click.echo(f"not {preview.refused - len(preview.refusals)} others")
        for obstacle in preview.obstacles:
            click.echo(f"not now: {words.safe(obstacle)}")
    return 1 if preview.refused or preview.obstacles else 0


def _look_or_stop(meant: Meant, stop: bool, node: str | None, as_json: bool) -> int:
    service = meant.filter.service if meant.filter is not None else None
    if meant.messages or meant.group is not None:
        raise click.UsageError("--jobs and --stop are about jobs, not messages")
    with needed_node(node, "its jobs ended with it, and what was not sent is still parked") as client:
        if stop:
            views = client.ask("resend-stop", list[ResendView], patience=PATIENCE, service=service)
        else:
            views = client.ask("resend-jobs", list[ResendView], patience=PATIENCE)
    if as_json:
        click.echo(words.json_text(views))
    elif not views:
        click.echo("no job runs" if stop else "there was no job since the node started")
    elif stop:
        for view in views:
            following.tell(view, sys.stdout)
    else:
        following.show_jobs(views)
    return 0
