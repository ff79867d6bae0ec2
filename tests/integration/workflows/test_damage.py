"""A run whose record or history is damaged: nothing goes on from it, nothing of it is lost without a word."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from junctor.core.run import RunQuery, RunStatus
from junctor.testing import running
from tests.integration.workflows.shop import Approval, Order, shop


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE run SET status = 2 WHERE seq = ?",
        "UPDATE run SET turns = 1 WHERE seq = ?",
        "UPDATE run SET asker = 'shop/bank 1 1' WHERE seq = ?",
        "UPDATE turn SET data = CAST(replace(CAST(data AS TEXT), 'Paid', 'Pays') AS BLOB) WHERE run = ?",
        "UPDATE turn SET data = CAST(replace(CAST(data AS TEXT), '7.1', '8.1') AS BLOB) WHERE run = ?",
        "DELETE FROM turn WHERE run = ? AND number = 2",
    ],
)
async def test_what_comes_for_it_is_put_aside(tmp_path: Path, damage: str) -> None:
    async with running(shop(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        await plant.send("orders", Order(8))
        hurt, sound = sorted(run.seq for run in plant.node.archive.runs(RunQuery()))
        harm(tmp_path / "store", damage, hurt)
        await plant.restart()
        with plant.expect_parked("StoreDamaged", match=str(hurt)):
            await plant.advance("1d")
        await plant.send("orders", Approval("me"), key="8")
        await plant.idle()
        found = {run.seq: run for run in plant.node.archive.runs(RunQuery())}
        assert found[sound].status is RunStatus.DONE
        assert not found[hurt].is_open or found[hurt].status is RunStatus.SUSPENDED or found[hurt].damaged
        assert plant.state("bank") == {"7.1": 1, "8.1": 1}


def harm(store: Path, statement: str, seq: int) -> None:
    db = apsw.Connection(str(store / "junctor.db"))
    try:
        db.execute(statement, (seq,))
    finally:
        db.close()
