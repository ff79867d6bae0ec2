"""sql-in: how much a look takes."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.adapters import SqlIn
from junctor.adapters.sql.address import Address
from junctor.adapters.sql.by_cursor import ByCursor
from junctor.adapters.sql.database import PIECE, Database
from junctor.adapters.sql.selection import Batch, Source
from junctor.testing import running


@pytest.fixture
def large(base: Any) -> Any:
    """100 rows of 100 KB, of which five at a time have one time."""
    base.execute("CREATE TABLE letters (id integer PRIMARY KEY, at integer, letter text)")
    letter = "repeat('x', 100000)" if hasattr(base, "server") else "hex(zeroblob(50000))"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)"
    base.execute(f"INSERT INTO letters {numbers} SELECT i, i / 5, {letter} FROM n")
    return base


@pytest.mark.parametrize("column", ["id", "at"])
@pytest.mark.parametrize("size", [1, 1_000_000, 100_000_000])
def test_a_batch_ends_by_its_bytes(large: Any, column: str, size: int) -> None:
    database = Database(Address.read(large.url), 10)
    way = ByCursor(Source("letters"), [column], "beginning", Batch(500, size), 0.0)
    state: dict[str, Any] = {}
    looks = []
    while rows := way.take(database, state, 0.0):
        looks.append([row["id"] for row in rows])
    database.close()
    assert sorted(number for look in looks for number in look) == list(range(100))
    assert max(map(len, looks)) <= (100 if size > 10_000_000 else PIECE + 10)


def test_rows_larger_than_a_batch(large: Any) -> None:
    with running(SqlIn(url=large.url, table="letters", delete=True, id=["id"], batch_bytes=10)) as plant:
        plant.advance("1s")
        assert [row["id"] for row in plant.sent("sql-in.out")] == list(range(100))
    assert large.execute("SELECT count(*) FROM letters") == [(0,)]
