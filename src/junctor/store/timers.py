"""Timers of runs that wait in the store, found by when they are due, for the commit that takes them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import apsw
import msgspec

from junctor.core.records import Insert
from junctor.core.run import WOKEN, TimerEnd
from junctor.messages import ANSWERS, HANDLER, Message, Status
from junctor.store.connection import select
from junctor.store.runs import UNREADABLE
from junctor.store.words import Words

# `status = 2` literally: only then SQLite sees that the partial index of timers fits.
_WAITING = """
SELECT h.seq, m.headers FROM hop AS h CROSS JOIN message AS m ON m.seq = h.seq
WHERE h.status = 2 AND h.due = ? AND h.target = ? AND h.key = ?
"""

_decode = msgspec.json.Decoder(dict[str, str]).decode


class Timers:
    """The writer's side: those in the database, and those of the group that is being put together."""

    def __init__(self, db: apsw.Connection, words: Words) -> None:
        self._db = db
        self._words = words
        self._fresh: dict[int, list[Message]] = {}

    def note(self, insert: Insert) -> None:
        """A record of the group that waits."""
        if insert.status == Status.WAITING:
            self._fresh.setdefault(insert.message.due, []).append(insert.message)

    def find(self, timer: TimerEnd) -> Iterator[int]:
        """The numbers of the records that are this timer."""
        for message in self._fresh.get(timer.due, ()):
            if message.target == timer.target and message.key == str(timer.run) and _is(message.headers, timer):
                yield message.seq
        for seq, headers in self._stored(timer):
            if _is(_read(headers), timer):
                yield seq

    def _stored(self, timer: TimerEnd) -> list[tuple[Any, ...]]:
        try:
            return select(self._db, _WAITING, (timer.due, self._words.number(timer.target), str(timer.run)))
        except UNREADABLE:
            return []  # it comes, and is late


def _is(headers: Mapping[str, str], timer: TimerEnd) -> bool:
    return headers.get(HANDLER) == WOKEN and headers.get(ANSWERS) == str(timer.step)


def _read(headers: Any) -> Mapping[str, str]:
    try:
        return _decode(headers or "{}")
    except (msgspec.MsgspecError, TypeError):
        return {}
