"""What sql-in and sql-out refuse before anything runs, and what they tell the driver."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from junctor.adapters import SqlIn, SqlOut
from junctor.adapters.sql.address import Address, Trust
from junctor.errors import JunctorError, MissingExtra, SettingError
from junctor.observe.secrets import mask

FILE = {"url": "sqlite:///shop.db"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "nonsense", "statement": "x"}, "url: it is no URL of a database"),
        ({"url": "oracl://host/x", "statement": "x"}, 'url: "oracl" is no kind of database'),
        ({"url": "postgresql+asyncpg://host/x", "statement": "x"}, "driver for asyncio.*postgresql://"),
        ({"url": "sqlite://", "statement": "x"}, "in memory is gone"),
        (FILE, "either statement or statements"),
        (FILE | {"statement": "x", "statements": [{"statement": "y"}]}, "either statement or statements"),
        (FILE | {"statement": " ; "}, "there is no statement"),
        (
            FILE | {"statements": [{"statement": "x"}, {"statement": "COMMIT;"}]},
            "statements: commit is not for a statement",
        ),
        (FILE | {"statement": "x", "isolation": "serializable"}, "SQLite has no levels"),
        (FILE | {"statement": "x :customer", "parameters": {"custmer": "1"}}, ':custmer" in: x :customer.*"customer"'),
        (FILE | {"statement": "x :a", "parameters": {"a": "file.name"}}, 'a: there is no "file" here'),
        (FILE | {"statement": "x", "each": "rows"}, 'each: there is no variable "rows"'),
        (
            FILE | {"statements": [{"statement": "x :a", "parameters": {"b": "1"}}]},
            'statements: there is no ":b" in: x :a',
        ),
        (FILE | {"statements": [{"statement": "x"}, {"statment": "x"}]}, 'number 2 has no "statment".*"statement"'),
        (FILE | {"statements": [{"statement": "x", "each": "a +"}]}, "number 1: .*ends too early"),
        (FILE | {"statements": [{"statement": "x", "rows": "many"}]}, "number 1: Expected `int"),
        (FILE | {"statements": [{"statement": "x"}], "rows": 1}, "rows: it belongs to statement"),
        (FILE | {"statement": "x", "create": True}, "no table to make"),
        (FILE | {"statement": "x", "ca": "no.pem"}, "ca: it is for PostgreSQL"),
        ({"url": "postgresql://h/x", "statement": "x", "ca": "no.pem"}, "ca: there is no file no.pem"),
        ({"url": "postgresql://h/x?sslmode=require", "statement": "x"}, "sslmode=require nobody knows who answers"),
    ],
)
def test_what_sql_out_refuses(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(JunctorError, match=told):
        SqlOut(**settings)


ROWS = FILE | {"table": "orders"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (FILE | {"cursor": ["id"]}, "either from a table or a query"),
        (ROWS, "either by a cursor, or by status or delete"),
        (ROWS | {"cursor": ["id"], "status": "state"}, "either by a cursor, or by status or delete"),
        (ROWS | {"status": "state"}, "which row to mark.*id: "),
        (ROWS | {"delete": True}, "which row to mark"),
        (ROWS | {"status": "state", "id": ["id"], "new": "x", "done": "x"}, "done: it is the same as new"),
        (ROWS | {"status": "state", "id": ["id"], "claim": "done"}, "claim: it is a value"),
        (ROWS | {"delete": True, "id": ["id"], "claim": "a"}, "claim: it is a value of status"),
        (ROWS | {"delete": True, "id": ["id"], "lag": "1s"}, "lag: it goes with cursor"),
        (ROWS | {"delete": True, "id": ["id"], "start": "now"}, "start: it goes with cursor"),
        (ROWS | {"cursor": ["id"], "order": ["id"]}, "order: it goes with status"),
        (ROWS | {"cursor": ["changed", "id"], "start": 5}, "1 values for 2 columns"),
        (ROWS | {"cursor": ["id"], "key": "headers.x"}, 'there is no "headers" here'),
        (FILE | {"query": "select 1", "status": "s", "id": ["id"]}, "query has no rows that could be marked"),
        (FILE | {"query": "select :a", "cursor": ["id"]}, '":a" that nobody gives'),
        (FILE | {"query": "select :cursor", "cursor": ["id"]}, "nobody can say what :cursor is at beginning"),
        (FILE | {"query": "select 1", "cursor": ["id"], "columns": ["x"]}, "a query names its columns itself"),
    ],
)
def test_what_sql_in_refuses(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        SqlIn(**settings)


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] in ("psycopg", "MySQLdb"):
            raise ImportError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r'pip install "junctor\[postgresql\]"'):
        SqlOut(url="postgresql://localhost/x", statement="x")
    with pytest.raises(MissingExtra, match="pip install MySQLdb"):
        SqlOut(url="mysql://localhost/x", statement="x")


def test_a_password_is_not_shown() -> None:
    out = SqlOut(url="postgresql://ann:open-sesame@localhost/x", password="", statement="x")
    assert "open-sesame" not in str(out.address())
    assert "open-sesame" not in mask("it says open-sesame")
    assert "closed-sesame" not in repr(SqlOut(url="postgresql://localhost/x", password="closed-sesame", statement="x"))


# TLS --------------------------------------------------------------------------------------------------------


def arguments(url: str, trust: Trust | None = None) -> dict[str, Any]:
    return Address.read(url, "", trust).arguments(10)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.example/x",
        "postgresql://10.1.2.3/x",
        "postgresql:///x?host=db.example",
        "postgresql://localhost/x?host=db.example:5432",
        "postgresql://[2001:db8::1]/x",
        "postgresql:///x?hostaddr=10.0.0.1",
    ],
)
def test_another_machine_is_asked_for_its_certificate(url: str) -> None:
    told = arguments(url)
    assert told["sslmode"] == "verify-full"
    assert told["sslrootcert"] == "system" or Path(told["sslrootcert"]).is_file()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost/x",
        "postgresql://localhost:5432/x",
        "postgresql:///x?host=localhost:5432",
        "postgresql://127.0.0.7:5/x",
        "postgresql:///x",
        "postgresql://[::1]/x",
    ]
    + ["postgresql:///x?host=/run/postgresql", "postgresql://localhost/x?sslmode=disable"],
)
def test_this_machine_is_not(url: str) -> None:
    assert "sslmode" not in arguments(url)


def test_certificates(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("ca.pem", "own.pem", "own.key")]
    for file in files:
        file.touch()
    told = arguments("postgresql://localhost/x", Trust(*files))
    assert [told[name] for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")] == ["verify-full", *map(str, files)]
    with pytest.raises(SettingError, match="a key needs its certificate"):
        arguments("postgresql://localhost/x", Trust(key=files[2]))


def test_libpq_knows_hosts_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    assert arguments("postgresql:///x")["sslmode"] == "verify-full"
    assert "sslmode" not in arguments("postgresql://localhost/x")
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.1")
    assert arguments("postgresql://localhost/x")["sslmode"] == "verify-full"
    assert "sslmode" not in arguments("postgresql://localhost/x?hostaddr=127.0.0.1")


def test_a_service_of_libpq_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert arguments("postgresql:///x?service=shop")["sslmode"] == "verify-full"
    with pytest.raises(SettingError, match="nobody knows who answers"):
        Address.read("postgresql:///x?service=shop&sslmode=prefer")
    monkeypatch.setenv("PGSERVICE", "shop")
    assert arguments("postgresql:///x")["sslmode"] == "verify-full"


def test_a_driver_that_is_not_told_to_verify_stays_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pg8000.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Address.read("postgresql+pg8000://localhost/x").arguments(5.0) == {}
    with pytest.raises(SettingError, match="nobody tells the driver pg8000"):
        Address.read("postgresql+pg8000://db.example/x")
