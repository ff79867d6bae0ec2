"""A run whose record or history is damaged: nothing goes on from it, nothing of it is lost without a word."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from junctor import Flow, Service, Target, Workflow, handler
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import RequestFailed
from junctor.messages import Kind, Status
from junctor.testing import RunningFlow, running
from junctor.transports.base import Query
from tests.integration.workflows.shop import Approval, Order, Paid, Pay, Receipt, shop


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


class Desk(Service):
    """Answers after a while."""

    @handler
    async def on_pay(self, pay: Pay) -> Paid:
        await self.sleep("1h")
        return Paid("late")


class Asking(Workflow):
    """Keeps how its request ended."""

    desk: Target[Pay, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        try:
            return Receipt((await self.desk.request(Pay(order.id))).text)
        except RequestFailed as error:
            await self.wait(lambda: False, timeout="1d")
            return Receipt(f"{error.error_type}")


def asking() -> Flow:
    return Flow("shop").add(Desk, name="desk").add(Asking, name="orders")


def replies(plant: RunningFlow) -> list[bytes]:
    records = [plant.node.archive.record(run.seq) for run in plant.node.archive.runs(RunQuery())]
    return [bytes(record.reply.payload) for record in records if record is not None and record.reply is not None]


@pytest.mark.parametrize("change", ["status = 3", "status = 1, attempt = 99", "checksum = 7"])
async def test_a_request_that_the_opening_parks_ends_for_its_run(tmp_path: Path, change: str) -> None:
    async with running(asking(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        (request,) = (message for message in plant.messages if message.target == "shop/desk")
        harm(tmp_path / "store", f"UPDATE hop SET {change} WHERE seq = ?", request.seq)
        await plant.restart()
        await plant.idle()
        assert len(ends(plant)) == 1
        await plant.restart()
        await plant.idle()
        assert len(ends(plant)) == 1, "told once"
        await plant.advance("2d")
        assert replies(plant) == [b'{"text":"StoreDamaged"}']


def ends(plant: RunningFlow) -> list[int]:
    found = plant.node.archive.search(Query(service="shop/orders"))
    return [one.message.seq for one in found if one.message.kind is Kind.REPLY]


@pytest.mark.parametrize("change", ["status = 3", "status = 0", "checksum = 7"])
async def test_a_begin_whose_status_is_damaged_goes_on_with_its_run(tmp_path: Path, change: str) -> None:
    async with running(asking(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        (run,) = plant.node.archive.runs(RunQuery())
        harm(tmp_path / "store", f"UPDATE hop SET {change} WHERE seq = ?", run.seq)
        await plant.restart()
        record = plant.node.archive.record(run.seq)
        assert record is not None and record.status is Status.BEGUN
        await plant.advance("2h")
        assert replies(plant) == [b'{"text":"late"}']
