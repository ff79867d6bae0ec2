"""A disk of a few megabytes, which a test of root can have for itself: refused, delivered, swept, recovered."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Flow, Service, handler
from junctor.errors import StoreFull
from junctor.flows import wire
from junctor.messages import Status
from junctor.node.node import Node, Plan
from junctor.store.backup import BackupFailed
from junctor.transports.base import Query
from junctor.transports.sqlite import SqliteTransport

pytestmark = pytest.mark.crash

MIB = 1024 * 1024


@dataclass(frozen=True)
class Job:
    n: int
    text: str


class Works(Service):
    @handler
    async def work(self, job: Job) -> None: ...


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk, and not everywhere")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def node_on(disk: Path, retention: dict[str, object]) -> Node:
    flow = Flow("f", retention=retention).add(Works(), "works")
    return Node(Plan(flows=[wire(flow)], transport=SqliteTransport(disk / "store", reserve=4 * MIB)))


async def fill(node: Node) -> int:
    """Send until the disk is full; how many were accepted."""
    target = node.target("works", Job)
    for n in range(5000):
        try:
            await target.send(Job(n, "x" * 20_000))
        except StoreFull:
            return n
    raise AssertionError("the disk does not become full")


async def settled(node: Node) -> None:
    owed = Query(statuses=(Status.READY, Status.CLAIMED))
    while node.archive.search(owed):
        await asyncio.sleep(0.01)


async def test_a_store_that_filled_its_disk_recovers_by_its_retention(disk: Path) -> None:
    async with node_on(disk, {"done": 0, "failures": 0, "disk": "1GB"}) as node:
        for _ in range(2):
            accepted = await fill(node)
            assert accepted > 100
            await settled(node)
            assert node.engine.sweep is not None
            assert (await node.engine.sweep.once()).removed > 0
            async with asyncio.timeout(10):
                while not node.engine.transport.room().reserve:  # type: ignore[union-attr]
                    await asyncio.sleep(0.05)
        await node.target("works", Job).send(Job(0, "again"))


async def test_a_disk_filled_by_others_refuses_delivers_and_recovers(disk: Path, tmp_path: Path) -> None:
    async with node_on(disk, {}) as node:
        await fill(node)
        taken = disk / "taken"
        taken.write_bytes(b"x" * max(0, node.engine.transport.room().free - MIB))  # type: ignore[union-attr]
        await settled(node)
        upkeep = node.engine.transport.upkeep()
        assert upkeep is not None
        with pytest.raises(BackupFailed, match="disk is full"):
            await upkeep.backup(disk / "copy.db")
        assert not list(disk.glob("copy*"))
        assert (await upkeep.backup(tmp_path / "copy.db")).damaged == 0
        with pytest.raises(StoreFull):
            await node.target("works", Job).send(Job(0, "x"))
        taken.unlink()
        assert node.engine.sweep is not None
        await node.engine.sweep.once()
        assert node.failure is None
    async with node_on(disk, {}) as node:  # a stop on a full disk is no clean one, and loses nothing
        await settled(node)
        assert not node.archive.parked()
