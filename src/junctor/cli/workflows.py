"""``junctor workflows``: the runs of workflows and conversations, and what an operator does with one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from junctor.cli import completing, tables, words
from junctor.cli.histories import history_lines, run_row
from junctor.cli.options import json_option, node_option, pairs, reading
from junctor.cli.output import write
from junctor.cli.results import print_result
from junctor.cli.selecting import needed_node
from junctor.node.views.runs import STATUSES, RunFilter, RunView
from junctor.node.views.stopped import PATIENCE

Command = TypeVar("Command", bound=Callable[..., Any])

OWN = 0o600
"""A history holds what messages hold: its owner reads it, and nobody else."""


class _Runs(click.Group):
    """A word that is no command here is a run to show."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


def _run_argument(command: Command) -> Command:
    return click.argument("which", metavar="RUN|KEY")(command)


@click.group("workflows", cls=_Runs, invoke_without_command=True, subcommand_metavar="[RUN|KEY] | COMMAND [ARGS]...")
@click.option("--service", metavar="NAME", help="Of this service.", shell_complete=completing.services)
@click.option("--status", multiple=True, metavar="WORD", help=f"One of {', '.join(STATUSES)}; repeatable.")
@click.option("--key", metavar="KEY", help="With this key.")
@click.option("--since", metavar="TIME", help="Begun not before: 10m (ago), 14:30, 2026-11-20T14:30.")
@click.option("--before", type=click.IntRange(0, 2**63 - 1), metavar="RUN", help="Go on below this number.")
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many.")
@node_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    service: str | None,
    status: tuple[str, ...],
    key: str | None,
    since: str | None,
    before: int | None,
    limit: int,
    node: str | None,
    as_json: bool,
) -> None:
    """List the runs of workflows and conversations, newest first, or do something with one.

    A RUN is the number or id of the message that began it; the key of a run does as well: the open one of this key,
    else the latest. `junctor workflows RUN` shows it.
    """
    if ctx.invoked_subcommand is not None:
        return
    instant = words.instant(since) if since else None
    filter = RunFilter(service=service, status=list(status) or None, key=key, since=instant, before=before, limit=limit)
    with reading(node) as source:
        runs = source.runs(filter)
    if as_json:
        click.echo(words.json_text(runs))
    elif not runs:
        click.echo("there are no such runs" if service or status or key or since else "there are no runs")
    else:
        _show(runs)


def _show(runs: list[RunView]) -> None:
    several = len({run.service.rpartition("/")[0] for run in runs}) > 1
    heads = ("run", "key", "service", "handler", "status", "turns", "started", "note")
    tables.show(heads, [run_row(run, several) for run in runs], right="run turns")


def _node_of(ctx: click.Context, node: str | None) -> str | None:
    """The node may stand behind either word."""
    above: str | None = ctx.parent.params.get("node") if ctx.parent is not None else None
    return node or above


@command.command("show")
@_run_argument
@click.option("-n", "--limit", type=click.IntRange(2, 100_000), default=200, show_default=True, help="How many turns.")
@click.option("-v", "--verbose", is_flag=True, help="Whole bodies.")
@node_option
@json_option
@click.pass_context
def show(ctx: click.Context, which: str, limit: int, verbose: bool, node: str | None, as_json: bool) -> None:
    """Show a run with its history: what came to it in each turn, and what its code did then."""
    node = _node_of(ctx, node)
    with reading(node) as source:
        history = source.run(which, limit)
    if as_json:
        click.echo(words.json_text(history))
        return
    for line in history_lines(history, verbose, f" --node {node}" if node else ""):
        click.echo(line)


@command.command("signal")
@_run_argument
@click.argument("name")
@click.argument("body", required=False, default="null", metavar="[BODY]")
@node_option
@json_option
@click.pass_context
def signal(ctx: click.Context, which: str, name: str, body: str, node: str | None, as_json: bool) -> None:
    """Send a signal to a run; done when it is accepted.

    BODY is JSON, @FILE, or - for standard input.
    """
    raw = words.body(body)
    with needed_node(_node_of(ctx, node), "only a running node takes signals") as client:
        receipt = client.signal(which, name, raw)
    click.echo(words.json_text(receipt) if as_json else f"accepted {receipt.id}")


@command.command("query")
@_run_argument
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@node_option
@json_option
@click.pass_context
def query(
    ctx: click.Context, which: str, name: str, arguments: tuple[str, ...], node: str | None, as_json: bool
) -> None:
    """Ask a run something. Nothing of it changes."""
    given = pairs(arguments, "argument")
    with needed_node(_node_of(ctx, node), "only a running node answers queries") as client:
        answer = client.ask("run-query", patience=PATIENCE, which=which, name=name, arguments=given, text=True)
    print_result(answer, as_json)


@command.command("cancel")
@_run_argument
@click.option("--now", is_flag=True, help="End it without its code; nothing is undone.")
@click.option("--reason", default="", metavar="TEXT", help="Kept with the run.")
@node_option
@json_option
@click.pass_context
def cancel(ctx: click.Context, which: str, now: bool, reason: str, node: str | None, as_json: bool) -> None:
    """Cancel a run: its code is told where it waits, and may undo what it did.

    With --now it ends as it is, also where it is suspended, damaged, does not heed its cancellation, or has no service
    any more. Who waits for its reply gets a failure; replies to its own requests come late.
    """
    with needed_node(_node_of(ctx, node), "only a running node cancels runs") as client:
        run: RunView = client.ask("run-cancel", RunView, patience=PATIENCE, which=which, reason=reason, now=now)
    said = f"run {run.seq} is {run.status}" if now else f"run {run.seq} is told"
    click.echo(words.json_text(run) if as_json else said)


@command.command("retry")
@_run_argument
@click.option("--from-step", type=click.IntRange(1), metavar="N", help="Begin a new run that keeps all before step N.")
@node_option
@json_option
@click.pass_context
def retry(ctx: click.Context, which: str, from_step: int | None, node: str | None, as_json: bool) -> None:
    """Let a suspended run go on: it is opened again, and its parked messages are sent again in their order.

    With --from-step a new run begins, of any run that is not open: it has done what the old one did before step N, and
    goes on from there. What the old one did from there on is not undone.
    """
    from junctor.node.views.runs import Retried

    with needed_node(_node_of(ctx, node), "only a running node lets runs go on") as client:
        done: Retried = client.ask("run-retry", Retried, patience=PATIENCE, which=which, from_step=from_step)
    if as_json:
        click.echo(words.json_text(done))
    elif from_step is not None:
        click.echo(f"run {done.run.seq} goes on from step {from_step} of run {done.of}")
    else:
        sent = f"{len(done.resent)} message{'' if len(done.resent) == 1 else 's'} sent again"
        click.echo(f"run {done.run.seq} is {done.run.status}, {sent}")


@command.command("export")
@_run_argument
@click.option("-o", "--output", metavar="FILE", help="Where to; RUN.history.json by default, - for the terminal.")
@click.option("--unmasked", is_flag=True, help="With sensitive values, which a replay may need.")
@node_option
@click.pass_context
def export(ctx: click.Context, which: str, output: str | None, unmasked: bool, node: str | None) -> None:
    """Write the history of a run into one file, for `junctor replay` elsewhere."""
    from junctor.node.histories import exported, written

    history = exported(_node_of(ctx, node), which, unmasked)
    if output == "-":
        click.echo(written(history).rstrip("\n"))
    else:
        write(Path(output or f"{history.run}.history.json"), written(history), OWN)
