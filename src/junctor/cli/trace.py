"""``junctor trace``: the hops of a session, each below its cause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import click

from junctor.cli import tables, words
from junctor.cli.options import json_option, node_option, reading
from junctor.node.views.messages import MessageView
from junctor.node.views.trace import Attempt, Hop, Trace
from junctor.observe.logs import readable

_WHICH = re.compile(r"[0-9a-fA-F-]+")

LINE = 160  # characters of a body or log line, unless everything is asked for
ENDS = 6  # of many tries or log lines, so many from the begin and from the end


@click.command("trace")
@click.argument("which", metavar="SESSION|MESSAGE")
@click.option("-v", "--verbose", is_flag=True, help="Whole bodies, headers and tracebacks.")
@click.option("--session", "--all", "whole", is_flag=True, help="Of a message, its whole session.")
@node_option
@json_option
def command(which: str, verbose: bool, whole: bool, node: str | None, as_json: bool) -> None:
    """Show what led to a message and what came of it, or all hops of a session.

    MESSAGE is an id like a1b2c3d4e5f6-42, or its number 42: its line is marked with >. SESSION may be the first digits
    of one. Each hop tells when it began, from whom to whom, its type, what became of it, the number of tries, and how
    long the last one took. -> is a send, => a request, ~> an event.
    """
    if not _WHICH.fullmatch(which.strip()):
        fix = "An id looks like 42 or a1b2c3d4e5f6-42, a session like 32 hexadecimal digits or the first of them."
        raise click.BadParameter(f'"{words.safe(which)}" is neither a message id nor a session. {fix}')
    with reading(node) as source:
        trace = source.trace(which, whole)
    if as_json:
        click.echo(words.json_text(trace))
        return
    for line in lines(trace, verbose, f" --node {node}" if node else ""):
        click.echo(line)


def lines(trace: Trace, verbose: bool, node: str = "") -> Iterator[str]:
    """The trace as lines of text.

    :param node: what a command needs to find the same node.
    """
    count = _hops(len(trace.hops))
    yield f"session {trace.session}  {words.clock(trace.started)}  {count} in {words.duration(trace.seconds)}"
    paths = ["  " * hop.depth + _path(hop.message) for hop in trace.hops]
    width = max(len(path) for path in paths)
    number = max(len(str(hop.message.seq)) for hop in trace.hops)
    marked = trace.asked and len(trace.hops) > 1
    for hop, path in zip(trace.hops, paths, strict=True):
        mark = ("> " if hop.message.seq == trace.asked else "  ") if marked else ""
        yield f"{mark}{hop.message.seq:>{number}}  +{hop.offset:<8.3f} {path:<{width}}  {_facts(hop)}".rstrip()
        margin = " " * (len(mark) + number + 13 + 2 * hop.depth)
        for detail in _details(hop, verbose):
            yield margin + detail
    if trace.left_out:
        yield f"too long, {_hops(trace.left_out)} left out: junctor messages --session {trace.session}{node}"
    if trace.others:
        yield f"{_hops(trace.others, 'other')} in this session: junctor trace {trace.asked} --session{node}"


def _hops(count: int, which: str = "") -> str:
    return f"{count} {which} hop".replace("  ", " ") + ("" if count == 1 else "s")


def _path(message: MessageView) -> str:
    # A tick, route, action or start has no sender but its own service.
    if message.kind in ("send", "request", "event", "reply"):
        arrow = {"request": "=>", "event": "~>"}.get(message.kind, "->")
        return words.safe(f"{message.source} {arrow} {message.target} {message.type}")
    return words.safe(f"{message.target or message.source} {message.kind} {message.type}".rstrip())


def _facts(hop: Hop) -> str:
    message = hop.message
    facts = [tables.word(message.status)]
    if message.attempt > 1:
        facts.append(f"{message.attempt} tries")
    if message.seconds:
        facts.append(words.duration(message.seconds))
    if message.key is not None:
        facts.append(f"key {words.short(message.key, 40)}")
    if message.due and message.status in ("waiting", "held"):
        facts.append(f"due {words.clock(message.due)}")
    if message.damaged:
        facts.append(click.style("damaged", fg="red"))
    return "  ".join(facts)


def _details(hop: Hop, verbose: bool) -> Iterator[str]:
    width = 1_000_000 if verbose else LINE
    yield from _body(hop, verbose, width)
    told = _told(hop, verbose, width)
    yield from told if verbose else _ends(told)
    if hop.reply is not None:
        late = " (late)" if hop.reply.late else ""
        yield f"reply{late}: {words.safe(hop.reply.type)} {words.short(words.json_line(hop.reply.body), width)}"
    error = hop.message.error
    if error is not None and all(attempt.error.text != error.text for attempt in hop.attempts):
        yield click.style(words.short(f"{error.type}: {error.text}", width), fg="red")
    last = error or (hop.attempts[-1].error if hop.attempts else None)
    if last is not None:
        # A whole traceback begins with the user's own line.
        yield from (
            readable(last.traceback).splitlines() if verbose else [words.short(last.line, width)] * bool(last.line)
        )


def _body(hop: Hop, verbose: bool, width: int) -> Iterator[str]:
    if hop.body is None and hop.size > 4:
        yield f"body: {words.size(hop.size)}"
    elif hop.size and hop.body not in (None, {}, []):
        yield f"body: {words.short(words.json_line(hop.body), width)}"
    if verbose and hop.headers:
        yield f"headers: {words.short(words.json_line(hop.headers), width)}"


def _told(hop: Hop, verbose: bool, width: int) -> list[str]:
    """The tries and what was logged in them, in the order of time. What the engine itself logs is in the tries."""
    shown = [log for log in hop.logs if verbose or not log.logger.startswith("junctor.")]
    logs = [
        (log.time, f"log {words.clock(log.time)} {log.level.lower()}: {words.short(log.text, width)}") for log in shown
    ]
    tries = [
        (attempt.started + timedelta(seconds=attempt.seconds), _attempt(attempt, width)) for attempt in hop.attempts
    ]
    return [line for _, line in sorted(logs + tries, key=lambda told: told[0])]


def _attempt(attempt: Attempt, width: int) -> str:
    error = words.short(f"{attempt.error.type}: {attempt.error.text}", width)
    return f"try {attempt.number}, {words.duration(attempt.seconds)}, then {attempt.settlement}: {error}"


def _ends(lines: list[str]) -> list[str]:
    """The first and last of many lines."""
    left_out = len(lines) - 2 * ENDS
    return lines if left_out <= 1 else [*lines[:ENDS], f"... {left_out} more, -v shows them", *lines[-ENDS:]]
