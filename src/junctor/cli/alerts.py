"""``junctor alerts``: what an operator should know."""

from __future__ import annotations

from typing import Any

import click

from junctor.cli import tables, words
from junctor.cli.options import json_option, node_option, reading, running_node
from junctor.node.alerting.alerting import OpenAlert, Tried
from junctor.node.views.alerts import AlertsView, AlertView

_PATIENCE = 60.0
"""Seconds for a test: each receiver has a time of its own, and they are tried one after another."""


@click.group("alerts", invoke_without_command=True)
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Events to list.")
@node_option
@json_option
@click.pass_context
def command(context: click.Context, limit: int, node: str | None, as_json: bool) -> None:
    """Show what is wrong now, and what happened, newest first, each with the command to run next.

    A node always tells of parked messages, stopped services, those held for more than a minute, and of its disk. The
    rules under alerts: in the flow file say of what else, and who is told.

    `junctor alerts test` tries whether the receivers of the rules can be reached.
    """
    if context.invoked_subcommand is not None:
        context.obj = node
        return
    with reading(node) as source:
        found = AlertsView(source.open_alerts(), source.alerts(limit))
    if as_json:
        click.echo(words.json_text(found))
        return
    _show_open(found.open, f" --node {node}" if node else "")
    if found.history:
        click.echo()
        _show_history(found.history)


@command.command("test")
@click.argument("rule", required=False)
@node_option
@json_option
@click.pass_context
def test(context: click.Context, rule: str | None, node: str | None, as_json: bool) -> int:
    """Send a test notice to the receivers of a RULE, or of all rules, and tell what came of it.

    The exit code is 1 when one was not reached.
    """
    client = running_node(node or context.obj)
    try:
        tried: list[Tried] = client.ask("alerts-test", list[Tried], patience=_PATIENCE, rule=rule)
    finally:
        client.close()
    if as_json:
        click.echo(words.json_text(tried))
    else:
        rows = [(one.rule, one.to, "sent" if one.ok else "failed", _took(one), one.error) for one in tried]
        tables.show(("rule", "to", "result", "took", "error"), rows, right="took")
    return 0 if all(one.ok for one in tried) else 1


def _took(tried: Tried) -> str:
    return words.duration(tried.seconds)


def _show_open(found: list[OpenAlert], node: str) -> None:
    if not found:
        click.echo("nothing is wrong now")
        return
    heads = ("service", "what", "since", "count", "text", "rule", "told", "next")
    rows = [_row(alert, node) for alert in found]
    tables.show(heads, rows, right="count")


def _row(alert: OpenAlert, node: str) -> tuple[Any, ...]:
    count = str(alert.count) if alert.kind in ("parked", "held", "queue", "age", "stopped") else ""
    return (
        alert.service or "-",
        alert.kind,
        words.clock(alert.since)[:-4],
        count,
        words.short(alert.text, 100),
        alert.rule or "-",
        _told(alert),
        alert.command + node,
    )


def _told(alert: OpenAlert) -> str:
    """Who was told when, and whom the notice has not reached: it is on its way, or was given up."""
    told = f"{words.clock(alert.told)[:-4]} {', '.join(alert.to)}" if alert.told is not None else ""
    untold = f"not yet {', '.join(alert.untold)}" if alert.untold else ""
    return "; ".join(part for part in (told, untold) if part) or "nobody"


def _show_history(found: list[AlertView]) -> None:
    rows = [
        (words.clock(alert.time), alert.kind, alert.service, words.short(alert.text, 100), alert.command)
        for alert in found
    ]
    tables.show(("time", "event", "service", "text", "next"), rows)
