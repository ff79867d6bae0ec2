"""Which opening of which database this is: who the node is, where its numbers go on, and whether time was turned back.

A database that is not the one that the node used last was restored, copied or put back by hand. That is allowed; but
its node has told others of more than is in it. So it is said what that means, and numbers go on far above any that was
given out, so that no id means two messages.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from junctor.errors import StoreDamaged
from junctor.messages import Status
from junctor.store.connection import select
from junctor.store.hops import set_status
from junctor.store.identity import Identity, new_identity, read_identity
from junctor.store.verify import verify

BACKUP = "backup"
"""The mark of a backup in ``meta``: when it was made, nanoseconds since 1970."""

_APART = 1 << 32
"""Numbers between those of an opening and what comes after one that nothing is known of."""

_EFFECT = (
    "messages that waited in it are delivered again, and what was handled or accepted after it was made is not known"
    " here any more; numbers go on from {first}"
)


@dataclass(frozen=True)
class Opening:
    """What this opening begins with. ``identity`` is to be kept in the folder."""

    identity: Identity
    epoch: int
    clean: bool
    first: int


def begin(db: apsw.Connection, path: Path, alone: bool, warnings: list[str]) -> Opening:
    """Count this opening and take the marks of a clean end and of a backup away.

    :param alone: the database had no log beside it before it was opened.
    :param warnings: gets what an operator should know.
    :raises StoreDamaged: it was copied while its node ran, and the copy does not hold together.
    """
    kept = read_identity(path.parent)
    identity, epoch = _identity(db, path, kept, warnings)
    clean = bool(meta(db, "clean")) if epoch else True
    first = _first(db, kept)
    story = _turned_back(db, path, kept, epoch, clean, alone)
    if story or (kept is not None and not epoch):
        damaged = _require_sound(path)
        first = _far_above(first, kept)
        place = f"the database was missing beside {path.parent}/node.json; the new one counts from {first}"
        warnings.append(f"{story}{damaged}: {_EFFECT.format(first=first)}" if story else place)
    epoch = max(epoch, kept.epoch if kept is not None else 0) + 1
    with db:
        for name, value in (("node", identity.node), ("epoch", epoch), ("clean", 0), ("first", first)):
            db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))
        db.execute("DELETE FROM meta WHERE name = ?", (BACKUP,))
    return Opening(Identity(identity.node, identity.created, epoch, first, _inode(path)), epoch, clean, first)


def end(db: apsw.Connection) -> None:
    """Mark as cleanly closed; what was handed out returns to its queue."""
    with db:
        db.execute(f"UPDATE hop SET {set_status(Status.READY)} WHERE status = 1 AND status < 3")
        db.execute("UPDATE meta SET value = 1 WHERE name = 'clean'")
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def meta(db: apsw.Connection, name: str) -> str | int | None:
    rows = select(db, "SELECT value FROM meta WHERE name = ?", (name,))
    return rows[0][0] if rows else None


def _identity(db: apsw.Connection, path: Path, kept: Identity | None, warnings: list[str]) -> tuple[Identity, int]:
    """Who the node is, and how often its database was opened."""
    known = meta(db, "node")
    if known is None:
        return kept or new_identity(), 0
    epoch = int(meta(db, "epoch") or 0)
    if kept is not None and kept.node == known:
        return kept, epoch
    # Without the file, and behind a first run that did not close, the node was killed between the two. A backup brings
    # none.
    expected = kept is None and (meta(db, BACKUP) is not None or (epoch == 1 and not meta(db, "clean")))
    if not expected:
        warnings.append(f"the identity file did not belong to the database; the node goes on as {known}")
    return new_identity(str(known)), epoch


def _first(db: apsw.Connection, kept: Identity | None) -> int:
    highest = select(db, "SELECT max(seq) FROM message")[0][0] or 0
    return max(int(highest) + 1, int(meta(db, "first") or 1))


def _far_above(first: int, kept: Identity | None) -> int:
    """A number that was never given out, also where the clock was set back since the last jump."""
    return max(first, int(time.time()) << 20, (kept.first if kept is not None else 0) + _APART)


def _turned_back(db: apsw.Connection, path: Path, kept: Identity | None, epoch: int, clean: bool, alone: bool) -> str:
    """What shows that this is not the database that the node used last; empty where it is."""
    made = meta(db, BACKUP)
    if made is not None:
        return f"the store was restored from a backup of {_day(int(made))}"
    if kept is not None and epoch and kept.epoch > epoch:
        return (
            f"an older database was put in place of that of the node (its opening {epoch}, the last one was"
            f" {kept.epoch})"
        )
    if epoch and not clean and alone:
        return "the log of the database is missing, as in a copy of a running store; its latest messages are lost"
    if epoch and not clean and _is_elsewhere(db, path, kept, epoch):
        return "the store is a copy that was made while its node ran, or after it was killed; every record was verified"
    return ""


def _is_elsewhere(db: apsw.Connection, path: Path, kept: Identity | None, epoch: int) -> bool:
    """Whether the file is another one than its node used last. Without the identity it is, unless its node was killed
    in its first moments, before anything was accepted."""
    if kept is None:
        return epoch > 1 or bool(select(db, "SELECT EXISTS (SELECT 1 FROM message)")[0][0])
    return kept.inode not in (0, _inode(path))


def _require_sound(path: Path) -> str:
    """What is to be said of single records that are damaged in it."""
    found = verify(path)
    if found.problems:
        raise StoreDamaged(
            f"the store is a copy that does not hold together, as of a running node: {found.problems[0]}",
            where=str(path),
            fix="Copy a running store with `junctor backup`, or stop its node first.",
        )
    return f"; {len(found.damaged)} of its records are damaged" if found.damaged else ""


def _inode(path: Path) -> int:
    """The number of the file in its file system, 0 behind a file system of SQLite's own."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _day(made: int) -> str:
    return datetime.fromtimestamp(made / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
