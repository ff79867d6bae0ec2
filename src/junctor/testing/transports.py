"""The contract suite of transports: what the runtime relies on, as checks that every transport passes.

A check is an async function of a :class:`Bench`; nothing here needs pytest. A transport of your own passes when this
does not raise::

    for name in applicable(MyTransport.capabilities):
        asyncio.run(run(name, MySite()))

``MySite`` makes your transports: see :class:`Site`. More checks are registered with :func:`check`.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Any

# Importing them registers the checks.
from junctor.testing import _archive_checks, _queue_checks, _run_checks, _state_checks, _timer_checks  # noqa: F401
from junctor.testing._bench import CHECKS, Bench, Check, Site, check
from junctor.transports.base import Capabilities, Transport

__all__ = ("CHECKS", "Bench", "Check", "MemorySite", "Site", "SqliteSite", "applicable", "check", "run")

PATIENCE = 30.0
"""Seconds after which a check counts as stuck."""


def applicable(capabilities: Capabilities) -> list[str]:
    """The names of the checks for a transport that can do this."""
    return [name for name, each in CHECKS.items() if all(getattr(capabilities, need) for need in each.needs)]


async def run(name: str, site: Site) -> None:
    """Run one check on a fresh bench.

    :raises AssertionError: the transport breaks the contract.
    """
    bench = Bench(site)
    await bench.open()
    try:
        await asyncio.wait_for(CHECKS[name].body(bench), PATIENCE)
        assert not bench.failures, f"the transport reported {bench.failures}"
    finally:
        await bench.transport.aclose()


# The sites of our own transports -----------------------------------------------------------------------------


class MemorySite:
    """A memory transport begins empty each time."""

    def make(self) -> Transport:
        from junctor.transports.memory import MemoryTransport

        return MemoryTransport()

    async def crash(self, transport: Transport) -> None:
        raise NotImplementedError("nothing of a memory transport survives a crash")


class SqliteSite:
    """A sqlite transport in a folder. A crash goes on in a copy of the folder, made while the first one was open.

    :param options: passed to each transport.
    """

    def __init__(self, directory: Path, **options: Any) -> None:
        self._root = directory
        self._options = options
        self._copies = itertools.count(1)
        self.directory = directory / "0"

    def make(self) -> Transport:
        from junctor.transports.sqlite import SqliteTransport

        return SqliteTransport(self.directory, **self._options)

    async def crash(self, transport: Transport) -> None:
        copy = self._root / str(next(self._copies))
        # Without the index of the WAL: a process that starts after a crash rebuilds it.
        shutil.copytree(self.directory, copy, ignore=shutil.ignore_patterns("*-shm", "reserve"))
        await transport.aclose()
        self.directory = copy
