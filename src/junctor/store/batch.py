"""A group of commits as the statements of one transaction.

Commits of one group may concern the same record (inserted by one, settled by the next). The group is folded first: the
last word about each record counts, then each table is written once, with many rows a statement.
"""

from __future__ import annotations

from array import array
from itertools import chain, compress
from typing import Any

import apsw

from junctor.core.outcome import StateWrite
from junctor.core.records import AlertRecord, Commit, HopLog, Insert, Note, Settle
from junctor.errors import StateConflict, StoreError
from junctor.messages import Message, Status
from junctor.store.connection import select
from junctor.store.entries import entry_row
from junctor.store.hops import IS_SOUND, set_status
from junctor.store.records import (
    HOP,
    MESSAGE,
    REPLY,
    RICH_MESSAGE,
    Row,
    attempt_row,
    is_plain,
    log_row,
    moved,
    plain_rows,
    reply_row,
    rich_rows,
    storable,
)
from junctor.store.runs import RecentRuns, RunRows
from junctor.store.spans import insert_spans
from junctor.store.statements import insert, update_hops
from junctor.store.timers import Timers
from junctor.store.words import Words

StateKey = tuple[int, str, str]

FIRST_COUNTER = b"\0\0\0\1"
"""Origins below it belong to idempotency keys, see the indexes of ``message``."""

_SPANNED = tuple(HOP.index(name) for name in ("seq", "source", "target", "type"))

_FIND_ORIGIN = "SELECT seq FROM message WHERE cause = ? AND origin = ? AND origin >= x'00000001'"
_FIND_KEY = "SELECT seq FROM message WHERE origin = ? AND origin < x'00000001'"
_FIND_HOP = "SELECT seq FROM hop WHERE seq = ?"
_KEEP_BODY = "INSERT INTO body VALUES (?,?) ON CONFLICT DO NOTHING"
_FIND_STATE = "SELECT version FROM state WHERE service = ? AND key = ? AND name = ?"
_CLAIM = f"UPDATE hop SET {set_status(Status.CLAIMED)} WHERE seq IN carray(?) AND status < {Status.DONE:d}"
_HAVE_ENDED = f"SELECT seq FROM hop WHERE seq IN carray(?) AND status >= {Status.DONE:d}"
_REMOVE_HOPS = f"""
DELETE FROM hop WHERE seq IN carray(?) AND status >= {Status.DONE:d}
                      AND status NOT IN ({Status.PARKED:d}, {Status.BEGUN:d}) AND {IS_SOUND}
RETURNING seq
"""
_REMOVE_LOGS = """
DELETE FROM log WHERE id IN (SELECT l.id FROM message AS m JOIN log AS l ON l.session = m.session AND l.seq = m.seq
                             WHERE m.seq IN carray(?))
"""
_REMOVE_MESSAGES = "DELETE FROM message WHERE seq IN carray(?) RETURNING body"
# The next opening counts from the highest record. Where that is removed, its number still stands in ids and keys that
# others have.
_NEVER_AGAIN = "UPDATE meta SET value = ?1 WHERE name = 'first' AND value < ?1"
_REPLACE_REPLY = """ ON CONFLICT (seq) DO UPDATE SET
    type = excluded.type, version = excluded.version, late = excluded.late, checksum = excluded.checksum,
    payload = excluded.payload
"""
_REMOVE_BODY = "DELETE FROM body WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM message WHERE body = ?1)"


