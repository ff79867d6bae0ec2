"""sql-in: what the types of SQLite and PostgreSQL become, also values that Python has no type for."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

from junctor.adapters import SqlIn
from junctor.testing import running


def test_types_of_postgresql(postgresql: Any) -> None:
    postgresql.execute(
        "CREATE TABLE wide (id uuid, n numeric(30, 10), big bigint, r double precision, bad double precision,"
        " b boolean, d date, t time, at timestamptz, i interval, raw bytea, j jsonb, tags text[], ip inet, void text)"
    )
    key = uuid.UUID(int=7)
    postgresql.execute(
        f"INSERT INTO wide VALUES ('{key}', 12345678901234567890.5, 9007199254740993, 0.5, 'NaN', true, '2026-11-20',"
        " '10:30', '2026-11-20 10:00:00.5+01', '1 day 2 hours', '\\x00ff', '{\"a\": [1.5]}', '{x,y}', '10.0.0.1', NULL)"
    )
    wide = SqlIn(url=postgresql.url, table="wide", cursor=["at", "id"])
    with running(wide) as plant:
        plant.advance("1s")
        (row,) = plant.sent("sql-in.out")
        at = datetime.datetime.fromisoformat(row.pop("at").replace("Z", "+00:00"))
        assert at == datetime.datetime(2026, 11, 20, 9, 0, 0, 500000, datetime.UTC)
        assert decimal.Decimal(row.pop("n")) == decimal.Decimal("12345678901234567890.5")
        assert row == {
            "id": str(key),
            "big": 9007199254740993,
            "r": 0.5,
            "bad": "nan",
            "b": True,
            "d": "2026-11-20",
            "t": "10:30:00",
            "i": "P1DT7200S",
            "raw": "AP8=",
            "j": {"a": [1.5]},
            "tags": ["x", "y"],
            "ip": "10.0.0.1",
            "void": None,
        }
        postgresql.execute("INSERT INTO wide (id, at) SELECT id, at FROM wide")
        plant.advance("1s")
        assert len(plant.sent("sql-in.out")) == 1, "the cursor has kept every microsecond and bit"


def test_times_that_python_does_not_know_stop_nothing(postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE times (id integer, d date, t timestamp, at timestamptz)")
    postgresql.execute("INSERT INTO times VALUES (1, 'infinity', '-infinity', '20026-01-01 00:00+00')")
    postgresql.execute("INSERT INTO times VALUES (2, '0044-03-15 BC', '2026-01-01', '2026-01-01 00:00+00')")
    with running(SqlIn(url=postgresql.url, table="times", cursor=["at", "id"], batch=1)) as plant:
        plant.advance("1s")
        assert [row["id"] for row in plant.sent("sql-in.out")] == [2, 1]
        assert [row["d"] for row in plant.sent("sql-in.out")] == ["0044-03-15 BC", "infinity"]


def test_text_that_is_no_unicode_stops_nothing(sqlite: Any) -> None:
    sqlite.execute("CREATE TABLE texts (id integer, name text)")
    sqlite.execute("INSERT INTO texts VALUES (1, CAST(x'61ff' AS text)), (2, 'ü')")
    with running(SqlIn(url=sqlite.url, table="texts", cursor=["id"])) as plant:
        plant.advance("1s")
        assert [row["name"] for row in plant.sent("sql-in.out")] == ["a\ufffd", "ü"]


def test_decimals_as_numbers(postgresql: Any) -> None:
    postgresql.execute("CREATE TABLE prices (id integer, price numeric(10, 2))")
    postgresql.execute("INSERT INTO prices VALUES (1, 2.50), (2, 0), (3, 7.00)")
    with running(SqlIn(url=postgresql.url, table="prices", cursor=["id"], decimals="number")) as plant:
        plant.advance("1s")
        assert [row["price"] for row in plant.sent("sql-in.out")] == [2.5, 0, 7]
