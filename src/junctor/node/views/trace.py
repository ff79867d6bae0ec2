"""A trace: the hops of a session in the order of cause and effect, with their tries, logs and replies.

A session may have any number of hops, each with a body of megabytes: it is read in pages, and of each page no more is
kept than is shown.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from junctor.messages import Status, session_text
from junctor.node.views.messages import (
    MessageView,
    NoteView,
    Reason,
    body_of,
    instant,
    message_view,
    note_view,
    plain,
    reason_of,
)
from junctor.node.views.moment import STOPPED, InHand, Moment
from junctor.transports.base import Archive, AttemptRecord, HopLog, Record

TRACE_LIMIT = 5000
"""Hops of one trace."""

LOG_LIMIT = 20_000
"""Log lines of one trace."""

PAGE = 500
"""Records that are read at once."""


class Attempt(msgspec.Struct, omit_defaults=True):
    """One failed attempt; ``settlement`` says what followed: retry, hold, park or expire."""

    number: int
    started: datetime
    seconds: float
    settlement: str
    error: Reason


class LogEntry(msgspec.Struct):
    """A log line written while the hop ran."""

    time: datetime
    level: str
    logger: str
    text: str


class ReplyView(msgspec.Struct, omit_defaults=True):
    """The answer to a request; ``late`` when its requester had given up, ``masked`` as in a message."""

    type: str
    body: Any = None
    late: bool = False
    masked: list[str] = []


class Hop(msgspec.Struct, omit_defaults=True):
    """A message within a trace. ``depth`` counts the causes above it, ``offset`` the seconds since the session began,
    ``notes`` are what operators said about it.

    ``began`` is when its last attempt began, in seconds since the session began; None where none did. ``tries`` is how
    many attempts its service gives it, 0 where only a running node would know. ``in_hand`` is what runs of it now.
    ``body`` is None when it is larger than a trace carries; ``size`` is the number of its encoded bytes.
    """

    message: MessageView
    depth: int
    offset: float
    cause: int = 0
    size: int = 0
    body: Any = None
    headers: dict[str, str] = {}
    reply: ReplyView | None = None
    attempts: list[Attempt] = []
    logs: list[LogEntry] = []
    notes: list[NoteView] = []
    began: float | None = None
    tries: int = 0
    in_hand: InHand | None = None


class Trace(msgspec.Struct, omit_defaults=True):
    """A session, or what belongs to one message of it: its causes and effects. Hops in the order of cause and effect.

    ``asked`` is the number of that message, 0 for a whole session; ``others`` counts the hops of the session that are
    neither cause nor effect of it, ``left_out`` those beyond the limit of a trace. ``running``: its node was running,
    and ``made`` is the time of its clock when it answered.
    """

    session: str
    started: datetime
    seconds: float
    hops: list[Hop]
    left_out: int = 0
    asked: int = 0
    others: int = 0
    running: bool = False
    made: datetime | None = None


class Place(NamedTuple):
    """Where a hop is in its session: numbers and times alone, of which any session has room. Times in nanoseconds."""

    seq: int
    cause: int
    time: int
    end: int


def trace_of(archive: Archive, session: int, moment: Moment = STOPPED, asked: int = 0) -> Trace | None:
    """The trace of a session; None when nothing of it is stored.

    :param moment: what only a running node knows.
    :param asked: the number of a message of it: only this one, its causes and its effects.
    """
    whole, kept = _places(archive, session, moment)
    if not whole:
        return None
    places = _around(whole, asked) if asked else whole
    shown = places[:TRACE_LIMIT]
    start = min(place.time for place in places)
    hops = _hops(archive, session, shown, start, kept, moment)
    return Trace(
        session_text(session),
        instant(start),
        (max(place.end for place in places) - start) / 1e9,
        hops,
        left_out=len(places) - len(shown),
        asked=asked,
        others=len(whole) - len(places),
        running=moment.running,
        made=moment.time,
    )


def _pages(archive: Archive, session: int) -> Iterator[Record]:
    after, count = 0, PAGE
    while count == PAGE:
        page = archive.session(session, after, PAGE)
        yield from page
        count = len(page)
        after = page[-1].message.seq if page else after


def _places(archive: Archive, session: int, moment: Moment) -> tuple[list[Place], dict[int, Hop]]:
    """Where all hops of a session are, oldest first, and the first of them as they are shown."""
    places: list[Place] = []
    kept: dict[int, Hop] = {}
    for record in _pages(archive, session):
        message = record.message
        places.append(Place(message.seq, message.cause, message.time, _end(record)))
        if len(kept) < TRACE_LIMIT:
            kept[message.seq] = _hop(record, moment)
    return places, kept


def _around(places: list[Place], asked: int) -> list[Place]:
    """The hop of this number, its causes and its effects, oldest first."""
    causes = {place.seq: place.cause for place in places}
    chosen = {asked}
    for seq in sorted(causes):  # an effect has a higher number than its cause
        if causes[seq] in chosen and causes[seq] < seq:
            chosen.add(seq)
    cause = causes.get(asked, 0)
    while cause in causes and cause not in chosen:
        chosen.add(cause)
        cause = causes[cause] if causes[cause] < cause else 0
    return [place for place in places if place.seq in chosen]


def _hops(
    archive: Archive, session: int, shown: list[Place], start: int, kept: dict[int, Hop], moment: Moment
) -> list[Hop]:
    numbers = [place.seq for place in shown]
    attempts = _by_seq(archive.attempts(numbers))
    notes = _by_seq(archive.notes(numbers))
    logs = _by_seq(archive.logs(session, LOG_LIMIT))
    hops = []
    for place, depth in _in_order(shown):
        record = None if place.seq in kept else archive.record(place.seq)
        hop = kept.get(place.seq) or (_hop(record, moment) if record is not None else None)
        if hop is None:
            continue  # removed since
        hop.depth = depth
        hop.offset = (place.time - start) / 1e9
        hop.began = None if hop.began is None else hop.began - start / 1e9
        hop.attempts = [_attempt(attempt, place.time) for attempt in attempts[place.seq]]
        hop.logs = [_log(log) for log in logs[place.seq]]
        hop.notes = [note_view(note) for note in notes[place.seq]]
        hops.append(hop)
    return hops


def _in_order(places: list[Place]) -> list[tuple[Place, int]]:
    """Each hop behind its cause, with its depth. A cause outside the session, or a later one, makes a first hop."""
    known = {place.seq for place in places}
    effects: dict[int, list[Place]] = defaultdict(list)
    for place in sorted(places):
        effects[place.cause if place.cause in known and place.cause < place.seq else 0].append(place)
    ordered: list[tuple[Place, int]] = []
    waiting = [(place, 0) for place in reversed(effects[0])]
    while waiting:
        place, depth = waiting.pop()
        ordered.append((place, depth))
        waiting += [(effect, depth + 1) for effect in reversed(effects[place.seq])]
    return ordered


def _hop(record: Record, moment: Moment) -> Hop:
    """A hop by itself; its place among others is given to it afterwards."""
    message = record.message
    size, body = body_of(message)
    view = message_view(record, moment.held)
    if moment.running and record.status is Status.CLAIMED and message.seq not in moment.in_hand:
        # Handed out to the queue in memory, and no handler has it yet.
        view.status = "held" if moment.held(message.target) else "ready"
    return Hop(
        view,
        0,
        0.0,
        message.cause,
        size,
        body,
        dict(message.headers),
        _reply(record) if record.reply else None,
        began=record.started / 1e9 if record.started else None,
        tries=moment.tries.get(message.target, 0),
        in_hand=moment.in_hand.get(message.seq),
    )


def _reply(record: Record) -> ReplyView:
    assert record.reply is not None
    return ReplyView(record.reply.type, plain(record.reply.payload), record.late, list(record.reply_masked))


def _attempt(record: AttemptRecord, sent: int) -> Attempt:
    """An attempt of a message that was sent then. One without a start, as stores of earlier versions have them, is
    shown at the beginning of its message."""
    return Attempt(
        record.attempt,
        instant(record.started or sent),
        record.duration / 1e9,
        record.settlement.lower(),
        reason_of(record.failure),
    )


def _log(log: HopLog) -> LogEntry:
    line = log.line
    return LogEntry(instant(line.time), logging.getLevelName(line.level), line.logger, line.text)


def _end(record: Record) -> int:
    return max(record.message.time, record.started + record.duration)


def _by_seq(items: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for item in items:
        found[item.seq].append(item)
    return found
