"""A run with its history, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click
import msgspec

from junctor.cli import tables, words
from junctor.core.run import FAILURE
from junctor.node.views.runs import CallView, RunHistory, RunView, TurnView, WaitView

LINE = 100
"""Characters of a body on one line."""


def history_lines(history: RunHistory, whole: bool, node: str) -> Iterator[str]:
    """The facts of a run, then its turns, then what to do next.

    :param whole: bodies are not cut.
    :param node: what a command needs to find the same node.
    """
    width = 1_000_000 if whole else LINE
    yield from _facts(history, width)
    number = len(str(history.turns[-1].number)) if history.turns else 1
    for position, turn in enumerate(history.turns):
        if history.left_out and position == len(history.turns) - len(history.turns) // 2:
            yield f"{'':{number + 4}}... {history.left_out} turns are left out; -n shows more"
        yield from _turn(turn, number, width)
    yield from _next(history, node)


def _facts(history: RunHistory, width: int) -> Iterator[str]:
    run = history.run
    parts = [f"run {run.seq}", f"{run.service}.{run.handler}" if run.handler else run.service]
    parts += [f"key {words.short(run.key, 60)}"] if run.key is not None else []
    parts += [tables.word(run.status), f"{run.turns} turn{'' if run.turns == 1 else 's'}"]
    yield "  ".join(words.safe(part) if position < 2 else part for position, part in enumerate(parts))
    ended = "" if run.status in ("open", "suspended") else f", ended {words.clock(run.changed)}"
    yield f"started {words.clock(run.started)}{ended}  {run.id}"
    if run.damaged:
        yield click.style("what is stored of it fails its checksum", fg="red")
    if run.error:
        yield click.style(words.safe(run.error), fg="red")
    for wait in run.waits:
        yield f"waits: {waiting(wait)}"
    if history.attributes is not msgspec.UNSET:
        yield f"attributes {words.short(words.json_line(history.attributes), width)}"
    if history.reply is not msgspec.UNSET:
        yield f"result {words.short(words.json_line(history.reply), width)}"
    elif history.failure is not None:
        yield click.style(f"failed: {words.safe(f'{history.failure.type}: {history.failure.text}')}", fg="red")
    for note in history.notes:
        yield click.style(f"note {words.clock(note.time)} {note.who}: {words.safe(note.text)}", fg="magenta")


def waiting(wait: WaitView) -> str:
    """``sleep 1 d (step 3) since 12:00:00.000, until ...``."""
    until = f", until {words.clock(wait.until)}" if wait.until is not None else ""
    return f"{words.safe(wait.what)} (step {wait.step}) since {words.clock(wait.since)}{until}"


def _turn(turn: TurnView, number: int, width: int) -> Iterator[str]:
    yield f"  {turn.number:>{number}}  {words.clock(turn.time)}  {_came(turn, width)}".rstrip()
    margin = " " * (number + 6)
    for call in turn.did:
        yield f"{margin}{_call(call, width)}"
    if turn.end:
        yield f"{margin}{tables.word(turn.end)}"


def _came(turn: TurnView, width: int) -> str:
    if turn.damaged:
        return click.style(f"damaged: {words.short(words.json_line(turn.data), width)}", fg="red")
    if not turn.came:
        return words.short(words.json_line(turn.data), width)
    what = {"begin": f"begins with {turn.name}", "signal": f"signal {turn.name}", "timer": f"timer of step {turn.step}"}
    what |= {"terminate": "ended at once"}
    text = what.get(turn.came, turn.came)
    if turn.came == "reply":
        text = f"reply to step {turn.step}" if turn.ended == "done" else f"step {turn.step} {turn.ended}"
        if turn.type == FAILURE and isinstance(turn.body, dict):
            return words.safe(f"{text}  {turn.body.get('type')}: {turn.body.get('text')}")
    body = "" if turn.body is msgspec.UNSET else f"  {turn.type} {words.short(words.json_line(turn.body), width)}"
    return words.safe(f"{text}{body}")


def _call(call: CallView, width: int) -> str:
    text = f"{call.step} {call.text}"
    if call.error:
        return words.safe(text) + click.style(f"  {words.short(call.error, width)}", fg="red")
    value = "" if call.value is msgspec.UNSET else f"  = {words.short(words.json_line(call.value), width)}"
    return words.safe(f"{text}{value}")


def _next(history: RunHistory, node: str) -> Iterator[str]:
    run = history.run
    if history.parked:
        count = f"{len(history.parked)} message{'' if len(history.parked) == 1 else 's'}"
        yield f"{count} for it parked: junctor trace {history.parked[0]}{node}"
    if run.status == "continuing":
        yield f"the one that carries it on has not begun: junctor trace {run.seq} --session{node}"
    if run.status == "suspended":
        yield f"when its cause is corrected: junctor workflows retry {run.seq}{node}"
    yield f"what it did elsewhere: junctor trace {run.seq}{node}"


def run_row(run: RunView, several: bool) -> tuple[str, ...]:
    """A run as a row of the listing."""
    service = run.service if several else run.service.rpartition("/")[2]
    return (
        str(run.seq),
        words.short(run.key or "", 40),
        service,
        run.handler,
        run.status,
        str(run.turns),
        words.clock(run.started),
        words.short(_standing(run), 80),
    )


def _since(instant: datetime) -> str:
    return words.duration(max(0.0, (datetime.now(UTC) - instant).total_seconds()))


def _standing(run: RunView) -> str:
    """What it waits for, or why it does not go on."""
    if run.damaged:
        return "damaged"
    if run.error:
        return run.error
    if run.status != "open":
        return ""
    parts = [f"{wait.what} for {_since(wait.since)}" for wait in run.waits[:2]]
    parts += [f"and {len(run.waits) - 2} more"] if len(run.waits) > 2 else []
    if not parts and run.due is not None:
        parts = [f"timer {words.clock(run.due)}"]
    return ", ".join(parts)
