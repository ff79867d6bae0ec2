"""From a trace to columns and steps, for whoever draws them. Pure: the same trace gives the same sequence.

Messages stand in the order in which they were accepted, and what came of them (failed tries, replies) where it
happened. A clock that was set back moves nothing upwards: no step stands above its cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from junctor.core.run import WOKEN
from junctor.messages import ASKER, HANDLER
from junctor.node.sequence.facts import error_of, facts_of, mark_of, remarks_of, tone_of, tried
from junctor.node.views.trace import Attempt, Hop, Trace
from junctor.node.views.words import duration

Shape = Literal["send", "request", "event", "call", "reply", "try"]
"""``call`` is how something from outside enters a service: a tick, a route, an action; ``try`` a failed attempt."""

Tone = Literal["good", "bad", "waits", "runs", "plain"]
"""How a step is to be looked at; drawings give it a colour."""

OUTSIDE = {"tick": "timer", "route": "HTTP", "action": "caller"}
CLIENT = "client"
"""The name by which clients and the command line send."""

ENDS = 3
"""Of many failed tries of a message, so many from the begin and from the end."""


class Column(msgspec.Struct, frozen=True):
    """A service by its address, or what is outside."""

    address: str
    title: str
    outside: bool = False


class Remark(msgspec.Struct, frozen=True):
    """A line below a step: where an error was raised, a log line, an operator's note. ``what``: error, log, note."""

    what: str
    text: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the diagram, ``offset`` seconds after the session began. ``source`` and ``to`` are columns.

    ``mark`` says what became of the message, ``facts`` the rest in short, ``error`` why. ``body`` is UNSET where
    there is none to show. ``asked``: the trace was asked for this message. ``ended`` is when its last try came to its
    end, None where it has not.
    """

    shape: Shape
    seq: int
    offset: float
    source: int
    to: int
    label: str = ""
    mark: str = ""
    tone: Tone = "plain"
    facts: tuple[str, ...] = ()
    error: str = ""
    body: Any = msgspec.UNSET
    remarks: tuple[Remark, ...] = ()
    asked: bool = False
    ended: float | None = None


class Sequence(msgspec.Struct, frozen=True):
    """A session to draw. ``left_out`` counts the hops that are beyond the limit, ``others`` those of the session that
    were not asked for."""

    session: str
    started: datetime
    seconds: float
    hops: int
    columns: tuple[Column, ...]
    steps: tuple[Step, ...]
    asked: int = 0
    left_out: int = 0
    others: int = 0


def sequence_of(trace: Trace, limit: int | None = None) -> Sequence:
    """The sequence of a trace.

    :param limit: so many of its first hops; the others are counted as left out.
    """
    hops = sorted(trace.hops, key=lambda hop: hop.message.seq)
    shown = hops[:limit]
    columns = _Columns(shown)
    steps = [step for _, step in sorted(_timed(shown, trace, columns), key=lambda timed: timed[0])]
    return Sequence(
        trace.session,
        trace.started,
        trace.seconds,
        len(trace.hops) + trace.left_out,
        columns.titled,
        tuple(steps),
        trace.asked,
        trace.left_out + len(hops) - len(shown),
        trace.others,
    )


Place = tuple[float, int, int]
"""Where a step stands: its time, then the number of its message, then its turn."""


def _timed(hops: list[Hop], trace: Trace, columns: _Columns) -> Iterator[tuple[Place, Step]]:
    latest = 0.0
    for hop in hops:
        latest = max(latest, hop.offset)
        source, to = columns.ends(hop)
        seq = hop.message.seq
        yield (latest, seq, 0), _message(hop, trace, source, to)
        end = latest
        for turn, step in enumerate(_tries(hop, trace, to), 1):
            end = max(end, step.offset)
            yield (end, seq, turn), step
        reply = _reply(hop, source, to)
        if reply is not None:
            yield (max(end, reply.offset), seq, len(hop.attempts) + 2), reply


def _message(hop: Hop, trace: Trace, source: int, to: int) -> Step:
    message = hop.message
    kind = message.kind
    return Step(
        shape=kind if kind in ("send", "request", "event", "reply") else "call",  # type: ignore[arg-type]
        seq=message.seq,
        offset=hop.offset,
        source=source,
        to=to,
        label="timer" if hop.headers.get(HANDLER) == WOKEN else message.label or kind,
        mark=mark_of(hop, trace),
        tone=tone_of(hop),
        facts=facts_of(hop),
        error=error_of(hop),
        body=_body(hop),
        remarks=tuple(Remark(what, text) for what, text in remarks_of(hop)),
        asked=message.seq == trace.asked,
        ended=hop.began + message.seconds if hop.began is not None and tone_of(hop) not in ("waits", "runs") else None,
    )


def _body(hop: Hop) -> Any:
    return hop.body if hop.size and hop.body not in (None, {}, []) else msgspec.UNSET


def _tries(hop: Hop, trace: Trace, to: int) -> Iterator[Step]:
    many = len(hop.attempts) - 2 * ENDS
    for index, attempt in enumerate(hop.attempts):
        if many > 1 and ENDS < index < ENDS + many:
            continue
        offset = (attempt.started - trace.started + timedelta(seconds=attempt.seconds)).total_seconds()
        step = Step(shape="try", seq=hop.message.seq, offset=offset, source=to, to=to, tone="waits")
        if many > 1 and index == ENDS:
            yield msgspec.structs.replace(step, label=f"{many} more failed tries")
        else:
            yield _failed(step, attempt, hop)


def _failed(step: Step, attempt: Attempt, hop: Hop) -> Step:
    error = attempt.error
    line = (Remark("error", error.line),) if error.line and attempt is hop.attempts[-1] else ()
    probe = attempt.number == 0  # a held service spends no attempt
    return msgspec.structs.replace(
        step,
        label="held" if probe else tried(attempt.number, hop),
        mark="" if probe else "failed",
        tone="waits" if attempt.settlement in ("retry", "hold", "waiting") else "bad",
        facts=(f"after {duration(attempt.seconds)}",),
        error=f"{error.type}: {error.text}",
        remarks=line,
    )


def _reply(hop: Hop, source: int, to: int) -> Step | None:
    """The arrow back: of what was asked and answered, and of a call from outside that has ended."""
    message = hop.message
    if ASKER in hop.headers:
        return None  # the reply to a run is a message of its own
    ended = hop.began is not None and message.status in ("done", "failed")
    if hop.reply is None and not (ended and message.kind in ("request", "route", "action")):
        return None
    offset = (hop.began if hop.began is not None else hop.offset) + message.seconds
    step = Step(shape="reply", seq=message.seq, offset=offset, source=to, to=source, facts=(duration(message.seconds),))
    if hop.reply is None:
        failed = message.status == "failed"
        return msgspec.structs.replace(step, label="failed" if failed else "", tone="bad" if failed else "plain")
    late = hop.reply.late
    body = msgspec.UNSET if hop.reply.body is None else hop.reply.body
    return msgspec.structs.replace(
        step, label=hop.reply.type, body=body, mark="late" if late else "", tone="waits" if late else "plain"
    )


class _Columns:
    """Columns in the order of their first message; what is outside stands left of all services."""

    def __init__(self, hops: list[Hop]) -> None:
        pairs = [pair for hop in hops for pair in _ends(hop)]
        ordered = dict.fromkeys(sorted(dict.fromkeys(pairs), key=lambda pair: not pair[1]))
        inside = {address.rpartition("/")[0] for address, outside in ordered if not outside}
        self._numbers = {pair: number for number, pair in enumerate(ordered)}
        self.titled = tuple(
            Column(address, address if outside or len(inside) > 1 else address.rpartition("/")[2], outside)
            for address, outside in ordered
        )

    def ends(self, hop: Hop) -> tuple[int, int]:
        source, to = _ends(hop)
        return self._numbers[source], self._numbers[to]


def _ends(hop: Hop) -> tuple[tuple[str, bool], tuple[str, bool]]:
    """From where to where a message goes: names, and whether they are outside."""
    message = hop.message
    if message.kind in OUTSIDE:
        return (OUTSIDE[message.kind], True), (message.target or message.source, False)
    outside = message.source.rpartition("/")[2] == CLIENT or not message.source
    return (CLIENT if outside else message.source, outside), (message.target, False)
