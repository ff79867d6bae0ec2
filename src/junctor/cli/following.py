"""Following a job that sends messages again: what a terminal, a pipe and a script see of it."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TextIO

import click

from junctor.cli import tables, words
from junctor.cli.options import running_node
from junctor.cli.selecting import counted
from junctor.node.control.client import NodeClient
from junctor.node.control.wire import ConnectionLost
from junctor.node.views.decisions import ResendView, Resent
from junctor.node.views.stopped import PATIENCE

SHOWN = 10
"""Failures that are told."""

QUIET = 1.0
"""Seconds without a word: most jobs have ended by then."""

_LOOK = 1.0  # seconds until the node is asked again


def to_its_end(view: ResendView, node: str | None, as_json: bool) -> int:
    """Show a job until it ends; the exit code. Ctrl-C asks whether it is to stop.

    :raises ConnectionLost: the node ended before the job did.
    """
    progress = _Progress(quiet=as_json)
    while view.state == "running":
        try:
            view = _watched(view, node, progress)
        except KeyboardInterrupt:
            progress.clear()
            with contextlib.closing(running_node(node)) as client:
                choice = _asked(view)
                if choice == "leave":
                    click.echo(f"job {view.job} goes on: junctor resend --jobs", err=True)
                    return 0
                if choice == "stop":
                    view = _stopped(client, view)
    progress.clear()
    if as_json:
        click.echo(words.json_text(view))
    else:
        tell(view, sys.stdout)
    return 0 if view.well else 1


def _watched(view: ResendView, node: str | None, progress: _Progress) -> ResendView:
    try:
        with contextlib.closing(running_node(node)) as client:
            while view.state == "running":
                view = _next(client, view)
                progress.show(view)
    except ConnectionLost as error:
        progress.clear()
        sent = counted(view.sent)
        fix = "What was not sent is still parked, and nothing was sent twice: start the node and say the same again."
        raise ConnectionLost(f"{error.what}; it had told of {sent} that were sent", fix=fix) from error
    return view


def _next(client: NodeClient, view: ResendView) -> ResendView:
    """How the job is when that has changed, or after a while."""
    seen = {"job": view.job, "seen": view.changes, "wait": _LOOK}
    found: ResendView = client.ask("resend-progress", ResendView, patience=PATIENCE + _LOOK, **seen)
    return found


def _asked(view: ResendView) -> str:
    """What is to become of the job: stop, leave or go on. Without a terminal nobody can be asked, and it stops."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "stop"
    left = counted(view.total - view.sent - view.refused - view.skipped)
    text = f"{left} not sent yet: stop the job, leave it to itself, or go on watching"
    choices = click.Choice(["stop", "leave", "watch"])
    try:
        return str(click.prompt(text, type=choices, default="stop", err=True))
    except click.Abort:
        return "stop"


def _stopped(client: NodeClient, view: ResendView) -> ResendView:
    ended: list[ResendView] = client.ask("resend-stop", list[ResendView], patience=PATIENCE, job=view.job)
    return ended[0] if ended else client.ask("resend-progress", ResendView, patience=PATIENCE, job=view.job)


class _Progress:
    """One line that is written over on a terminal, a line for each batch elsewhere; on standard error."""

    def __init__(self, quiet: bool) -> None:
        self._terminal = sys.stderr.isatty()
        self._quiet = quiet
        self._batch = 0
        self._begun = time.monotonic()
        self._written = False

    def show(self, view: ResendView) -> None:
        if self._quiet or view.total == 1 or time.monotonic() < self._begun + QUIET:
            return
        self._written = True
        if self._terminal:
            click.echo(f"\r\x1b[K{_line(view, view.batch)}", nl=False, err=True)
        elif view.batch > self._batch + 1:  # the one before has ended
            self._batch = view.batch - 1
            click.echo(_line(view, self._batch), err=True)

    def clear(self) -> None:
        if self._terminal and self._written:
            click.echo("\r\x1b[K", nl=False, err=True)


def _line(view: ResendView, batch: int) -> str:
    parts = [f"batch {batch}: {view.sent} of {view.total} sent", f"{view.handled} handled"]
    parts += [f"{count} {what}" for count, what in _rest(view) if count]
    return ", ".join(parts)


def _rest(view: ResendView) -> list[tuple[int, str]]:
    others = "dealt with by somebody else"
    return [(view.open, "on their way"), (view.failed, "failed"), (view.refused, "refused"), (view.skipped, others)]


def tell(view: ResendView, out: TextIO) -> None:
    """What came of a job, and what to do next."""
    if not view.total:
        click.echo("nothing fits, nothing was sent", file=out)
    elif view.total == 1 and view.results:
        _tell_one(view, out)
    else:
        _tell_many(view, out)
    if view.reason:
        click.echo(f"stopped: {words.safe(view.reason)}", file=out)
        left = view.total - view.sent - view.refused - view.skipped
        if left:
            click.echo(f"{counted(left)} not sent: still as before", file=out)


def _tell_one(view: ResendView, out: TextIO) -> None:
    [result] = view.results
    error = f": {words.safe(f'{result.error.type}: {result.error.text}')}" if result.error else ""
    if not result.id:
        click.echo(f"{result.seq} was not sent{error}", file=out)
        return
    took = f" in {words.duration(result.seconds)}" if result.seconds else ""
    click.echo(f"{result.seq} is sent again as {result.id}: {result.status}{took}{error}", file=out)
    if error:
        click.echo(f"see it: junctor trace {result.id.rpartition('-')[2]}", file=out)


def _tell_many(view: ResendView, out: TextIO) -> None:
    parts = [f"{view.sent} of {view.total} sent again", f"{view.handled} handled"]
    parts += [f"{count} {what}" for count, what in _rest(view) if count]
    took = f" in {words.duration((view.ended - view.started).total_seconds())}" if view.ended else ""
    click.echo(f"{', '.join(parts)}{took}", file=out)
    rows = [_failure(result) for result in view.results if result.error is not None]
    if rows:
        tables.show(("message", "again as", "status", "error"), rows[:SHOWN], right="message")
        click.echo("see all: junctor parked", file=out)


def _failure(result: Resent) -> tuple[str, ...]:
    error = words.short(f"{result.error.type}: {result.error.text}", 80) if result.error is not None else ""
    return str(result.seq), result.id.rpartition("-")[2], result.status, error


def show_jobs(views: list[ResendView]) -> None:
    """The jobs of a node."""
    heads = ("job", "state", "begun", "who", "service", "total", "sent", "handled", "failed", "refused", "note")
    rows = [
        (
            str(view.job),
            view.state,
            words.clock(view.started),
            view.who,
            ", ".join(view.services),
            *(str(count) for count in (view.total, view.sent, view.handled, view.failed, view.refused)),
            words.short(view.reason, 80),
        )
        for view in views
    ]
    tables.show(heads, rows, right="job total sent handled failed refused")
