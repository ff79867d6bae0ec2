"""Messages as operators see them: one row each, with the error of the last attempt.

Made from the archive of a transport alone, so that a running node and the store of a stopped one answer alike. Times
are UTC; durations are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from junctor.core.outcome import Failure
from junctor.messages import HANDLER, RESEND_OF, Message, Status, codec
from junctor.observe.frames import own_line
from junctor.transports.base import Archive, Note, Query, Record

BODY_LIMIT = 64 * 1024
"""Encoded bytes of a body up to which a view carries it."""

PAGE, PAGES = 500, 40
"""How far a search goes on for what only the running node can tell: which messages are held, or of which group."""

_OPEN = re.compile(r"\bany\b")


class Reason(msgspec.Struct, omit_defaults=True):
    """Why an attempt failed. ``line`` is the user's own: ``alarm.py:14, in on_reading: unit = reading["unit"]``."""

    type: str
    text: str
    traceback: str = ""
    fingerprint: str = ""
    line: str = ""


class NoteView(msgspec.Struct):
    """What an operator said about a message, or did with it."""

    time: datetime
    who: str
    text: str


class MessageView(msgspec.Struct, omit_defaults=True):
    """One message and what became of it.

    ``status`` is one of ready, claimed, waiting, held, done, parked, expired, failed, resent, discarded. ``due`` is the
    next attempt of a waiting message. ``attempt`` counts the attempts so far. ``resend_of`` is the id of the message
    that this one was sent again for. ``size``, ``body`` and ``headers`` are there where they were asked for, ``notes``
    where parked ones are listed; a body above :data:`BODY_LIMIT` is left out. ``masked`` are the places in the
    body whose values are sensitive and not shown: ``items.0.card``. ``handler`` is the one that the message
    names, where it names one.
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
    resend_of: str = ""
    size: int = 0
    body: Any = msgspec.UNSET
    headers: dict[str, str] = {}
    masked: list[str] = []
    notes: list[NoteView] = []
    handler: str = ""

    @property
    def label(self) -> str:
        """What people know the message by: see :func:`label_of`."""
        return label_of(self.type, self.handler)


def label_of(type: str, handler: str) -> str:
    """The type of a body; of one that says nothing, as ``any`` does, the handler that the message names."""
    return handler if handler and _OPEN.search(type) else type


Held = Callable[[str], bool]
"""Whether the service at an address is held now."""


def never_held(address: str) -> bool:
    """For a node that does not run: nothing is held at this moment."""
    return False


def listed(
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
        return [message_view(record, held, bodies) for record in archive.search(query)]
    fitting = (record for record in pages(archive, query) if status_word(record, held) in shown)
    return [message_view(record, held, bodies) for _, record in zip(range(query.limit), fitting, strict=False)]


def pages(archive: Archive, query: Query) -> Iterator[Record]:
    """What the query finds, also beyond its limit."""
    for number in range(PAGES):
        page = archive.search(query)
        yield from page
        if len(page) < query.limit:
            return
        limit = PAGE if number == 0 else query.limit
        query = msgspec.structs.replace(query, before=page[-1].message.seq, limit=limit)


def message_view(record: Record, held: Held, bodies: bool = False) -> MessageView:
    message = record.message
    view = MessageView(
        message.id,
        message.seq,
        message.session_id,
        instant(message.time),
        message.kind.name.lower(),
        message.source,
        message.target,
        message.type,
        status_word(record, held),
        record.attempt,
        record.duration / 1e9,
        message.key,
        instant(record.due) if record.due else None,
        instant(message.deadline) if message.deadline else None,
        reason_of(record.failure) if record.failure else None,
        record.damaged,
        message.headers.get(RESEND_OF, ""),
        handler=message.headers.get(HANDLER, ""),
    )
    if bodies:
        view.size, body = body_of(message)
        view.body = body if view.size <= BODY_LIMIT else msgspec.UNSET
        view.headers = dict(message.headers)
    view.masked = list(record.masked)
    return view


def status_word(record: Record, held: Held) -> str:
    if record.status in (Status.READY, Status.WAITING) and held(record.message.target):
        return "held"
    return record.status.name.lower()


def body_of(message: Message) -> tuple[int, Any]:
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


def reason_of(failure: Failure) -> Reason:
    line = own_line(failure.traceback)
    return Reason(failure.type, failure.text, failure.traceback, failure.fingerprint, line)


def note_view(note: Note) -> NoteView:
    return NoteView(instant(note.time), note.who, note.text)


def instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
