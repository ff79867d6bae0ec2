"""A store with something of everything in it, and everything that a node would read from such a store.

What is read is compared between a sound store and the same store with a fault in its files: that is how it is known
what a fault changed, and whether anybody would have been told.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from junctor.core.outcome import Failure, LogLine, Reply, StateWrite
from junctor.core.records import AlertRecord, Archive, HopLog, Insert, Note, Query, Record, Settle, Stored
from junctor.errors import JunctorError
from junctor.messages import RESEND_OF, Message, Status
from junctor.testing.transports import Bench
from junctor.transports.sqlite import SqliteTransport

FAR = 2**62
QUEUES = ("flow/sink", "flow/audit")
COUNTER = "flow/counter"
FAILED = Failure("ValueError", "no such part", "Traceback: somewhere", "parts.py:7")


async def stock(bench: Bench, chance: random.Random, messages: int = 160) -> None:
    """Fill the store: each status there is, keys, headers, shared large bodies, replies, state, logs, alerts, notes."""
    sent = []
    for number in range(messages):
        message = _message(bench, chance, number)
        sent.append(message)
        waits = Status.WAITING if message.due else chance.choice((Status.READY, Status.CLAIMED))
        await bench.accept(message, status=waits)
    for number, message in enumerate(sent):
        await _go_on(bench, message, number % 8)
    shared = chance.randbytes(70_000)
    await bench.accept(*(bench.message(shared, target=queue) for queue in QUEUES))


def _message(bench: Bench, chance: random.Random, number: int) -> Message:
    return bench.message(
        b'{"n": %d, "text": "%s"}' % (number, chance.randbytes(chance.randrange(4, 300)).hex().encode()),
        session=number // 4 + 1,
        target=chance.choice(QUEUES),
        key=chance.choice((None, "left", "right")),
        headers={"line": str(number)} if chance.random() < 0.3 else {},
        due=2_000_000_000_000_000_000 + number if number % 8 == 7 else 0,
    )


async def _go_on(bench: Bench, message: Message, how: int) -> None:
    if how == 0:
        await bench.commit(
            settles=[Settle(message.seq, Status.DONE, reply=Reply("Done", b'{"seen": %d}' % message.seq))],
            inserts=[Insert(bench.message(b'{"of": %d}' % message.seq, cause=message.seq, session=message.session))],
            writes=[StateWrite(f"k{message.seq}", "count", b"%d" % message.seq, 0)],
            logs=[HopLog(message.session, message.seq, "flow/sink", LogLine(message.time, 20, "sink", "seen"))],
            source=COUNTER,
        )
    elif how == 1:
        await bench.settle(message, Status.WAITING, attempt=2, due=1_900_000_000_000_000_000, failure=FAILED)
    elif how == 2:
        await bench.commit(
            settles=[Settle(message.seq, Status.PARKED, failure=FAILED)],
            alerts=[AlertRecord(message.time, "parked", message.target, "no such part", seq=message.seq)],
        )
    elif how == 3:
        copy = bench.message(message.payload, target=message.target, headers={RESEND_OF: message.id})
        await bench.settle(message, Status.PARKED, failure=FAILED)
        await bench.commit(
            inserts=[Insert(copy)],
            settles=[Settle(message.seq, Status.RESENT)],
            notes=[Note(message.seq, message.time, "night shift", "sent again")],
        )


# What is read ------------------------------------------------------------------------------------------------


@dataclass
class View:
    """What a node and its operators get from a store. ``delivered`` and ``damaged`` are by number, the latter of queued
    records alone; ``refused`` is the error of a store that does not open, or cannot be read."""

    refused: Exception | None = None
    warnings: list[str] = field(default_factory=list)
    delivered: dict[int, Stored] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)
    records: dict[int, Record] = field(default_factory=dict)
    state: dict[str, dict[str, tuple[bytes, int]]] = field(default_factory=dict)
    untyped: list[Exception] = field(default_factory=list)

    @property
    def told(self) -> bool:
        """Whether anybody hears that the store is not what it was."""
        marked = any(record.damaged for record in self.records.values())
        return self.refused is not None or bool(self.warnings) or bool(self.damaged) or marked

    def refuse(self, error: Exception) -> None:
        self.refused = self.refused or error
        if not isinstance(error, JunctorError):
            self.untyped.append(error)


async def view(folder: Path) -> View:
    """Open the store as a node does, take all that it would deliver, and read what operators read."""
    seen = View()
    ends: list[Exception] = []
    transport = SqliteTransport(folder, reserve=0)
    try:
        opened = await transport.open(ends.append)
    except Exception as error:
        seen.refuse(error)
        return seen
    try:
        seen.warnings = list(opened.warnings)
        await _deliver(transport, opened.suspects, seen)
        seen.records = {each.message.seq: each for each in transport.archive.search(Query(limit=100_000))}
        seen.state = {key: dict(transport.state(COUNTER, key)) for key in transport.state_keys(COUNTER)}
        _look(transport.archive, seen)
    except Exception as error:
        seen.refuse(error)
    finally:
        await _close(transport, seen)
    for error in ends:
        seen.refuse(error)
    return seen


def _look(archive: Archive, seen: View) -> None:
    """Read what operators read besides; it may be refused, with a word for it."""
    seqs = list(seen.records)
    sessions = {record.message.session for record in seen.records.values()}
    questions: list[Callable[[], object]] = [
        lambda: archive.attempts(seqs),
        lambda: archive.notes(seqs),
        lambda: archive.alerts(1000),
        archive.parked,
        lambda: [archive.logs(session) for session in sessions],
        lambda: [archive.session(session) for session in sessions],
    ]
    for question in questions:
        try:
            question()
        except JunctorError:
            pass
        except Exception as error:
            seen.untyped.append(error)


async def _deliver(transport: SqliteTransport, suspects: list[Stored], seen: View) -> None:
    _take(suspects, seen)
    for queue in QUEUES:
        _take(await transport.fetch(queue, 0, 100_000, FAR), seen)


def _take(batch: list[Stored], seen: View) -> None:
    for each in batch:
        if each.damaged:
            seen.damaged.add(each.message.seq)
        else:
            seen.delivered[each.message.seq] = each


async def _close(transport: SqliteTransport, seen: View) -> None:
    try:
        await transport.aclose()
    except Exception as error:
        seen.refuse(error)


# What a fault did --------------------------------------------------------------------------------------------


def silent(sound: View, found: View) -> dict[str, list[int]]:
    """What is not as it was and nobody is told, by kind: numbers of records.

    ``wrong``: delivered with another content. ``untyped``: there is an error, and Junctor has no word for it. Where
    nobody is told that the store is damaged there may be besides ``dropped``: it was owed to a handler, or parked, and
    is neither any more. ``again``: it was finished, and would be delivered. ``shown``: operators read another end of
    it. ``state``: a handler would read another state. ``early``: another due time, or number of attempts.
    """
    kinds: dict[str, list[int]] = {"untyped": [0] * len(found.untyped)}
    if found.refused is not None:
        return {kind: seqs for kind, seqs in kinds.items() if seqs}
    known = sound.records
    kinds["wrong"] = _wrong(known, found)
    if not found.told:
        kinds["again"] = [seq for seq in found.delivered if seq not in sound.delivered]
        kinds["dropped"] = _dropped(sound, found)
        kinds["shown"] = [seq for seq, record in found.records.items() if not _same(record, known.get(seq))]
        kinds["state"] = [0] if found.state != sound.state else []
        kinds["early"] = [seq for seq, each in found.delivered.items() if not _as_due(each, sound.delivered.get(seq))]
    return {kind: seqs for kind, seqs in kinds.items() if seqs}


def _wrong(known: dict[int, Record], found: View) -> list[int]:
    wrong = [seq for seq, each in found.delivered.items() if seq not in known or each.message != known[seq].message]
    return wrong + [
        seq
        for seq, record in found.records.items()
        if not record.damaged and (seq not in known or record.message != known[seq].message)
    ]


def _dropped(sound: View, found: View) -> list[int]:
    owed = [seq for seq in sound.delivered if seq not in found.delivered and seq not in found.damaged]
    parked = [seq for seq, record in sound.records.items() if record.status == Status.PARKED]
    return owed + [seq for seq in parked if seq not in found.records or found.records[seq].status != Status.PARKED]


def _same(one: Record, other: Record | None) -> bool:
    return other is not None and (one.reply, one.status, one.late) == (other.reply, other.status, other.late)


def _as_due(each: Stored, other: Stored | None) -> bool:
    return other is None or (each.attempt, each.due) == (other.attempt, other.due)


# Where a fault is --------------------------------------------------------------------------------------------


def owners(database: Path) -> dict[int, str]:
    """Which table or index each page belongs to; a free page is not named."""
    db = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return dict(db.execute("SELECT pageno, name FROM dbstat").fetchall())
    finally:
        db.close()
