"""Rows to records and back, with the checksum that is verified at each read.

SQLite does not notice a flipped bit in a row. The checksum covers everything of a message that never changes, as text
and not as word numbers, so damage to the table of words shows as well. What changes has its own, see
:mod:`junctor.store.hops`.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from struct import error as StructError
from typing import Any
from zlib import crc32

import apsw
import msgspec
from msgspec import structs

from junctor.core.outcome import Failure, Reply
from junctor.core.records import HopLog, Insert, Record, Settle, Stored
from junctor.messages import NO_HEADERS, Kind, Message, Status
from junctor.store.hops import hop_checksum
from junctor.store.statements import Columns
from junctor.store.words import Glossary, Words, names_checksum

LARGE_BODY = 64 * 1024
"""Bodies above this many bytes are stored once, whoever they are sent to."""

IDEMPOTENCY_HEADER = "idempotency-key"
"""The header whose value is stored in a column of its own, for display."""

Row = tuple[Any, ...]

# Two widths of one table: most messages have nothing of the rest, and to bind a NULL costs as much as a value.
MESSAGE: Columns = (
    "seq",
    "node",
    "epoch",
    "session",
    "cause",
    "kind",
    "version",
    "time",
    "due",
    "deadline",
    "flow",
    "checksum",
    "payload",
)
RICH_MESSAGE: Columns = (*MESSAGE, "origin", "idempotency", "headers", "body")
HOP: Columns = (
    "seq",
    "source",
    "target",
    "type",
    "key",
    "size",
    "status",
    "attempt",
    "due",
    "started",
    "duration",
    "checksum",
)

REPLY: Columns = ("seq", "type", "version", "late", "checksum", "payload")

SELECT_STORED = """
SELECT m.seq, m.node, m.session, m.cause, m.kind, h.source, h.target, h.type, m.version, h.key, m.time, m.due,
       m.deadline, m.origin, m.headers, m.checksum, coalesce(m.payload, b.data),
       h.status, h.attempt, h.due, h.started, h.duration, h.checksum
