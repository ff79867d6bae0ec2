"""Statements for many rows at once.

One statement is one hand-over of the interpreter lock to the loop and back, so their number decides the speed beside a
busy loop. Measured: one row a statement costs a third of the throughput; 64 rows are a few percent better than 32, and
more than 64 gain nothing. What is left over goes out in halves, so that a handful of prepared statements serves all.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import apsw

from junctor.store.hops import checksum_of

SIZES = (64, 32, 16, 8, 4, 2, 1)

_MOVED = checksum_of("v.column1", "v.column2", "v.column3", "v.column4")

Columns = tuple[str, ...]


def insert(db: apsw.Connection, table: str, columns: Columns, values: list[Any], tail: str = "") -> None:
    """Insert rows, given as one flat list of values. ``tail`` ends the statement: a conflict clause."""
    width = len(columns)
    start, left = 0, len(values) // width
    for size in SIZES:
        while left >= size:
            end = start + size * width
            db.execute(_insert(table, columns, size, tail), values[start:end])
            start, left = end, left - size


def update_hops(db: apsw.Connection, values: list[Any]) -> None:
    """Set status, attempt, due, started and duration of hops: a flat list of these five, each with its seq in front."""
    start, left = 0, len(values) // 6
    for size in SIZES:
        while left >= size:
            end = start + size * 6
            db.execute(_update(size), values[start:end])
            start, left = end, left - size


@cache
def _insert(table: str, columns: Columns, size: int, tail: str) -> str:
    rows = ",".join([f"({','.join('?' * len(columns))})"] * size)
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {rows}{tail}"


@cache
def _update(size: int) -> str:
    if size == 1:
        return (
            "UPDATE hop SET status = ?2, attempt = ?3, due = ?4, started = ?5, duration = ?6,"
            f" checksum = {checksum_of('?1', '?2', '?3', '?4')} WHERE seq = ?1"
        )
    rows = ",".join(["(?,?,?,?,?,?)"] * size)
    return (
        "UPDATE hop SET status = v.column2, attempt = v.column3, due = v.column4, started = v.column5,"
        f" duration = v.column6, checksum = {_MOVED} FROM (VALUES {rows}) AS v WHERE hop.seq = v.column1"
    )
