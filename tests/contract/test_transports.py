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


class Forgetful(MemoryTransport):
    """Does not look at the moment."""

    async def next_due(self, after: int = 0) -> int:
        return await super().next_due()


class Inclusive(MemoryTransport):
    """Tells again what is due at the moment itself: an engine that asks so would never come further."""

    async def next_due(self, after: int = 0) -> int:
        return await super().next_due(after - 1 if after else 0)


class Stale(MemoryTransport):
    """Tells what has moved or ended meanwhile."""

    told = 0

    async def next_due(self, after: int = 0) -> int:
        self.told = self.told if self.told > after else await super().next_due(after)
        return self.told


@pytest.mark.parametrize("broken", [Forgetful, Inclusive, Stale])
async def test_a_transport_that_answers_wrongly_what_is_due_next_is_found(broken: type[MemoryTransport]) -> None:
    class Site(MemorySite):
        def make(self) -> MemoryTransport:
            return broken()

    with pytest.raises(AssertionError):
        await run("what_is_due_next_is_asked_from_a_moment_on", Site())


def test_the_suite_is_there() -> None:
    """A check that does not register itself would pass for nothing."""
    assert len(CHECKS) >= 45
    assert set(applicable(SqliteTransport.capabilities)) == set(CHECKS) - {
        name for name, check in CHECKS.items() if {"by_reference", "shared"} & set(check.needs)
    }
