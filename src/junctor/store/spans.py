"""Which words occur in which block of records, so that a search for a rare one reads a few blocks, not everything.

An index of all records by type or service would cost each message several writes. This is a zone map: a pair of word
and block is written once, with the first record of the block that has the word. Pairs of records that were removed may
stay: they lead to blocks where nothing is found.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain

import apsw

from junctor.store.connection import select
from junctor.store.statements import insert

SHIFT = 12
"""A block has 2 ** 12 records."""

KEPT = 4
"""Blocks whose words are remembered. Records arrive nearly in the order of their numbers."""

Pair = tuple[int, int]

_NONE: set[int] = set()

_DROP = "DELETE FROM span WHERE block IN carray(?)"
_BLOCKS = "SELECT DISTINCT block FROM span WHERE block BETWEEN ? AND ? ORDER BY block"
_IS_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM hop WHERE seq BETWEEN ? AND ?)"


class Spans:
    """The writer's memory of the pairs that are in the database, of the latest blocks."""

    def __init__(self) -> None:
        self._known: dict[int, set[int]] = {}
        self._fresh: list[Pair] = []

    def note(self, seqs: Sequence[int], *columns: Sequence[int]) -> list[int]:
        """Remember the words of records until the commit.

        :param columns: words, each column in the order of the records.
        :returns: the pairs that are new, word and block in turns. One of an older block may stand in the database.
        """
        first, last = min(seqs) >> SHIFT, max(seqs) >> SHIFT
        known = self._known.get(first, _NONE)
        if first == last and all(map(known.issuperset, columns)):  # nearly always, and so without a loop here
            return []
        pairs = {(word, seq >> SHIFT) for column in columns for seq, word in zip(seqs, column, strict=True)}
        fresh = [(word, block) for word, block in pairs if word not in self._known.get(block, _NONE)]
        self._fresh += fresh
        return list(chain.from_iterable(fresh))

    def committed(self) -> None:
        for word, block in self._fresh:
            self._known.setdefault(block, set()).add(word)
        self._fresh.clear()
        while len(self._known) > KEPT:
            del self._known[min(self._known)]

    def rolled_back(self) -> None:
        self._fresh.clear()


def insert_spans(db: apsw.Connection, pairs: list[int]) -> None:
    """Write pairs, word and block in turns. After an opening in the middle of a block some are there already."""
    insert(db, "span", ("word", "block"), pairs, " ON CONFLICT DO NOTHING")


def drop_empty_spans(db: apsw.Connection, low: int, high: int) -> int:
    """Forget the words of blocks without any record left, between two numbers of records; how many blocks.

    For the writing connection, in a transaction of the caller, after records were removed. Never needed for a right
    answer: it gives room back, and spares searches a look into empty blocks.
    """
    blocks = [block for (block,) in select(db, _BLOCKS, (low >> SHIFT, high >> SHIFT))]
    empty = [block for block in blocks if _is_empty(db, block)]
    if empty:
        db.execute(_DROP, (apsw.carray(array("q", empty)),))
    return len(empty)


def _is_empty(db: apsw.Connection, block: int) -> bool:
    return bool(select(db, _IS_EMPTY, (block << SHIFT, ((block + 1) << SHIFT) - 1))[0][0])
