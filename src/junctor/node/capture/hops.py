"""The hops of a session as a capture keeps them, whole, from an archive in which sensitive values are masked."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from junctor.core.outcome import Failure
from junctor.node.capture.file import (
    CapturedAttempt,
    CapturedHop,
    CapturedLog,
    CapturedNote,
    CapturedReply,
    Fault,
)
from junctor.node.views.messages import instant, plain
from junctor.observe.frames import own_line
from junctor.transports.base import Archive, AttemptRecord, HopLog, Note, Record

HOP_LIMIT = 5000
"""Hops of one capture."""

BYTE_LIMIT = 32 * 1024 * 1024
"""Encoded bytes of all bodies of one capture."""

LOG_LIMIT = 50_000
PAGE = 200


class Captured(NamedTuple):
    """Hops in the order of their numbers, and how many more there were."""

    hops: list[CapturedHop]
    left_out: int


def captured_hops(archive: Archive, session: int) -> Captured:
    """The hops of a session, up to the limits of a capture; none where nothing of it is stored."""
    hops: list[CapturedHop] = []
    size = left_out = 0
    for record in _pages(archive, session):
        hop = _hop(record)
        size += _size(record.message.payload) + (_size(record.reply.payload) if record.reply is not None else 0)
        if left_out or len(hops) == HOP_LIMIT or (size > BYTE_LIMIT and hops):
            left_out += 1
        else:
            hops.append(hop)
    _complete(archive, session, hops)
    return Captured(hops, left_out)


def _pages(archive: Archive, session: int) -> Iterator[Record]:
    after, count = 0, PAGE
    while count == PAGE:
        page = archive.session(session, after, PAGE)
        yield from page
        count = len(page)
        after = page[-1].message.seq if page else after


def _complete(archive: Archive, session: int, hops: list[CapturedHop]) -> None:
    numbers = [hop.number for hop in hops]
    attempts = _by_seq(archive.attempts(numbers))
    notes = _by_seq(archive.notes(numbers))
    logs = _by_seq(archive.logs(session, LOG_LIMIT))
    for hop in hops:
        hop.attempts = [_attempt(attempt, hop.time) for attempt in attempts[hop.number]]
        hop.notes = [_note(note) for note in notes[hop.number]]
        hop.logs = [_log(log) for log in logs[hop.number]]


def _hop(record: Record) -> CapturedHop:
    message, reply = record.message, record.reply
    return CapturedHop(
        id=message.id,
        number=message.seq,
        kind=message.kind.name.lower(),
        source=message.source,
        target=message.target,
        type=message.type,
        version=message.version,
        time=instant(message.time),
        status=record.status.name.lower(),
        body=plain(message.payload),
        cause=message.cause,
        key=message.key,
        headers=dict(message.headers),
        due=instant(message.due) if message.due else None,
        deadline=instant(message.deadline) if message.deadline else None,
        attempt=record.attempt,
        began=instant(record.started) if record.started else None,
        seconds=record.duration / 1e9,
        masked=list(record.masked),
        damaged=record.damaged,
        error=_fault(record.failure) if record.failure else None,
        reply=CapturedReply(reply.type, plain(reply.payload), reply.version, record.late, list(record.reply_masked))
        if reply is not None
        else None,
    )


def _size(payload: Any) -> int:
    return len(payload) if isinstance(payload, bytes) else len(msgspec.json.encode(plain(payload)))


def _fault(failure: Failure) -> Fault:
    return Fault(failure.type, failure.text, failure.traceback, own_line(failure.traceback))


def _attempt(record: AttemptRecord, sent: datetime) -> CapturedAttempt:
    # Stores of earlier versions have attempts without a start.
    return CapturedAttempt(
        record.attempt,
        instant(record.started) if record.started else sent,
        record.duration / 1e9,
        record.settlement.lower(),
        _fault(record.failure),
    )


def _log(log: HopLog) -> CapturedLog:
    line = log.line
    return CapturedLog(instant(line.time), logging.getLevelName(line.level), line.logger, line.text)


def _note(note: Note) -> CapturedNote:
    return CapturedNote(instant(note.time), note.who, note.text)


def _by_seq(items: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for item in items:
        found[item.seq].append(item)
    return found
