"""One suite, every transport."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.testing.transports import CHECKS, MemorySite, SqliteSite, applicable, run
from junctor.transports.memory import MemoryTransport
from junctor.transports.sqlite import SqliteTransport


@pytest.mark.parametrize("name", applicable(SqliteTransport.capabilities))
async def test_sqlite(name: str, tmp_path: Path) -> None:
    await run(name, SqliteSite(tmp_path))


@pytest.mark.parametrize("name", applicable(MemoryTransport.capabilities))
async def test_memory(name: str) -> None:
    await run(name, MemorySite())


def test_the_suite_is_there() -> None:
    """A check that does not register itself would pass for nothing."""
    assert len(CHECKS) >= 45
    assert set(applicable(SqliteTransport.capabilities)) == set(CHECKS) - {
        name for name, check in CHECKS.items() if {"by_reference", "shared"} & set(check.needs)
    }
