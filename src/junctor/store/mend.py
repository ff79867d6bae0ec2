"""What an opening does about damage: it reads what queues are found by and all state, parks what is damaged, makes
indexes anew."""

from __future__ import annotations

import time

import apsw
import msgspec

from junctor.core.outcome import Failure
from junctor.errors import StoreDamaged
from junctor.messages import Status
from junctor.store.connection import select
from junctor.store.entries import mend_entries
from junctor.store.hops import IS_SOUND, checksum_of
from junctor.store.names import mend_words

_DAMAGED = f"SELECT seq, status, attempt, due FROM hop NOT INDEXED WHERE NOT {IS_SOUND}"
_ATTEMPTS = "SELECT coalesce(max(attempt), 0) FROM attempt WHERE seq = ?"
_PARK = (
    f"UPDATE hop SET status = {Status.PARKED:d}, attempt = ?2, due = 0, started = ?3, duration = 0,"
    f" checksum = {checksum_of('seq', f'{Status.PARKED:d}', '?2', '0')} WHERE seq = ?1"
)
_BEGIN = (
    f"UPDATE hop SET status = {Status.BEGUN:d}, attempt = 1, due = 0,"
    f" checksum = {checksum_of('seq', f'{Status.BEGUN:d}', '1', '0')} WHERE seq = ?1"
)
_OPEN_RUN = "SELECT 1 FROM run WHERE seq = ?1 AND status < 2 AND NOT EXISTS (SELECT 1 FROM reply WHERE seq = ?1)"
_KEEP_FAILURE = "INSERT INTO attempt VALUES (NULL, ?1, ?2, ?3, 0, 'PARKED', ?4, ?5, ?6)"

PLACE = "da3a6ed0"
"""Stands for the place in the code of this failure, which has none."""

# What an index has and how the table tells it. Each index is read alone, without the table.
_INDEXES = {
    "hop_queue": ("seq, target, status", "status < 3"),
    "hop_line": ("seq, target, key", "status = 0 AND key IS NOT NULL"),
    "hop_timer": ("seq, target, due", "status = 2"),
    "hop_ended": ("seq, target, status", "status > 3"),
}

_COUNTS = "SELECT (SELECT count(*) FROM hop NOT INDEXED), (SELECT count(*) FROM message)"

SHOWN = 10
"""Numbers of records in a warning."""

_encode = msgspec.json.Encoder().encode


def mend(db: apsw.Connection) -> list[str]:
    """Read all names, all hops, the indexes that queues are read by and all state.

    For the writing connection at the opening of a store. A third of a second for a million records.

    :returns: warnings, one for each thing that was found.
    """
    try:
        with db:
            warnings = [*mend_words(db), *_park_damaged(db), *_halves(db), *mend_entries(db)]
            for index in _INDEXES:
                warnings += _mend_index(db, index)
    except (apsw.CorruptError, apsw.ConstraintError, apsw.FullError) as error:
        fix = "stop the node, `junctor backup FILE --salvage` copies what can be read"
        return [f"what queues are found by, or state, cannot be verified: {error}; {fix}"]
    return warnings


def _park_damaged(db: apsw.Connection) -> list[str]:
    damaged = select(db, _DAMAGED)
    if not damaged:
        return []
    begun = [seq for seq, *_ in damaged if _began_a_run(db, seq)]
    for seq in begun:
        db.execute(_BEGIN, (seq,))
    damaged = [each for each in damaged if each[0] not in begun]
    for seq, status, attempt, due in damaged:
        _park(db, seq, f"what became of the message is damaged: it says status {status}, {attempt} tries, due {due}")
    told = []
    if begun:
        told.append(
            f"what became of {shown(begun, 'message')} is damaged; runs that began with them are open, so they wait"
        )
    if damaged:
        listed = shown([seq for seq, *_ in damaged], "message")
        told.append(f"what became of {listed} is damaged; parked, see `junctor parked {PLACE}`")
    return told


def _began_a_run(db: apsw.Connection, seq: int) -> bool:
    """Whether a run that is open began with a message, and has not answered it: its end is that of the run."""
    return bool(select(db, _OPEN_RUN, (seq,)))


def _park(db: apsw.Connection, seq: int, text: str) -> None:
    """What it was tried before is known from the failures that are kept."""
    attempt = select(db, _ATTEMPTS, (seq,))[0][0] + 1
    now = time.time_ns()
    failure = Failure(StoreDamaged.__name__, text, fingerprint=PLACE)
    db.execute(_PARK, (seq, attempt, now))
    db.execute(_KEEP_FAILURE, (seq, attempt, now, failure.type, PLACE, _encode(failure)))


def _halves(db: apsw.Connection) -> list[str]:
    """A page that lost its rows shows only when the two tables are compared."""
    hops, messages = select(db, _COUNTS)[0]
    if hops == messages:
        return []
    lost = [seq for (seq,) in select(db, "SELECT seq FROM message WHERE seq NOT IN (SELECT seq FROM hop)")]
    bare = [seq for (seq,) in select(db, "SELECT seq FROM hop WHERE seq NOT IN (SELECT seq FROM message)")]
    warnings = []
    if lost:
        warnings.append(f"the status of {shown(lost, 'message')} is lost; they are not delivered")
    if bare:
        warnings.append(f"the content of {shown(bare, 'message')} is lost; what waits of them is parked")
    return warnings


def _mend_index(db: apsw.Connection, index: str) -> list[str]:
    columns, where = _INDEXES[index]
    table = f"SELECT {columns} FROM hop NOT INDEXED WHERE {where}"
    listed = f"SELECT {columns} FROM hop INDEXED BY {index} WHERE {where}"
    missing = [seq for (seq,) in select(db, f"SELECT seq FROM ({table} EXCEPT {listed})")]
    wrong = [seq for (seq,) in select(db, f"SELECT seq FROM ({listed} EXCEPT {table})")]
    if not missing and not wrong:
        return []
    db.execute(f"REINDEX {index}")
    found = f"missing were {shown(missing, 'record')}, wrong {shown(wrong, 'record')}"
    return [f"the index {index} was damaged and is made anew: {found}"]


def shown(seqs: list[int], noun: str) -> str:
    """``3 messages (1, 2, 3)``."""
    if not seqs:
        return "none"
    listed = ", ".join(map(str, seqs[:SHOWN])) + (", ..." if len(seqs) > SHOWN else "")
    return f"{len(seqs)} {noun}{'s' if len(seqs) > 1 else ''} ({listed})"