class Batch:
    """Filled with commits, then written inside a transaction. ``state`` is what becomes of entries: None is deleted."""

    def __init__(self, db: apsw.Connection, words: Words, epoch: int, known: RecentRuns) -> None:
        self._db = db
        self._words = words
        self._epoch = epoch
        self._messages: list[Any] = []
        self._hops: dict[int, Row] = {}
        self._rich: list[tuple[Commit, Insert]] = []
        self._moves: dict[int, Row] = {}
        self._claims: set[int] = set()
        self._claimants: list[Commit] = []
        self._replies: dict[int, Row] = {}
        self._attempts: list[Row] = []
        self._logs: list[HopLog] = []
        self._alerts: list[AlertRecord] = []
        self._notes: list[Note] = []
        self._removes: list[int] = []
        self._runs = RunRows(db, words, known)
        self._timers = Timers(db, words)
        self.state: dict[StateKey, tuple[int, bytes] | None] = {}
        self.written: list[tuple[str, StateWrite]] = []
        self._gone: set[int] = set()
        self.duplicates: list[tuple[Commit, int, int]] = []

    # Folding -------------------------------------------------------------------------------------------------

    def add(self, commit: Commit) -> Exception | None:
        """Take a commit in, or leave it out as a whole and say why: its state or its run was changed since it was
        read, or the commit that it needs was refused."""
        commit.refused = None  # it may be tried again
        if commit.needs is not None and commit.needs.refused is not None:
            commit.refused = commit.needs.refused
            return commit.refused
        staged = self._runs.stage(commit.runs) if commit.runs else {}
        if isinstance(staged, StateConflict):
            commit.refused = staged
            return staged
        if commit.writes:
            commit.refused = self._write_state(commit)
            if commit.refused is not None:
                return commit.refused
        if staged:
            self._runs.take(staged)
        for each in commit.inserts:
            if is_plain(each.message):
                message, hop = plain_rows(each, self._words, self._epoch)
                self._messages += message
                self._hops[hop[0]] = hop
            else:
                self._rich.append((commit, each))
                self._timers.note(each)
        for settle in commit.settles:
            seq = settle.seq
            if self._claims:
                self._claims.discard(seq)
            self._moves[seq] = (seq, settle.status, settle.attempt, settle.due, settle.started, settle.duration)
            if settle.reply is not None or settle.failure is not None:
                self._settle(settle)
        if commit.timers:
            self._take_back(commit)
        if commit.claims or commit.logs or commit.alerts:
            if commit.claims:
                self._claimants.append(commit)
            for seq in commit.claims:
                self._claim(seq)
            self._logs += commit.logs
            self._alerts += commit.alerts
        if commit.notes or commit.removes:
            self._notes += commit.notes
            self._removes += commit.removes
        return None

    def _settle(self, settle: Settle) -> None:
        seq = settle.seq
        if settle.reply is not None:
            self._replies[seq] = reply_row(seq, settle.reply, settle.late, self._words)
        if settle.failure is not None:
            self._attempts.append(attempt_row(settle, settle.failure))

    def _claim(self, seq: int) -> None:
        move = self._moves.get(seq)
        if move is None:
            self._claims.add(seq)
        elif move[1] < Status.DONE:
            self._moves[seq] = (seq, int(Status.CLAIMED), *move[2:])
        else:
            self._gone.add(seq)

    def _take_back(self, commit: Commit) -> None:
        """End the timers that no earlier commit of the group has handed out or moved."""
        untouched = (
            seq
            for timer in commit.timers
            for seq in self._timers.find(timer)
            if seq not in self._claims and seq not in self._moves
        )
        commit.taken = list(dict.fromkeys(untouched))
        self._moves.update((seq, (seq, Status.DONE, 0, 0, 0, 0)) for seq in commit.taken)

    def _write_state(self, commit: Commit) -> StateConflict | None:
        service = self._words.number(commit.source)
        fresh: dict[StateKey, tuple[int, bytes] | None] = {}
        for write in commit.writes:
            entry = (service, write.key, write.name)
            version = self._version(entry, fresh)
            if version != write.expected:
                return StateConflict(
                    f"{write.name!r} has version {version}, the delivery read version {write.expected}",
                    where=commit.source,
                )
            fresh[entry] = None if write.value is None else (version + 1, write.value)
        self.state.update(fresh)
        self.written += [(commit.source, write) for write in commit.writes]
        return None

    def _version(self, entry: StateKey, fresh: dict[StateKey, tuple[int, bytes] | None]) -> int:
        for known in (fresh, self.state):
            if entry in known:
                value = known[entry]
                return 0 if value is None else value[0]
        rows = select(self._db, _FIND_STATE, entry)
        return int(rows[0][0]) if rows else 0

    def committed(self) -> None:
        """The transaction stands."""
        self._runs.committed()

    # Writing -------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Run the statements. The caller holds the transaction."""
        db = self._db
        if self._messages:
            insert(db, "message", MESSAGE, self._messages)
        if self._rich:
            self._insert_rich()
        if self._hops:
            self._insert_hops()
        if self._moves:
            update_hops(db, list(chain.from_iterable(self._moves.values())))
        if self._claims:
            self._write_claims()
        if self._replies or self._attempts or self.state:
            self._write_results()
        if self._logs or self._alerts or self._notes:
            self._write_notes()
        self._runs.write()
        if self._removes:
            self._remove()
        if self._gone:
            for commit in self._claimants:
                commit.gone = [seq for seq in commit.claims if seq in self._gone]
        if self._words.fresh:
            insert(db, "word", ("id", "text"), list(chain.from_iterable(self._words.fresh)))

    def _write_claims(self) -> None:
        """Claim what has not ended, and tell of what has: that is rare."""
        numbers, before = apsw.carray(array("q", sorted(self._claims))), self._db.total_changes()
        self._db.execute(_CLAIM, (numbers,))
        if self._db.total_changes() - before != len(self._claims):
            self._gone.update(seq for (seq,) in select(self._db, _HAVE_ENDED, (numbers,)))

    def _insert_rich(self) -> None:
        """Insert what may be known already, and leave out the hops of what is."""
        messages, hops = [], []
        for _, each in self._rich:
            message, hop = rich_rows(each, self._words, self._epoch)
            messages.append(message)
            hops.append(hop)
            if message[-1] is not None:
                self._db.execute(_KEEP_BODY, (message[-1], each.message.payload))
        before = self._db.total_changes()
        insert(self._db, "message", RICH_MESSAGE, list(chain.from_iterable(messages)), " ON CONFLICT DO NOTHING")
        if self._db.total_changes() - before != len(messages):
            hops = list(compress(hops, [self._is_new(commit, each.message) for commit, each in self._rich]))
        self._hops.update((hop[0], hop) for hop in hops)

    def _is_new(self, commit: Commit, message: Message) -> bool:
        """Whether this very message holds its origin now; else notes which earlier one does."""
        earlier = self._holder(message)
        if earlier is None:
            raise StoreError(f"record {message.seq} exists already with another content")
        if earlier != message.seq:
            self.duplicates.append((commit, message.seq, earlier))
        return earlier == message.seq

    def _holder(self, message: Message) -> int | None:
        """The number of the record with the origin of the message. Without one nothing but the number can be taken."""
        origin = message.origin
        if origin is None:
            found = select(self._db, _FIND_HOP, (message.seq,))
            return None if found else message.seq
        if origin < FIRST_COUNTER:
            found = select(self._db, _FIND_KEY, (origin,))
        else:
            found = select(self._db, _FIND_ORIGIN, (message.cause, origin))
        return int(found[0][0]) if found else None

    def _insert_hops(self) -> None:
        """Insert hops as the group leaves them: what it moved as well is written once."""
        for seq in self._hops.keys() & self._moves.keys():
            self._hops[seq] = moved(self._hops[seq], self._moves.pop(seq))
        values = list(chain.from_iterable(self._hops.values()))
        insert(self._db, "hop", HOP, values)
        self._insert_spans(values)

    def _insert_spans(self, values: list[Any]) -> None:
        seqs, *columns = (values[n :: len(HOP)] for n in _SPANNED)
        pairs = self._words.spans.note(seqs, *columns)
        if pairs:
            insert_spans(self._db, pairs)

    def _write_results(self) -> None:
        execute = self._db.executemany
        if self._replies:
            insert(self._db, "reply", REPLY, list(chain.from_iterable(self._replies.values())), _REPLACE_REPLY)
        if self._attempts:
            execute("INSERT INTO attempt VALUES (NULL,?,?,?,?,?,?,?,?)", self._attempts)
        written = [entry_row(*entry, *value) for entry, value in self.state.items() if value is not None]
        deleted = [entry for entry, value in self.state.items() if value is None]
        if written:
            execute("INSERT OR REPLACE INTO state VALUES (?,?,?,?,?,?)", written)
        if deleted:
            execute("DELETE FROM state WHERE service = ? AND key = ? AND name = ?", deleted)

    def _write_notes(self) -> None:
        if self._logs:
            rows = [log_row(log, self._words) for log in self._logs]
            self._db.executemany("INSERT INTO log VALUES (NULL,?,?,?,?,?,?,?)", rows)
        if self._alerts:
            rows = [(a.time, a.kind, a.service, storable(a.text), storable(a.command), a.seq) for a in self._alerts]
            self._db.executemany("INSERT INTO alert VALUES (NULL,?,?,?,?,?,?)", rows)
        if self._notes:
            rows = [(n.seq, n.time, storable(n.who), storable(n.text)) for n in self._notes]
            self._db.executemany("INSERT INTO note VALUES (NULL,?,?,?,?)", rows)

    def _remove(self) -> None:
        """The hop goes first and says which records may go; what belongs to a message is found by it."""
        numbers = apsw.carray(array("q", sorted(self._removes)))
        gone = [seq for (seq,) in select(self._db, _REMOVE_HOPS, (numbers,))]
        if not gone:
            return
        numbers = apsw.carray(array("q", gone))
        self._db.execute(_REMOVE_LOGS, (numbers,))
        bodies = {body for (body,) in select(self._db, _REMOVE_MESSAGES, (numbers,)) if body is not None}
        self._db.executemany(_REMOVE_BODY, [(body,) for body in bodies])
        for table in ("reply", "attempt", "note"):
            self._db.execute(f"DELETE FROM {table} WHERE seq IN carray(?)", (numbers,))
        self._db.execute("DELETE FROM turn WHERE run IN (SELECT seq FROM run WHERE seq IN carray(?))", (numbers,))
        self._db.execute("DELETE FROM run WHERE seq IN carray(?)", (numbers,))
        self._runs.forget(gone)
        self._db.execute(_NEVER_AGAIN, (max(gone) + 1,))
