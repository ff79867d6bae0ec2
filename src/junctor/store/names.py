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

TABLE = "SELECT id, CAST(text AS BLOB) FROM word NOT INDEXED"
"""The words as the table has them."""

INDEX = "SELECT id, CAST(text AS BLOB) FROM word INDEXED BY sqlite_autoindex_word_1 WHERE text >= ''"
"""The words as the index has them."""

_MESSAGES = f"SELECT seq FROM hop NOT INDEXED WHERE ?1 IN (source, target, type) LIMIT {ASKED}"
_OTHER = "SELECT 1 FROM word NOT INDEXED WHERE text = CAST(? AS TEXT) AND id != ?"
_SET = "UPDATE word SET text = CAST(? AS TEXT) WHERE id = ?"


def mend_words(db: apsw.Connection) -> list[str]:
    """Compare the words with their index, and put right what differs. For the writing connection, in a transaction.

    :returns: warnings, one for each word.
    """
    table, index = set(select(db, TABLE)), set(select(db, INDEX))
    if table == index:
        return []
    db.pragma("writable_schema", 1)  # without it SQLite changes no row whose entry in an index is missing
    try:
        warnings = [put_right(db, number, text, index - table) for number, text in sorted(table - index)]
        db.execute("REINDEX word")
    finally:
        db.pragma("writable_schema", 0)
    return warnings or [f"{len(index - table)} entries of the index of names were wrong; it is made anew"]


def put_right(db: apsw.Connection, number: int, text: bytes, others: set[tuple[int, bytes]]) -> str:
    """Take the text that the messages confirm; where none is confirmed, the table keeps its own.

    :param text: what the table has.
    :param others: what the index has of this and other words.
    :returns: a warning.
    """
    for candidate in [text, *(other for found, other in others if found == number)]:
        if _set(db, number, candidate) and _fits(db, number):
            return f'the name "{candidate.decode()}" was damaged in one of two places and is put right'
    readable = text.decode(errors="replace")
    if not _set(db, number, readable.encode()):
        _set(db, number, f"{readable} {number}".encode())
    return f'a name is damaged and reads "{readable}" now; messages that have it are parked or not found'


def _set(db: apsw.Connection, number: int, text: bytes) -> bool:
    """Write a text; not one that another word has."""
    if select(db, _OTHER, (text, number)):
        return False
    db.execute(_SET, (text, number))
    return True


def _fits(db: apsw.Connection, number: int) -> bool:
    seqs = [seq for (seq,) in select(db, _MESSAGES, (number,))]
    return any(not record.damaged for record in queues.read_all(db, Glossary(), seqs))
