"""A trace: the hops of a session in the order of cause and effect, with their tries, logs and replies."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from junctor.messages import session_text
from junctor.node.views.messages import (
    Held,
    MessageView,
    NoteView,
    Reason,
    body_of,
    instant,
    message_view,
    never_held,
    note_view,
    plain,
    reason_of,
)
from junctor.transports.base import Archive, AttemptRecord, HopLog, Record

TRACE_LIMIT = 5000
"""Hops of one trace."""


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
    """The answer to a request; ``late`` when its requester had given up."""

    type: str
    body: Any = None
    late: bool = False


class Hop(msgspec.Struct, omit_defaults=True):
    """A message within a trace. ``depth`` counts the causes above it, ``offset`` the seconds since the session began,
    ``notes`` are what operators said about it.

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


class Trace(msgspec.Struct, omit_defaults=True):
    """A session, or what belongs to one message of it: its causes and effects. Hops in the order of cause and effect.

    ``asked`` is the number of that message, 0 for a whole session; ``others`` counts the hops of the session that are
    neither cause nor effect of it, ``left_out`` those beyond the limit of a trace.
    """

    session: str
    started: datetime
    seconds: float
    hops: list[Hop]
    left_out: int = 0
    asked: int = 0
    others: int = 0


def trace_of(archive: Archive, session: int, held: Held = never_held, asked: int = 0) -> Trace | None:
    """The trace of a session; None when nothing of it is stored.

    :param asked: the number of a message of it: only this one, its causes and its effects.
    """
    whole = archive.session(session)
    if not whole:
        return None
    records = _around(whole, asked) if asked else whole
    shown = records[:TRACE_LIMIT]
    attempts = _by_seq(archive.attempts(record.message.seq for record in shown))
    logs = _by_seq(archive.logs(session))
    notes = _by_seq(archive.notes(record.message.seq for record in shown))
    start = min(record.message.time for record in records)
    hops = [
        _hop(record, depth, start, attempts[record.message.seq], logs[record.message.seq], held)
        for record, depth in _in_order(shown)
    ]
    for hop in hops:
        hop.notes = [note_view(note) for note in notes[hop.message.seq]]
    end = max(_end(record) for record in records)
    return Trace(
        session_text(session),
        instant(start),
        (end - start) / 1e9,
        hops,
        left_out=len(records) - len(shown),
        asked=asked,
        others=len(whole) - len(records),
    )


def _around(records: list[Record], asked: int) -> list[Record]:
    """The record of this number, its causes and its effects, oldest first."""
    causes = {record.message.seq: record.message.cause for record in records}
    chosen = {asked}
    for seq in sorted(causes):  # an effect has a higher number than its cause
        if causes[seq] in chosen and causes[seq] < seq:
            chosen.add(seq)
    cause = causes.get(asked, 0)
    while cause in causes and cause not in chosen:
        chosen.add(cause)
        cause = causes[cause] if causes[cause] < cause else 0
    return [record for record in records if record.message.seq in chosen]


def _in_order(records: list[Record]) -> list[tuple[Record, int]]:
    """Each record behind its cause, with its depth. A cause outside the session, or a later one, makes a first hop."""
    known = {record.message.seq for record in records}
    effects: dict[int, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.message.seq):
        cause = record.message.cause
        effects[cause if cause in known and cause < record.message.seq else 0].append(record)
    ordered: list[tuple[Record, int]] = []
    waiting = [(record, 0) for record in reversed(effects[0])]
    while waiting:
        record, depth = waiting.pop()
        ordered.append((record, depth))
        waiting += [(effect, depth + 1) for effect in reversed(effects[record.message.seq])]
    return ordered


def _hop(record: Record, depth: int, start: int, attempts: list[AttemptRecord], logs: list[HopLog], held: Held) -> Hop:
    message = record.message
    size, body = body_of(message)
    return Hop(
        message_view(record, held),
        depth,
        (message.time - start) / 1e9,
        message.cause,
        size,
        body,
        dict(message.headers),
        ReplyView(record.reply.type, plain(record.reply.payload), record.late) if record.reply else None,
        [_attempt(attempt) for attempt in attempts],
        [_log(log) for log in logs],
    )


def _attempt(record: AttemptRecord) -> Attempt:
    return Attempt(
        record.attempt,
        instant(record.started),
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
