"""What operators see of messages: rows, traces and parked groups, as data with JSON in mind.

Made from the archive of a transport alone, so that a running node and the store of a stopped one answer alike. Times
are UTC; durations are seconds.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from junctor.core.outcome import Failure
from junctor.messages import Message, Status, codec, session_text
from junctor.observe.frames import own_line
from junctor.transports.base import Archive, AttemptRecord, HopLog, ParkedGroup, Query, Record

BODY_LIMIT = 64 * 1024
"""Encoded bytes of a body up to which a trace carries it."""

TRACE_LIMIT = 5000
"""Hops of one trace."""

PAGE, PAGES = 500, 40
"""How far a search goes on for what only the running node can tell: which messages are held, or of which group."""


class Reason(msgspec.Struct, omit_defaults=True):
    """Why an attempt failed. ``line`` is the user's own: ``alarm.py:14, in on_reading: unit = reading["unit"]``."""

    type: str
    text: str
    traceback: str = ""
    fingerprint: str = ""
    line: str = ""


class MessageView(msgspec.Struct, omit_defaults=True):
    """One message and what became of it.

    ``status`` is one of ready, claimed, waiting, held, done, parked, expired, failed. ``due`` is the next attempt of a
    waiting message. ``attempt`` counts the attempts so far. ``size``, ``body`` and ``headers`` are there where they
    were asked for; a body above :data:`BODY_LIMIT` is left out.
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
    size: int = 0
    body: Any = msgspec.UNSET
    headers: dict[str, str] = {}


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


class ParkedView(msgspec.Struct, omit_defaults=True):
    """Parked messages that failed alike. ``command`` shows the latest of them, ``body``, ``headers`` and ``line``, the
    line of the user's code that failed, are its own.

    ``members`` has the messages themselves, newest first, where they were asked for.
    """

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
    body: Any = msgspec.UNSET
    headers: dict[str, str] = {}
    line: str = ""
    members: list[MessageView] = []


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


def messages(
    archive: Archive,
    query: Query,
    held: Held = never_held,
    shown: Collection[str] | None = None,
    bodies: bool = False,
) -> list[MessageView]:
    """The messages of a query, newest first.

    :param shown: the words of status to show; a held message is ``held`` and not ``ready`` or ``waiting``.
    :param bodies: with body and headers.
    """
    if shown is None:
        return [_message(record, held, bodies) for record in archive.search(query)]
    fitting = (record for record in _pages(archive, query) if _status(record, held) in shown)
    return [_message(record, held, bodies) for _, record in zip(range(query.limit), fitting, strict=False)]


def _pages(archive: Archive, query: Query) -> Iterator[Record]:
    """What the query finds, also beyond its limit."""
    for number in range(PAGES):
        page = archive.search(query)
        yield from page
        if len(page) < query.limit:
            return
        limit = PAGE if number == 0 else query.limit
        query = msgspec.structs.replace(query, before=page[-1].message.seq, limit=limit)


def parked(
    archive: Archive, address: str | None = None, group: str | None = None, members: int = 0
) -> list[ParkedView]:
    """The groups of parked messages, the most recent failure first.

    :param address: of this service only.
    :param group: whose place in the code begins with these digits.
    :param members: so many messages of each group, newest first.
    """
    groups = [
        found
        for found in sorted(archive.parked(), key=lambda found: -found.last)
        if (address is None or found.service == address) and (group is None or found.fingerprint.startswith(group))
    ]
    views = {_kinship(found): _parked(found, archive.record(found.latest_seq)) for found in groups}
    if members and views:
        _add_members(archive, views, address, members)
    return list(views.values())


_Kinship = tuple[str, str, str, str]


def _kinship(group: ParkedGroup) -> _Kinship:
    return group.service, group.type, group.error, group.fingerprint


def _add_members(archive: Archive, views: dict[_Kinship, ParkedView], address: str | None, count: int) -> None:
    missing = sum(min(view.count, count) for view in views.values())
    query = Query(service=address, statuses=(Status.PARKED,), limit=PAGE)
    for record in _pages(archive, query):
        message, failure = record.message, record.failure or Failure("", "")
        view = views.get((message.target, message.type, failure.type, failure.fingerprint))
        if view is not None and len(view.members) < count:
            view.members.append(_message(record, never_held, bodies=True))
            missing -= 1
            if not missing:
                return


def alerts(archive: Archive, limit: int) -> list[AlertView]:
    """The latest alerts, newest first."""
    return [
        AlertView(_instant(alert.time), alert.kind, alert.service, alert.text, alert.command)
        for alert in archive.alerts(limit)
    ]


def trace(archive: Archive, session: int, held: Held = never_held, asked: int = 0) -> Trace | None:
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
    start = min(record.message.time for record in records)
    hops = [
        _hop(record, depth, start, attempts[record.message.seq], logs[record.message.seq], held)
        for record, depth in _in_order(shown)
    ]
    end = max(_end(record) for record in records)
    return Trace(
        session_text(session),
        _instant(start),
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


def _message(record: Record, held: Held, bodies: bool = False) -> MessageView:
    message = record.message
    view = MessageView(
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
    if bodies:
        view.size, body = _body(message)
        view.body = body if view.size <= BODY_LIMIT else msgspec.UNSET
        view.headers = dict(message.headers)
    return view


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
    line = own_line(failure.traceback)
    return Reason(failure.type, failure.text, failure.traceback, failure.fingerprint, line)


def _log(log: HopLog) -> LogEntry:
    line = log.line
    return LogEntry(_instant(line.time), logging.getLevelName(line.level), line.logger, line.text)


def _parked(group: ParkedGroup, latest: Record | None) -> ParkedView:
    view = ParkedView(
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
    if latest is not None:
        shown = _message(latest, never_held, bodies=True)
        view.body, view.headers = shown.body, shown.headers
        view.line = shown.error.line if shown.error is not None else ""
    return view


def _end(record: Record) -> int:
    return max(record.message.time, record.started + record.duration)


def _by_seq(items: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for item in items:
        found[item.seq].append(item)
    return found


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
