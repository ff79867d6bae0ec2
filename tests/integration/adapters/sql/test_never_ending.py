"""sql-in: rows that the database takes for others than they are read as are neither left out nor sent for ever."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.adapters import SqlIn
from junctor.testing import running


def sent(plant: Any) -> list[int]:
    plant.advance("5s")
    return sorted(row["n"] for row in plant.sent("sql-in.out"))


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("collation", ["NOCASE", "RTRIM", "BINARY"])
def test_cursors_that_are_equal_to_the_database(sqlite: Any, collation: str, batch: int) -> None:
    sqlite.execute(f"CREATE TABLE words (word text COLLATE {collation}, n integer)")
    sqlite.execute("INSERT INTO words VALUES ('a', 1), ('A', 2), ('b', 3), ('B', 4), ('b ', 5), ('a  ', 6)")
    with running(SqlIn(url=sqlite.url, table="words", cursor=["word"], batch=batch)) as plant:
        assert sent(plant) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "way", [{"cursor": ["word"]}, {"status": "state", "id": ["word"]}, {"delete": True, "id": ["word"]}]
)
def test_a_text_that_is_not_utf_8(sqlite: Any, way: dict[str, Any]) -> None:
    sqlite.execute("CREATE TABLE words (word text, n integer, state text DEFAULT 'new')")
    sqlite.execute("INSERT INTO words (word, n) VALUES (CAST(x'61ff' AS text), 1)")
    with running(SqlIn(url=sqlite.url, table="words", **way)) as plant:
        assert sent(plant) == [1]


def test_a_real_as_cursor(postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE words (word real, n integer)")
    postgresql.execute("INSERT INTO words VALUES (0.1, 1)")
    with running(SqlIn(url=postgresql.url, table="words", cursor=["word"])) as plant:
        assert sent(plant) == [1]


def test_a_trigger_that_keeps_the_status(sqlite: Any) -> None:
    sqlite.execute("CREATE TABLE words (n integer, state text)")
    sqlite.execute("INSERT INTO words VALUES (1, 'new'), (2, 'done'), (3, 'new')")
    sqlite.execute("CREATE TRIGGER kept BEFORE UPDATE ON words BEGIN SELECT RAISE(IGNORE); END")
    with running(SqlIn(url=sqlite.url, table="words", status="state", id=["n"])) as plant:
        assert sent(plant) == [1, 3]
        sqlite.execute("DROP TRIGGER kept")
        sqlite.execute("INSERT INTO words VALUES (4, 'new')")
        plant.advance("1h")
        assert sent(plant) == [1, 3, 4]
