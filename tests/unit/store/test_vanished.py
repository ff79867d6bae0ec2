"""The folder of a store that goes away under the running node: nothing is acknowledged into the void."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from junctor.core.records import AlertRecord, Commit
from junctor.errors import StoreVanished
from junctor.transports.sqlite import SqliteTransport


@pytest.mark.parametrize("how", ["removed", "moved"])
async def test_a_folder_that_is_gone_ends_the_node_before_anything_is_acknowledged(tmp_path: Path, how: str) -> None:
    failures: list[Exception] = []
    transport = SqliteTransport(tmp_path / "store")
    await transport.open(failures.append)
    assert await told(transport) is None

    if how == "removed":
        shutil.rmtree(tmp_path / "store")
    else:
        (tmp_path / "store").rename(tmp_path / "elsewhere")

    assert isinstance(await told(transport), StoreVanished)
    (failure,) = failures
    assert "moved or removed" in str(failure) and "Bring the folder back" in str(failure)
    await transport.aclose()


async def told(transport: SqliteTransport) -> Exception | None:
    """What becomes of a commit."""
    answer: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    alert = AlertRecord(1, "test", "", "something")
    transport.commit(Commit(lambda commit, error: answer.set_result(error), alerts=(alert,)))
    return await answer
