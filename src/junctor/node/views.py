"""What operators see of messages: rows, traces and parked groups, as data with JSON in mind.

Made from the archive of a transport alone, so that a running node and the store of a stopped one answer alike. Times
are UTC; durations are seconds.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from junctor.core.outcome import Failure
from junctor.messages import Message, Status, codec, session_text
from junctor.transports.base import Archive, AttemptRecord, HopLog, ParkedGroup, Query, Record

BODY_LIMIT = 64 * 1024
"""Encoded bytes of a body up to which a trace carries it."""

TRACE_LIMIT = 5000
"""Hops of one trace."""


class Reason(msgspec.Struct, omit_defaults=True):
    """Why an attempt failed."""

    type: str
    text: str
    traceback: str = ""
    fingerprint: str = ""


class MessageView(msgspec.Struct, omit_defaults=True):
    """One message and what became of it.

    ``status`` is one of ready, claimed, waiting, held, done, parked, expired, failed. ``due`` is the next attempt of a
    waiting message. ``attempt`` counts the attempts so far.
    """

    id: str
    seq: int
    session: str
    time: datetime
    kind: str
    source: str
    target: str
    type: str
    status: str
    attempt: int = 0
    seconds: float = 0.0
    key: str | None = None
    due: datetime | None = None
    deadline: datetime | None = None
    error: Reason | None = None
    damaged: bool = False


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
    """A message within a trace. ``depth`` counts the causes above it, ``offset`` the seconds since the session began.

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


class Trace(msgspec.Struct, omit_defaults=True):
    """A session: its hops in the order of cause and effect. ``left_out`` counts hops beyond the limit of a trace."""

    session: str
    started: datetime
    seconds: float
    hops: list[Hop]
    left_out: int = 0


class ParkedView(msgspec.Struct):
    """Parked messages that failed alike. ``command`` shows the latest of them."""

    service: str
    type: str
    error: str
    text: str
    fingerprint: str
    count: int
    first: datetime
    last: datetime
    latest: int
    command: str


class AlertView(msgspec.Struct):
    """Something an operator should know, and the command to run next."""

    time: datetime
    kind: str
    service: str
    text: str
    command: str


Held = Callable[[str], bool]
"""Whether the service at an address is held now."""


def never_held(address: str) -> bool:
    """For a node that does not run: nothing is held at this moment."""
    return False


def messages(archive: Archive, query: Query, held: Held = never_held) -> list[MessageView]:
    """The messages of a query, newest first."""
    return [_message(record, held) for record in archive.search(query)]


def parked(archive: Archive) -> list[ParkedView]:
    """The groups of parked messages, the most recent failure first."""
    return [_parked(group) for group in sorted(archive.parked(), key=lambda group: -group.last)]


def alerts(archive: Archive, limit: int) -> list[AlertView]:
    """The latest alerts, newest first."""
    return [
        AlertView(_instant(alert.time), alert.kind, alert.service, alert.text, alert.command)
        for alert in archive.alerts(limit)
    ]


def trace(archive: Archive, session: int, held: Held = never_held) -> Trace | None:
    """The trace of a session; None when nothing of it is stored."""
    records = archive.session(session)
    if not records:
        return None
    shown = records[:TRACE_LIMIT]
    attempts = _by_seq(archive.attempts(record.message.seq for record in shown))
    logs = _by_seq(archive.logs(session))
    start = min(record.message.time for record in records)
    hops = [
        _hop(record, depth, start, attempts[record.message.seq], logs[record.message.seq], held)
        for record, depth in _in_order(shown)
    ]
    end = max(_end(record) for record in records)
    return Trace(session_text(session), _instant(start), (end - start) / 1e9, hops, len(records) - len(shown))


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


def _hop(
    record: Record, depth: int, start: int, attempts: list[AttemptRecord], logs: list[HopLog], held: Held
) -> Hop:
    message = record.message
    size, body = _body(message)
    return Hop(
        _message(record, held),
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


def _body(message: Message) -> tuple[int, Any]:
    payload = message.payload
    try:
        data = payload if isinstance(payload, bytes) else codec.encode(payload)
    except Exception:  # noqa: BLE001 - whatever it is, it is shown as it can be
        return 0, repr(payload)
    return len(data), plain(data) if len(data) <= BODY_LIMIT else None


def plain(payload: Any) -> Any:
    """A payload as JSON values; text where it is damaged."""
    try:
        return msgspec.json.decode(payload) if isinstance(payload, bytes) else codec.to_plain(payload)
    except Exception:  # noqa: BLE001 - damaged or foreign: it is shown as it can be
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else repr(payload)


def _message(record: Record, held: Held) -> MessageView:
    message = record.message
    return MessageView(
        message.id,
        message.seq,
        message.session_id,
        _instant(message.time),
        message.kind.name.lower(),
        message.source,
        message.target,
        message.type,
        _status(record, held),
        record.attempt,
        record.duration / 1e9,
        message.key,
        _instant(record.due) if record.due else None,
        _instant(message.deadline) if message.deadline else None,
        _reason(record.failure) if record.failure else None,
        record.damaged,
    )


def _status(record: Record, held: Held) -> str:
    if record.status in (Status.READY, Status.WAITING) and held(record.message.target):
        return "held"
    return record.status.name.lower()


def _attempt(record: AttemptRecord) -> Attempt:
    return Attempt(
        record.attempt,
        _instant(record.started),
        record.duration / 1e9,
        record.settlement.lower(),
        _reason(record.failure),
    )


def _reason(failure: Failure) -> Reason:
    return Reason(failure.type, failure.text, failure.traceback, failure.fingerprint)


def _log(log: HopLog) -> LogEntry:
    line = log.line
    return LogEntry(_instant(line.time), logging.getLevelName(line.level), line.logger, line.text)


def _parked(group: ParkedGroup) -> ParkedView:
    return ParkedView(
        group.service,
        group.type,
        group.error,
        group.text,
        group.fingerprint,
        group.count,
        _instant(group.first),
        _instant(group.last),
        group.latest_seq,
        f"junctor trace {group.latest_seq}",
    )


def _end(record: Record) -> int:
    return max(record.message.time, record.started + record.duration)


def _by_seq(items: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for item in items:
        found[item.seq].append(item)
    return found


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
