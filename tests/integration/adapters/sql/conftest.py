"""A database of each kind that is tested for real: ``base``; and of PostgreSQL alone: ``postgresql``."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgresql import Database, PostgreSQL


class SQLite:
    """A database in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shop.db"
        self.url = f"sqlite:///{self.file}"
        self.execute("CREATE TABLE empty (n integer)")

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Runs one statement, committed at once; the rows, where it has some."""
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="session")
def _shop(_postgresql_server: PostgreSQL) -> Iterator[Database]:
    _postgresql_server.start()
    _postgresql_server.execute("CREATE DATABASE shop")
    yield Database(_postgresql_server, "shop")
    _postgresql_server.start()
    _postgresql_server.execute("DROP DATABASE shop WITH (FORCE)")


@pytest.fixture
def postgresql(_shop: Database) -> Database:
    """One database for all tests here, emptied for each: that takes a tenth of the time that a new one takes."""
    _shop.server.start()
    _shop.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'")
    _shop.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public")
    return _shop


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An empty database."""
    yield SQLite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def sqlite(tmp_path: Path) -> SQLite:
    return SQLite(tmp_path)
