"""The tables, and how a store of an earlier version becomes one of today's.

Two rows a message. ``message`` holds what was accepted and is never changed. ``hop`` is narrow and holds what a queue
needs and what became of the message; only it is rewritten, so a settlement costs a small page instead of the page with
the body (a third fewer bytes written), and a listing scans forty bytes a record instead of the bodies.

Names (nodes, addresses, types) are stored once in ``word`` and as its numbers everywhere else. ``epoch``, ``release``
and ``link`` are for hub and cluster: which opening of the store and which release made a record, and how far it was
passed on.
"""

from __future__ import annotations

import apsw

from junctor.errors import StoreDamaged, StoreError, StoreTooNew
from junctor.store.connection import select
from junctor.store.entries import register

APPLICATION = 0x4A4E4354
"""``PRAGMA application_id`` of our files: "JNCT"."""

_VERSION_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE body (hash BLOB PRIMARY KEY NOT NULL, data BLOB NOT NULL) STRICT;

CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    node INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    session BLOB NOT NULL,
    cause INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    due INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    origin BLOB,
    idempotency TEXT,
    headers TEXT,
    flow INTEGER NOT NULL,
    release INTEGER,
    checksum INTEGER NOT NULL,
    body BLOB,
    payload BLOB
) STRICT;
CREATE INDEX message_session ON message (session);
-- The origin of a send in a delivery begins with its counter, from 1; with its cause in front, neighbours in time are
-- neighbours in the index. The origin of an idempotency key begins with 0 and is unique over all causes.
CREATE UNIQUE INDEX message_origin ON message (cause, origin) WHERE origin >= x'00000001';
CREATE UNIQUE INDEX message_idempotency ON message (origin) WHERE origin < x'00000001';
-- Every 64th record is enough to find the neighbourhood of a point in time.
CREATE INDEX message_time ON message (time) WHERE seq & 63 = 0;

CREATE TABLE hop (
    seq INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    target INTEGER NOT NULL,
    type INTEGER NOT NULL,
    key TEXT,
    size INTEGER NOT NULL,
    status INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    due INTEGER NOT NULL,
    started INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    link INTEGER
) STRICT;
CREATE INDEX hop_queue ON hop (target, status) WHERE status < 3;
CREATE INDEX hop_line ON hop (target, key) WHERE status = 0 AND key IS NOT NULL;
CREATE INDEX hop_timer ON hop (due, target) WHERE status = 2;
CREATE INDEX hop_parked ON hop (target) WHERE status = 4;

CREATE TABLE reply (
    seq INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    version INTEGER NOT NULL,
    late INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    settlement TEXT NOT NULL,
    error TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    failure BLOB NOT NULL
) STRICT;
CREATE INDEX attempt_seq ON attempt (seq);

CREATE TABLE state (
    service INTEGER NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (service, key, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    session BLOB NOT NULL,
    seq INTEGER NOT NULL,
    service INTEGER NOT NULL,
    time INTEGER NOT NULL,
    level INTEGER NOT NULL,
    logger TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX log_session ON log (session);

CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    service TEXT NOT NULL,
    text TEXT NOT NULL,
    command TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT;
"""

_VERSION_2 = """
-- What operators say about records and do with them.
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    who TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX note_seq ON note (seq);

-- Which words (types, sources, targets) occur in which block of 4096 records. A search for a rare one reads the blocks
-- that have it; an index over all records would cost each message a write.
CREATE TABLE span (word INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (word, block)) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO span SELECT type, seq >> 12 FROM hop;
INSERT OR IGNORE INTO span SELECT source, seq >> 12 FROM hop;
INSERT OR IGNORE INTO span SELECT target, seq >> 12 FROM hop;

-- Status, attempt and due time under a checksum: a flipped bit there would drop a message, see junctor.store.hops.
ALTER TABLE hop ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
UPDATE hop SET checksum = (seq % 32749 + 7919 * (status % 32749) + 6491 * (attempt % 32749) + 15413 * (due % 32749))
    % 32749;

-- Everything that did not end well is rare, so one index has it all.
DROP INDEX log_session;
CREATE INDEX log_session ON log (session, seq);
DROP INDEX hop_parked;
CREATE INDEX hop_ended ON hop (status, target) WHERE status > 3;
CREATE INDEX attempt_error ON attempt (error, seq);
-- Where the last record goes, the shared body goes with it.
CREATE INDEX message_body ON message (body) WHERE body IS NOT NULL;
"""

_VERSION_3 = """
-- Runs: instances of durable services, by the record that began them. One row a turn is their history.
CREATE TABLE run (
    seq INTEGER PRIMARY KEY,
    service INTEGER NOT NULL,
    handler TEXT NOT NULL,
    key TEXT,
    status INTEGER NOT NULL,
    turns INTEGER NOT NULL,
    started INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    due INTEGER NOT NULL,
    code TEXT NOT NULL,
    asker TEXT NOT NULL,
    session BLOB NOT NULL,
    error TEXT NOT NULL,
    snapshot BLOB,
    checksum INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_key ON run (service, key) WHERE status < 2 AND key IS NOT NULL;
CREATE INDEX run_open ON run (service) WHERE status < 2;
CREATE TABLE turn (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    data BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
"""

_VERSION_4 = """
-- State under a checksum: a flipped bit there would be read by a handler, see junctor.store.entries.
ALTER TABLE state ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
UPDATE state SET checksum = entry_checksum(service, key, name, version, value);
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
"""The script at index n leads from version n to n + 1. Scripts are only added, never changed."""


def migrate(db: apsw.Connection, where: str, migrations: tuple[str, ...] = MIGRATIONS) -> int:
    """Bring the store to today's version, each step in a transaction of its own. The version it had.

    :raises StoreTooNew: a newer Junctor wrote it; nothing is changed.
    :raises StoreDamaged: it has a version that there never was.
    :raises StoreError: it is a SQLite file of something else.
    """
    found = int(db.pragma("user_version"))
    _refuse_foreign(db, where, found)
    if found < 0:
        raise StoreDamaged(f"the store says that it has version {found}", where=where)
    if found > len(migrations):
        raise StoreTooNew(f"the store has version {found}, this Junctor knows up to {len(migrations)}", where=where)
    register(db)
    for version in range(found, len(migrations)):
        with db:
            db.execute(migrations[version])
            db.pragma("user_version", version + 1)
            db.pragma("application_id", APPLICATION)
    return found


def _refuse_foreign(db: apsw.Connection, where: str, version: int) -> None:
    application = db.pragma("application_id")
    empty = select(db, "SELECT count(*) FROM sqlite_schema")[0][0] == 0
    if application != APPLICATION and not (empty and version == 0):
        raise StoreError(
            "this is a SQLite database of another program",
            where=where,
            fix="Give the node a folder of its own with --store.",
        )
