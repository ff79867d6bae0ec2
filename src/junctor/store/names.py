"""The table of words verified at an opening: a damaged name hides every message of a service.

Each word stands in the file twice, in the table and in its index. Where the two differ, the checksums of the messages
that have the word tell which of them is right.
"""

from __future__ import annotations

import apsw

from junctor.store import queues
from junctor.store.connection import select
from junctor.store.words import Glossary

ASKED = 3
"""Messages that are asked about a word: one alone may be damaged itself."""

_TABLE = "SELECT id, CAST(text AS BLOB) FROM word NOT INDEXED"
_INDEX = "SELECT id, CAST(text AS BLOB) FROM word INDEXED BY sqlite_autoindex_word_1 WHERE text >= ''"
_MESSAGES = f"SELECT seq FROM hop NOT INDEXED WHERE ?1 IN (source, target, type) LIMIT {ASKED}"
_SET = "UPDATE word SET text = CAST(? AS TEXT) WHERE id = ?"


def mend_words(db: apsw.Connection) -> list[str]:
    """Compare the words with their index, and put right what differs. For the writing connection, in a transaction.

    :returns: warnings, one for each word.
    """
    table, index = set(select(db, _TABLE)), set(select(db, _INDEX))
    if table == index:
        return []
    db.execute("REINDEX word")
    warnings = [_put_right(db, number, text, index - table) for number, text in sorted(table - index)]
    return warnings or [f"{len(index - table)} entries of the index of names were wrong; it is made anew"]


def _put_right(db: apsw.Connection, number: int, text: bytes, others: set[tuple[int, bytes]]) -> str:
    """Take the text that the messages confirm; where none is confirmed, the table keeps its own."""
    others_of = [other for found, other in others if found == number]
    for candidate in [text, *others_of]:
        db.execute(_SET, (candidate, number))
        if _fits(db, number):
            return f"the name {_readable(candidate)} was damaged in one of two places and is put right"
    db.execute(_SET, (text, number))
    return f"a name is damaged and reads {_readable(text)} now; messages that have it are parked or not found"


def _fits(db: apsw.Connection, number: int) -> bool:
    seqs = [seq for (seq,) in select(db, _MESSAGES, (number,))]
    return any(not record.damaged for record in queues.read_all(db, Glossary(), seqs))


def _readable(text: bytes) -> str:
    return f'"{text.decode(errors="replace")}"'
