"""What a store with durable runs holds at the end, without what may differ from run to run: numbers, times, ids."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from junctor.core.records import Query
from junctor.core.run import RunQuery
from junctor.messages import ANSWERS, ENDED, Status
from junctor.store.reader import open_archive
from tests.crash.runs.drivers.parts import OUTSIDE, SEEN

MOST = 1_000_000


@dataclass
class Image:
    """The same for each run of the same orders, however often the node died.

    ``marks``: how often each effect happened. ``messages``: each with its end. ``runs``: handler, key, status, turns.
    ``wrong``: what must never be, in words.
    """

    marks: dict[str, int]
    messages: Counter[str]
    runs: dict[str, list[Any]]
    wrong: list[str]

    def differs(self, found: Image) -> str:
        """What another one has that this one has not; empty where they are the same."""
        told = list(found.wrong)
        for what in ("marks", "messages", "runs"):
            mine, others = getattr(self, what), getattr(found, what)
            for name in sorted({*mine, *others}):
                if mine.get(name) != others.get(name):
                    told.append(f"{what}: {name} is {others.get(name)} instead of {mine.get(name)}")
        return "; ".join(told[:12])


def image(store: Path) -> Image:
    """Read a store whose node is down."""
    archive = open_archive(store)
    try:
        records = archive.search(Query(limit=MOST))
        runs = archive.runs(RunQuery(limit=MOST))
        turns = {run.seq: archive.turns(run.seq) for run in runs}
    finally:
        archive.close()
    wrong = [f"message {record.message.seq} is damaged" for record in records if record.damaged]
    wrong += [f"run {run.seq} is damaged" for run in runs if run.damaged]
    for run in runs:
        numbers = [turn.number for turn in turns[run.seq] if not turn.damaged]
        if numbers != list(range(1, run.turns + 1)):
            wrong.append(f"run {run.seq} has {run.turns} turns, of which there are {numbers}")
    ended = {record.message.seq for record in records if record.status != Status.BEGUN}
    wrong += [f"run {run.seq} is open, its message has ended" for run in runs if run.is_open and run.seq in ended]
    wrong += [
        f"run {run.seq} has ended, its message has not" for run in runs if not run.is_open and run.seq not in ended
    ]
    wrong += [*_broken(store), *_twice_outside(store.parent / OUTSIDE)]
    return Image(
        _marks(store),
        Counter(map(_outline, records)),
        {f"{run.service} {run.key}": [run.handler, run.status.name, run.turns] for run in runs},
        wrong,
    )


def _outline(record: Any) -> str:
    message, headers = record.message, record.message.headers or {}
    said = "" if message.key is None or message.key.isdigit() else message.key
    reply = bytes(record.reply.payload).decode() if record.reply is not None else "no reply"
    step = f"{headers.get(ANSWERS, '')} {headers.get(ENDED, '')}".strip()
    payload = bytes(message.payload).decode()
    if '"traceback"' in payload:
        payload = json.loads(payload)["type"]
    return f"{message.target} {message.type} {payload} {said} {step} {record.status.name} {reply}"


def _marks(store: Path) -> dict[str, int]:
    """By service and effect: how often it happened."""
    sql = "SELECT w.text, s.key, s.value FROM state AS s JOIN word AS w ON w.id = s.service WHERE s.name = ?"
    with _reading(store) as db:
        return {f"{service} {key}": int(value) for service, key, value in db.execute(sql, (SEEN,))}


def _broken(store: Path) -> list[str]:
    with _reading(store) as db:
        told = [text for (text,) in db.execute("PRAGMA integrity_check").fetchall()]
    return [text for text in told if text != "ok"]


def _twice_outside(file: Path) -> list[str]:
    """What happened outside may have happened again, but under one key."""
    keys: dict[str, set[str]] = defaultdict(set)
    for line in file.read_text().splitlines() if file.exists() else ():
        id, key = line.split()
        keys[id].add(key)
    return [f"{id} is outside under {len(found)} keys" for id, found in keys.items() if len(found) != 1]


def _reading(store: Path) -> apsw.Connection:
    return apsw.Connection(str(store / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
