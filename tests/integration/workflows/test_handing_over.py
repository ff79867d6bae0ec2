"""A run that continues as new holds its key until the one that carries it on has begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from junctor import Flow, Target, Workflow, handler, signal
from junctor.core.run import RunStatus
from junctor.errors import RequestFailed, RunExists
from junctor.messages import Status
from junctor.node.runs import RunEnded
from junctor.testing import RunningFlow, running
from junctor.transports.base import Query
from tests.integration.workflows.histories import runs
from tests.integration.workflows.shop import Approval, Order, Receipt
from tests.integration.workflows.test_operating import ask

TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


class Rivalled(Workflow):
    """Sends a begin with its own key just before it hands over: that is handled before the one that carries it on."""

    orders: Target[Order]
    approved: str = ""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        if order.steps == 1:
            await self.orders.send(Order(order.id, 9))
            self.continue_as_new(Order(order.id, 2))
        await self.wait(lambda: self.approved)
        return Receipt(f"{order.steps} {self.approved}")

    @signal
    def approve(self, approval: Approval) -> None:
        self.approved = approval.by


class Broken(Rivalled):
    """The one that carries on fails in its first turn."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        if order.steps == 1:
            self.continue_as_new(Order(order.id, 2))
        raise TypeError("a mistake")


def flow(kind: type[Workflow]) -> Flow:
    return Flow("shop").add(kind, name="orders", connect={"orders": "orders"}, retry={"attempts": 1})


async def asked(plant: RunningFlow) -> asyncio.Task[Receipt]:
    target = plant.node.target("orders", Order, Receipt)

    async def wait() -> Receipt:
        reply: Receipt = await target.request(Order(7), timeout="300d")
        return reply

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


def statuses(plant: RunningFlow) -> list[RunStatus]:
    return [run.status for run in runs(plant)]


@TRANSPORTS
async def test_a_begin_in_between_is_refused_as_by_an_open_run(tmp_path: Path, durable: bool) -> None:
    async with running(flow(Rivalled), store=tmp_path / "store" if durable else None) as plant:
        with plant.expect_parked(RunExists, match="is called '7'"):
            task = await asked(plant)
            await plant.idle()
        assert statuses(plant) == [RunStatus.CONTINUED, RunStatus.OPEN]
        await plant.send("orders", Approval("me"), key="7")
        await plant.idle()
        assert await task == Receipt("2 me")
        assert plant.node.archive.search(Query(statuses=(Status.BEGUN,))) == []


@TRANSPORTS
async def test_the_key_is_held_while_the_other_one_fails_to_begin(tmp_path: Path, durable: bool) -> None:
    async with running(flow(Broken), store=tmp_path / "store" if durable else None) as plant:
        with plant.expect_parked("TypeError"):
            task = await asked(plant)
            await plant.idle()
        assert statuses(plant) == [RunStatus.CONTINUING]
        with pytest.raises(RunEnded, match="may be parked"):
            await ask(plant, "run-retry", which="7")
        with plant.expect_parked(RunExists):
            await plant.send("orders", Order(7))
        if not durable:
            await ask(plant, "run-cancel", which="7", now=True)
            with pytest.raises(RequestFailed, match="ended at once"):
                await task
            [parked] = [one for one in plant.parked if one.error.startswith("TypeError")]
            await plant.resend(parked)
            await plant.idle()
            assert statuses(plant) == [RunStatus.CANCELLED], "nothing carries on what was ended"
            return
        task.cancel()
    async with running(flow(Rivalled), store=tmp_path / "store") as plant:
        [parked] = [
            one for one in plant.node.archive.search(Query(statuses=(Status.PARKED,))) if b"2" in one.message.payload
        ]
        await ask(plant, "resend", messages=[str(parked.message.seq)])
        await plant.idle()
        assert statuses(plant) == [RunStatus.CONTINUED, RunStatus.OPEN]


async def test_signals_by_the_number_of_the_first_reach_the_last(tmp_path: Path) -> None:
    async with running(flow(Rivalled)) as plant:
        with plant.expect_parked(RunExists):
            task = await asked(plant)
            await plant.idle()
        first = runs(plant)[0].seq
        await plant.send("orders", Approval("me"), key=f"{plant.node.engine.dispatcher.node}-{first}")
        await plant.idle()
        assert await task == Receipt("2 me")