FROM hop AS h CROSS JOIN message AS m ON m.seq = h.seq LEFT JOIN body AS b ON b.hash = m.body
"""
"""One row for :func:`read_record`. The join order is fixed: hops are narrow and carry the indexes of the queue."""

_encode_text = msgspec.json.Encoder().encode
_decode_headers = msgspec.json.Decoder(dict[str, str]).decode
_decode_failure = msgspec.json.Decoder(Failure).decode


def checksum(
    names: int,
    numbers: bytes,
    session: bytes,
    key: str | None,
    origin: bytes | None,
    headers: str | None,
    payload: bytes,
) -> int:
    """CRC-32 over everything of a message that never changes.

    :param names: the checksum of its names; it begins with them.
    :param numbers: the numeric fields, packed.
    """
    check = crc32(numbers + session, names)
    if key is not None:
        check = _add(check, b"key", key.encode())
    if origin is not None:
        check = _add(check, b"origin", origin)
    if headers is not None:
        check = _add(check, b"headers", headers.encode())
    return crc32(payload, check)


def _add(check: int, mark: bytes, part: bytes) -> int:
    return crc32(part, crc32(b"%s %d\n" % (mark, len(part)), check))


_pack = Struct("<7q").pack
"""seq, cause, kind, version, time, due, deadline"""


def body_hash(payload: bytes) -> bytes:
    """The name of a large body in the store: 128 bits of its content."""
    return blake2b(payload, digest_size=16).digest()


def is_plain(message: Message) -> bool:
    """Whether the columns of :data:`MESSAGE` hold all of it."""
    return message.origin is None and not message.headers and len(message.payload) <= LARGE_BODY


def plain_rows(insert: Insert, words: Words, epoch: int) -> tuple[Row, Row]:
    """The rows of :data:`MESSAGE` and :data:`HOP`."""
    m = insert.message
    names = m.node, m.source, m.target, m.type
    node, source, target, kind, flow, check = words.routes.get(names) or words.route(m)
    seq, cause, what, version, time, due, deadline = m.seq, m.cause, m.kind, m.version, m.time, m.due, m.deadline
    key, payload, session = m.key, m.payload, m.session.to_bytes(16, "big")
    numbers = _pack(seq, cause, what, version, time, due, deadline)
    if key is None:  # as checksum() does it, for nearly every message
        check = crc32(payload, crc32(numbers + session, check))
    else:
        check = checksum(check, numbers, session, key, None, None, payload)
    return (
        (seq, node, epoch, session, cause, what, version, time, due, deadline, flow, check, payload),
        (
            seq,
            source,
            target,
            kind,
            key,
            len(payload),
            insert.status,
            0,
            due,
            insert.started,
            insert.duration,
            hop_checksum(seq, insert.status, 0, due),
        ),
    )


def rich_rows(insert: Insert, words: Words, epoch: int) -> tuple[Row, Row]:
    """The rows of :data:`RICH_MESSAGE` and :data:`HOP`. The message row has the hash of a large body in its place."""
    m = insert.message
    node, source, target, kind, flow, names = words.route(m)
    seq, cause, what, version, time, due, deadline = m.seq, m.cause, m.kind, m.version, m.time, m.due, m.deadline
    key, payload, session = m.key, m.payload, m.session.to_bytes(16, "big")
    headers = idempotency = None
    if m.headers:
        headers = _encode_text(dict(m.headers)).decode()
        _decode_headers(headers)  # what is not text to text is refused here, not found damaged later
        idempotency = m.headers.get(IDEMPOTENCY_HEADER)
    numbers = _pack(seq, cause, what, version, time, due, deadline)
    check = checksum(names, numbers, session, key, m.origin, headers, payload)
    size = len(payload)
    body = body_hash(payload) if size > LARGE_BODY else None
    return (
        (seq, node, epoch, session, cause, what, version, time, due, deadline, flow, check,
         payload if body is None else None, m.origin, idempotency, headers, body),
        (seq, source, target, kind, key, size, insert.status, 0, due, insert.started, insert.duration,
         hop_checksum(seq, insert.status, 0, due)),
    )  # fmt: skip


def moved(hop: Row, move: Row) -> Row:
    """A row of :data:`HOP` with the status, attempt, due time, begin and duration of a settlement; its number is in
    front of them."""
    seq, status, attempt, due, started, duration = move
    return (*hop[:6], status, attempt, due, started, duration, hop_checksum(seq, status, attempt, due))


def read_record(db: apsw.Connection, words: Glossary, row: Row) -> Record:
    """The record of a row of :data:`SELECT_STORED`, marked when its checksum fails."""
    try:
        return _read_record(db, words, row)
    except (ValueError, TypeError, AttributeError, StructError, msgspec.MsgspecError):
        return damaged_record(row[0], words.text(db, row[6]) if type(row[6]) is int else "")


def _read_record(db: apsw.Connection, words: Glossary, row: Row) -> Record:
    (seq, node, session, cause, kind, source, target, type_name, version, key, time, due, deadline, origin, headers,
     check, payload, status, attempt, hop_due, started, duration, hop_check) = row  # fmt: skip
    node, source = words.text(db, node), words.text(db, source)
    target, type_name = words.text(db, target), words.text(db, type_name)
    computed = checksum(
        names_checksum(node, source, target, type_name),
        _pack(seq, cause, kind, version, time, due, deadline),
        session,
        key,
        origin,
        headers,
        payload,
    )
    message = Message(
        seq,
        node,
        int.from_bytes(session, "big"),
        Kind(kind),
        source,
        target,
        type_name,
        payload,
        time,
        cause,
        version,
        key,
        deadline,
        due,
        origin,
        NO_HEADERS if headers is None else _decode_headers(headers),
    )
    damaged = computed != check or hop_checksum(seq, status, attempt, hop_due) != hop_check
    return Record(message, Status(status), attempt, hop_due, started, duration, damaged=damaged)


def damaged_record(seq: int, target: str) -> Record:
    """What stands for a record that cannot be read at all: its number and, if known, its queue."""
    message = Message(seq, "", 0, Kind.SEND, "", target, "", b"", 0)
    return Record(message, Status.READY, damaged=True)


def stored(record: Record) -> Stored:
    return Stored(record.message, record.status, record.attempt, record.due, record.damaged)


# Replies and failures ----------------------------------------------------------------------------------------


def reply_row(seq: int, reply: Reply, late: bool, words: Words) -> Row:
    check = crc32(reply.payload, crc32(f"{seq}\n{reply.type}\n{reply.version}".encode()))
    return (seq, words.number(reply.type), reply.version, late, check, reply.payload)


def read_reply(db: apsw.Connection, words: Glossary, row: Row) -> tuple[Reply, bool, bool]:
    """The reply of a row of ``reply``, whether it was late, and whether it is damaged."""
    seq, type_number, version, late, check, payload = row
    reply = Reply(words.text(db, type_number), payload, version)
    computed = crc32(payload, crc32(f"{seq}\n{reply.type}\n{version}".encode()))
    return reply, bool(late), computed != check


def attempt_row(settle: Settle, failure: Failure) -> Row:
    return (
        settle.seq,
        settle.attempt,
        settle.started,
        settle.duration,
        settle.status.name,
        storable(failure.type),
        storable(failure.fingerprint),
        _encode_failure(failure),
    )


def _encode_failure(failure: Failure) -> bytes:
    try:
        return _encode_text(failure)
    except UnicodeEncodeError:
        texts = {name: storable(getattr(failure, name)) for name in ("type", "text", "traceback", "fingerprint")}
        bases = tuple(storable(name) for name in failure.bases)
        return _encode_text(structs.replace(failure, **texts, bases=bases))


def storable(text: str) -> str:
    """The text with what UTF-8 cannot carry written as an escape. Errors and log lines quote foreign bytes; that must
    not keep the message they belong to from being settled."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()


def log_row(log: HopLog, words: Words) -> Row:
    line = log.line
    session = log.session.to_bytes(16, "big")
    return (session, log.seq, words.number(log.service), line.time, line.level, line.logger, storable(line.text))


def read_failure(data: bytes) -> Failure:
    """The failure of an attempt row; one that cannot be read says so instead of hiding the record it belongs to."""
    try:
        return _decode_failure(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Failure("StoreDamaged", "the stored error cannot be read")
