"""Rows to records and back, with the checksum that is verified at each read.

SQLite does not notice a flipped bit in a row. The checksum covers everything of a message that never changes, as text
and not as word numbers, so damage to the table of words shows as well.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from zlib import crc32

import apsw
import msgspec

from junctor.core.outcome import Failure, Reply
from junctor.core.records import HopLog, Insert, Record, Settle, Stored
from junctor.messages import NO_HEADERS, Kind, Message, Status
from junctor.store.words import Glossary, Words

LARGE_BODY = 64 * 1024
"""Bodies above this many bytes are stored once, whoever they are sent to."""

MESSAGE_COLUMNS = 18
HOP_COLUMNS = 12

SELECT_STORED = """
SELECT m.seq, m.node, m.session, m.cause, m.kind, h.source, h.target, h.type, m.version, h.key, m.time, m.due,
       m.deadline, m.origin, m.headers, m.checksum, coalesce(m.payload, b.data),
       h.status, h.attempt, h.due, h.started, h.duration
FROM hop AS h CROSS JOIN message AS m ON m.seq = h.seq LEFT JOIN body AS b ON b.hash = m.body
"""
"""One row for :func:`read_record`. The join order is fixed: hops are narrow and carry the indexes of the queue."""

_encode_text = msgspec.json.Encoder().encode
_decode_headers = msgspec.json.Decoder(dict[str, str]).decode
_decode_failure = msgspec.json.Decoder(Failure).decode


def checksum(
    seq: int,
    node: str,
    session: bytes,
    cause: int,
    kind: int,
    source: str,
    target: str,
    type_name: str,
    version: int,
    key: str | None,
    time: int,
    due: int,
    deadline: int,
    origin: bytes | None,
    headers: str | None,
    payload: bytes,
) -> int:
    """CRC-32 over the fields of a message that never change."""
    head = (
        f"{seq}\n{node}\n{cause}\n{kind}\n{source}\n{target}\n{type_name}\n{version}\n{key}\n{time}\n{due}\n{deadline}"
        f"\n{headers}\n"
    )
    return crc32(payload, crc32(origin or b"", crc32(session, crc32(head.encode()))))


def body_hash(payload: bytes) -> bytes:
    """The name of a large body in the store: 128 bits of its content."""
    return blake2b(payload, digest_size=16).digest()


def message_row(insert: Insert, words: Words, epoch: int) -> tuple[Any, ...]:
    """The immutable row; the last two columns are the hash of a shared body or the body itself."""
    m = insert.message
    headers = _encode_text(dict(m.headers)).decode() if m.headers else None
    payload = m.payload
    session = m.session.to_bytes(16, "big")
    check = checksum(
        m.seq,
        m.node,
        session,
        m.cause,
        m.kind,
        m.source,
        m.target,
        m.type,
        m.version,
        m.key,
        m.time,
        m.due,
        m.deadline,
        m.origin,
        headers,
        payload,
    )
    large = len(payload) > LARGE_BODY
    return (
        m.seq,
        words.number(m.node),
        epoch,
        session,
        m.cause,
        int(m.kind),
        m.version,
        m.time,
        m.due,
        m.deadline,
        m.origin,
        m.headers.get("idempotency-key") if headers else None,
        headers,
        words.number(m.target.partition("/")[0]),
        None,
        check,
        body_hash(payload) if large else None,
        None if large else payload,
    )


def hop_row(insert: Insert, words: Words) -> tuple[Any, ...]:
    m = insert.message
    return (
        m.seq,
        words.number(m.source),
        words.number(m.target),
        words.number(m.type),
        m.key,
        len(m.payload),
        int(insert.status),
        0,
        m.due,
        insert.started,
        insert.duration,
        None,
    )


def read_record(db: apsw.Connection, words: Glossary, row: tuple[Any, ...]) -> Record:
    """The record of a row of :data:`SELECT_STORED`, marked when its checksum fails."""
    try:
        return _read_record(db, words, row)
    except (ValueError, TypeError, AttributeError, msgspec.MsgspecError):
        return damaged_record(row[0], words.text(db, row[6]) if type(row[6]) is int else "")


def _read_record(db: apsw.Connection, words: Glossary, row: tuple[Any, ...]) -> Record:
    (seq, node, session, cause, kind, source, target, type_name, version, key, time, due, deadline, origin, headers,
     check, payload, status, attempt, hop_due, started, duration) = row  # fmt: skip
    node, source, target, type_name = (
        words.text(db, node),
        words.text(db, source),
        words.text(db, target),
        words.text(db, type_name),
    )
    computed = checksum(
        seq, node, session, cause, kind, source, target, type_name, version, key, time, due, deadline, origin, headers,
        payload,
    )  # fmt: skip
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
    return Record(message, Status(status), attempt, hop_due, started, duration, damaged=computed != check)


def damaged_record(seq: int, target: str) -> Record:
    """What stands for a record that cannot be read at all: its number and, if known, its queue."""
    message = Message(seq, "", 0, Kind.SEND, "", target, "", b"", 0)
    return Record(message, Status.READY, damaged=True)


def stored(record: Record) -> Stored:
    return Stored(record.message, record.status, record.attempt, record.due, record.damaged)


# Replies and failures ----------------------------------------------------------------------------------------


def reply_row(seq: int, reply: Reply, late: bool, words: Words) -> tuple[Any, ...]:
    check = crc32(reply.payload, crc32(f"{seq}\n{reply.type}\n{reply.version}".encode()))
    return (seq, words.number(reply.type), reply.version, late, check, reply.payload)


def read_reply(db: apsw.Connection, words: Glossary, row: tuple[Any, ...]) -> tuple[Reply, bool, bool]:
    """The reply of a row of ``reply``, whether it was late, and whether it is damaged."""
    seq, type_number, version, late, check, payload = row
    reply = Reply(words.text(db, type_number), payload, version)
    computed = crc32(payload, crc32(f"{seq}\n{reply.type}\n{version}".encode()))
    return reply, bool(late), computed != check


def attempt_row(settle: Settle, failure: Failure) -> tuple[Any, ...]:
    return (
        settle.seq,
        settle.attempt,
        settle.started,
        settle.duration,
        settle.status.name,
        failure.type,
        failure.fingerprint,
        _encode_text(failure),
    )


def log_row(log: HopLog, words: Words) -> tuple[Any, ...]:
    line = log.line
    session = log.session.to_bytes(16, "big")
    return (session, log.seq, words.number(log.service), line.time, line.level, line.logger, line.text)


def read_failure(data: bytes) -> Failure:
    """The failure of an attempt row; one that cannot be read says so instead of hiding the record it belongs to."""
    try:
        return _decode_failure(data)
    except msgspec.MsgspecError:
        return Failure("StoreDamaged", "the stored error cannot be read")
