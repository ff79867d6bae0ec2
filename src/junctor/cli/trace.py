"""``junctor trace``: a session as a sequence, one column a service; or as a list, each hop below its cause."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from junctor.cli import tables, words
from junctor.cli.options import json_option, node_option, reading
from junctor.cli.output import form_of, write
from junctor.node.sequence import mermaid, needed, sequence_of, svg, text
from junctor.node.sequence.mermaid import MERMAID_LIMIT
from junctor.node.sequence.svg import SVG_LIMIT
from junctor.node.sequence.text import ASCII, UNICODE, heading
from junctor.node.views.messages import MessageView
from junctor.node.views.stopped import Reading
from junctor.node.views.trace import Attempt, Hop, Trace
from junctor.observe.logs import readable

LINE = 160  # characters of a body or log line, unless everything is asked for
ENDS = 6  # of many tries or log lines, so many from the begin and from the end
WIDTH = 100
"""Characters of a line where the output is no terminal and $COLUMNS says nothing."""

FILE_WIDTH = 120
"""Characters of a line of a text file, as far as its columns need no more."""

LOOK_AGAIN = 0.3
"""Seconds between two looks at a session that is followed."""

FORMS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "markdown", ".json": "json", ".txt": "text"}
"""What the ending of a file stands for; a .md file holds a Mermaid block."""


@click.command("trace")
@click.argument("which", metavar="SESSION|MESSAGE")
@click.option("-v", "--verbose", is_flag=True, help="Whole bodies, headers and tracebacks, and what was logged.")
@click.option("--logs", is_flag=True, help="With what was logged in each hop.")
@click.option("--session", "--all", "whole", is_flag=True, help="Of a message, its whole session.")
@click.option("--tree", "form", flag_value="tree", help="As a list, each hop below its cause.")
@click.option("--mermaid", "form", flag_value="mermaid", help="As Mermaid, for pages that draw it.")
@click.option("--svg", "form", flag_value="svg", help="As an SVG picture.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write there; the ending (.svg, .mmd, .md, .json, .txt) is the form."
)
@click.option("-f", "--follow", is_flag=True, help="Print hops as they happen, until the session has come to rest.")
@node_option
@json_option
def command(
    which: str,
    verbose: bool,
    logs: bool,
    whole: bool,
    form: str | None,
    output: str | None,
    follow: bool,
    node: str | None,
    as_json: bool,
) -> None:
    """Show what led to a message and what came of it, or all hops of a session.

    MESSAGE is an id like a1b2c3d4e5f6-42, or its number 42: it is marked with >. SESSION may be the first digits of
    one, or the correlation id of a request. Services are columns and time runs down: each arrow is a message with
    its type, what became of it, how long its last try took, and its body. Where the terminal is too narrow for
    that, and with --tree, hops are a list.
    """
    form = "json" if as_json else form or (form_of(output, FORMS) if output else None)
    if follow and (form is not None or output):
        raise click.UsageError("--follow prints lines; leave out what asks for another form")
    with reading(node) as source:
        if follow:
            _follow(source, which, whole)
            return
        trace = source.trace(which, whole)
    again = f" --node {node}" if node else ""
    if output is not None:
        write(Path(output), _written(trace, form or "text", verbose, logs))
    elif form in ("json", "mermaid", "svg"):
        click.echo(_written(trace, form, verbose, logs).rstrip("\n"))
    else:
        for line in _shown(trace, form == "tree", verbose, logs, again):
            click.echo(line)


def _written(trace: Trace, form: str, verbose: bool, logs: bool) -> str:
    """The content of a file."""
    if form == "json":
        return f"{words.json_text(trace)}\n"
    if form == "svg":
        return svg(sequence_of(trace, SVG_LIMIT), logs or verbose)
    if form in ("mermaid", "markdown"):
        drawn = mermaid(sequence_of(trace, MERMAID_LIMIT))
        return f"```mermaid\n{drawn}\n```\n" if form == "markdown" else f"{drawn}\n"
    sequence = sequence_of(trace)
    width = max(FILE_WIDTH, needed(sequence))
    lined = text(sequence, width, logs=logs or verbose, bodies=verbose)
    return "".join(f"{line}\n" for line in (heading(sequence), *lined, *_rest(trace, "")))


def _shown(trace: Trace, tree: bool, verbose: bool, logs: bool, again: str) -> Iterator[str]:
    """The lines for a terminal or a pipe: a sequence where it fits."""
    sequence = sequence_of(trace)
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    if tree or needed(sequence) > width:
        yield from lines(trace, verbose, again)
        return
    charset = UNICODE if _speaks_unicode() else ASCII
    yield heading(sequence)
    yield from text(sequence, width, _styled, logs or verbose, verbose, charset)
    if verbose:
        yield from _whole(trace)
    yield from _rest(trace, again)


def _speaks_unicode() -> bool:
    try:
        "│▶┄×…".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


_COLOURS = {
    "title": {"bold": True},
    "outside": {"dim": True, "bold": True},
    "line": {"dim": True},
    "time": {"dim": True},
    "label": {"bold": True},
    "body": {"dim": True},
    "log": {"dim": True},
    "error": {"fg": "red"},
    "note": {"fg": "magenta"},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "waits": {"fg": "yellow"},
    "runs": {"fg": "cyan"},
}


def _styled(part: str, what: str) -> str:
    return click.style(part, **_COLOURS[what]) if what in _COLOURS else part  # type: ignore[arg-type]


def _whole(trace: Trace) -> Iterator[str]:
    """What has no room in a diagram: headers and tracebacks."""
    for hop in trace.hops:
        told = [f"headers: {words.json_line(hop.headers)}"] if hop.headers else []
        last = hop.message.error or (hop.attempts[-1].error if hop.attempts else None)
        if last is not None and last.traceback:
            told += readable(last.traceback).splitlines()
        if told:
            yield ""
            yield f"{hop.message.seq} {_path(hop.message)}"
            yield from (f"  {line}" for line in told)


def _rest(trace: Trace, again: str) -> Iterator[str]:
    """What is not shown, and the command that shows it."""
    if trace.left_out:
        yield f"too long, {_hops(trace.left_out)} left out: junctor messages --session {trace.session}{again}"
    if trace.others:
        yield f"{_hops(trace.others, 'other')} in this session: junctor trace {trace.asked} --session{again}"


# While it happens --------------------------------------------------------------------------------------------


_OPEN = ("ready", "claimed", "waiting", "held")


def _follow(source: Reading, which: str, whole: bool) -> None:
    """Print a line for each hop when it is there, and again when something became of it."""
    seen: dict[int, tuple[str, int]] = {}
    quiet = 0
    while quiet < 2:
        trace = source.trace(which, whole)
        news = [hop for hop in trace.hops if seen.get(hop.message.seq) != _standing(hop)]
        for hop in sorted(news, key=lambda hop: hop.message.seq):
            _, told = seen.get(hop.message.seq, ("", 0))
            seen[hop.message.seq] = _standing(hop)
            click.echo(f"{hop.message.seq:>6}  +{hop.offset:<8.3f} {_path(hop.message)}  {_facts(hop)}".rstrip())
            for line in _ends([_attempt(attempt, LINE) for attempt in hop.attempts[told:]]):
                click.echo(f"{'':18}{line}")
        settled = all(hop.message.status not in _OPEN for hop in trace.hops)
        quiet = quiet + 1 if settled and not news else 0
        if not source.running:
            return
        if quiet < 2:
            time.sleep(LOOK_AGAIN)


def _standing(hop: Hop) -> tuple[str, int]:
    return hop.message.status, len(hop.attempts)


# As a list ---------------------------------------------------------------------------------------------------


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
    yield from _rest(trace, node)


def _hops(count: int, which: str = "") -> str:
    return f"{count} {which} hop".replace("  ", " ") + ("" if count == 1 else "s")


def _path(message: MessageView) -> str:
    # A tick, route, action or start has no sender but its own service.
    if message.kind in ("send", "request", "event", "reply"):
        arrow = {"request": "=>", "event": "~>"}.get(message.kind, "->")
        return words.safe(f"{message.source} {arrow} {message.target} {message.label}")
    return words.safe(f"{message.target or message.source} {message.kind} {message.label}".rstrip())


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
    if message.resend_of:
        facts.append(f"resend of {message.resend_of.rpartition('-')[2]}")
    if hop.in_hand is not None:
        facts.append(f"in {hop.in_hand.handler} for {words.duration(hop.in_hand.seconds)}")
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
    for note in hop.notes:
        yield f"note by {words.safe(note.who or 'somebody')}, {words.clock(note.time)}: {words.short(note.text, width)}"


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
