"""What a store holds after a crash, in the words of the checker. Reads the file as it is, and through the archive."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from junctor.core.records import Query, Record
from junctor.errors import NodeNotFound
from junctor.messages import Status
from junctor.store.connection import open_writer
from junctor.store.reader import open_archive
from junctor.store.schema import MIGRATIONS, migrate
from tests.crash.drivers.load import COUNT, OUT, SINK
from tests.crash.history import Seen


def seen_in(directory: Path) -> list[Seen]:
    """Every record that came from a client, with the outputs that its handling made. A store that died before it was
    complete holds none.

    :raises AssertionError: the database is inconsistent in itself.
    """
    with _of_today(directory) as found:
        return _seen_in(found)


@contextmanager
def _of_today(directory: Path) -> Iterator[Path]:
    """The folder, or where its store was not migrated yet, a migrated copy: stores of other versions are not read."""
    path = directory / "junctor.db"
    if not path.exists() or _version(path) in (0, len(MIGRATIONS)):
        yield directory
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(directory, Path(folder) / "copy", ignore=shutil.ignore_patterns("*.sock")))
        db = open_writer(copy / "junctor.db")
        migrate(db, str(copy))
        db.close()
        yield copy


def _version(path: Path) -> int:
    if path.with_name(f"{path.name}-journal").exists():
        return 0
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(db.pragma("user_version"))
    finally:
        db.close()


def _seen_in(directory: Path) -> list[Seen]:
    try:
        archive = open_archive(directory)
    except NodeNotFound:
        return []
    try:
        records = archive.search(Query(limit=1_000_000))
    finally:
        archive.close()
    damaged = [record.message.seq for record in records if record.damaged]
    assert not damaged, f"damaged records: {damaged}"
    outputs: dict[int, list[int]] = defaultdict(list)
    for record in records:
        if record.message.target == OUT:
            outputs[record.message.cause].append(record.message.seq)
    # What was resent goes on under the same name in the message that took its place; without that one it is lost.
    inputs = [each for each in records if each.message.target == SINK and each.status != Status.RESENT]
    _assert_consistent(directory, inputs)
    return [_seen(record, outputs.pop(record.message.seq, [])) for record in inputs] + [
        Seen(f"nobody-{cause}", "", tuple(made), True) for cause, made in outputs.items()
    ]


def _seen(record: Record, outputs: list[int]) -> Seen:
    message = record.message
    done = record.status == Status.DONE
    assert done == (record.reply is not None), f"{message.seq} is {record.status.name} and its reply {record.reply}"
    return Seen(json.loads(message.payload)["id"], message.key or "", tuple(sorted(outputs)), done)


def _assert_consistent(directory: Path, inputs: list[Record]) -> None:
    """The file passes SQLite's own check, and each counter equals the number of finished messages of its key."""
    db = apsw.Connection(str(directory / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        halves = "SELECT count(*) FROM message WHERE seq NOT IN (SELECT seq FROM hop)"
        assert db.execute(halves).fetchall() == [(0,)], "messages without a hop"
        sql = "SELECT s.key, s.value, s.version FROM state AS s JOIN word AS w ON w.id = s.service WHERE w.text = ?"
        counters = {
            key: (int(value), version) for key, value, version in db.execute(sql + " AND s.name = ?", (SINK, COUNT))
        }
    finally:
        db.close()
    finished = Counter(record.message.key or "" for record in inputs if record.status == Status.DONE)
    expected = {key: (count, count) for key, count in finished.items()}
    assert counters == expected, f"the counters are {counters}, the finished messages {expected}"
