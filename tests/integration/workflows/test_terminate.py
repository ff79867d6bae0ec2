"""A run is ended at once: its code is not asked, whoever waits for it is told, and what comes for it is late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Conversation, Flow, Service, Target, Workflow, WorkflowCancelled, handler
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import JunctorError, RequestFailed
from junctor.flows import wire
from junctor.flows.replaying import replayed
from junctor.messages import Status
from junctor.node.runs import RunEnded
from junctor.node.views.runs import RunHistory, RunView
from junctor.testing import RunningFlow, running
from junctor.transports.base import Query
from tests.integration.workflows.histories import runs
from tests.integration.workflows.shop import Approval, Bank, Order, Ordering, Paid, Pay, Receipt, shop
from tests.integration.workflows.test_damage import harm
from tests.integration.workflows.test_operating import Changed, ask

TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


class Deaf(Workflow):
    """Swallows its cancellation, and waits for a bank that takes its time."""

    bank: Target[Pay, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        paid = self.bank.request(Pay(order.id))
        while True:
            try:
                return Receipt((await paid).text)
            except WorkflowCancelled:
                self.log.info("heard and forgotten")


class SlowBank(Service):
    @handler
    async def pay(self, pay: Pay) -> Paid:
        await asyncio.sleep(0)
        await self.sleep("1h")
        return Paid("late")


class Asking(Workflow):
    """Asks the other one, and keeps what it was told."""

    orders: Target[Order, Receipt]

    @handler(key="text")
    async def run(self, paid: Paid) -> Receipt:
        try:
            return await self.orders.request(Order(7))
        except RequestFailed as error:
            return Receipt(f"{error.error_type}: {error}")


def deaf() -> Flow:
    return Flow("shop").add(SlowBank, name="bank").add(Deaf, name="orders").add(Asking, name="asking")


def by_service(plant: RunningFlow) -> dict[str, RunStatus]:
    return {run.service.partition("/")[2]: run.status for run in runs(plant)}


async def terminate(plant: RunningFlow, which: str = "7") -> RunView:
    view: RunView = await ask(plant, "run-cancel", which=which, reason="it hangs", now=True)
    await plant.idle()
    return view


@TRANSPORTS
async def test_a_run_that_swallows_its_cancellation(tmp_path: Path, durable: bool) -> None:
    async with running(deaf(), store=tmp_path / "store" if durable else None) as plant:
        await plant.send("asking", Paid("x"))
        await plant.idle()
        await ask(plant, "run-cancel", which="7")
        await plant.idle()
        assert by_service(plant) == {"orders": RunStatus.OPEN, "asking": RunStatus.OPEN}
        view = await terminate(plant)
        assert (view.status, view.error) == ("cancelled", "WorkflowCancelled: ended at once by ada: it hangs")
        assert by_service(plant) == {"orders": RunStatus.CANCELLED, "asking": RunStatus.DONE}
        told: RunHistory = await ask(plant, "run", which="x")
        assert "WorkflowCancelled" in told.reply["text"] and "ended at once by ada: it hangs" in told.reply["text"]
        assert [one.status for one in plant.node.archive.search(Query(statuses=(Status.BEGUN,)))] == []
        with pytest.raises(RunEnded, match="ended: cancelled"):
            await terminate(plant)
        await plant.send("orders", Order(7))  # the key is free
        await plant.idle()
        await plant.advance("2h")
        assert any("a reply came late for run" in log.text for log in plant.logs)
        assert [run.status.name for run in runs(plant)].count("DONE") == 2
        shown: RunHistory = await ask(plant, "run", which=view.id)
        assert [turn.came for turn in shown.turns] == ["begin", "cancel", "terminate"]
        archive = plant.node.archive
        verdicts = replayed([wire(deaf())], [(run, archive.turns(run.seq)) for run in archive.runs(RunQuery())])
        assert [one.result for one in verdicts] == ["ok", "ok", "ok"]


async def test_a_suspended_one_and_a_client_that_waits(tmp_path: Path) -> None:
    async with running(shop(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        await plant.advance("25h")
    async with running(shop(Changed), store=tmp_path / "store") as plant:
        with plant.expect_parked(JunctorError):
            await plant.send("orders", Approval("me"), key="7")
            await plant.idle()
        assert by_service(plant) == {"orders": RunStatus.SUSPENDED}
        await terminate(plant)
        assert by_service(plant) == {"orders": RunStatus.CANCELLED}
        assert queued(plant, "orders") == 0, "no timer waits any more"
        assert [one for one in await plant.node.alerting.open() if one.kind == "suspended"] == []
        waits = plant.node.target("orders", Order, Receipt).request(Order(8), timeout="300d")
        task = asyncio.ensure_future(_sent(waits))
        await plant.idle()
        await terminate(plant, "8")
        with pytest.raises(RequestFailed, match="it hangs"):
            await task


def queued(plant: RunningFlow, service: str) -> int:
    return plant.node.engine.hosts[f"shop/{service}"].depth.count


async def _sent(pending: Any) -> Any:
    return await pending


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE run SET asker = 'shop/bank 1 1' WHERE seq = ?",
        "UPDATE run SET turns = 1 WHERE seq = ?",
        "DELETE FROM turn WHERE run = ? AND number = 1",
    ],
)
async def test_a_damaged_one(tmp_path: Path, damage: str) -> None:
    async with running(shop(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
        (run,) = runs(plant)
        harm(tmp_path / "store", damage, run.seq)
        await plant.restart()
        await terminate(plant, str(run.seq))
        await plant.restart()
        (run,) = runs(plant)
        assert (run.status, run.damaged) == (RunStatus.CANCELLED, False)
        await plant.advance("5d")  # its timer rings for nobody, and nothing is parked
        await plant.send("orders", Order(7))
        await plant.idle()
        assert sorted(run.status.name for run in runs(plant)) == ["CANCELLED", "OPEN"]


GATE: list[asyncio.Event] = []


@TRANSPORTS
async def test_a_turn_that_is_under_way_has_no_effect(tmp_path: Path, durable: bool) -> None:
    GATE[:] = [asyncio.Event()]
    flow = Flow("shop").add(Bank, name="bank").add(Waking, name="orders")
    async with running(flow, store=tmp_path / "store" if durable else None) as plant:
        await plant.send("orders", Order(7))
        await plant.send("orders", Approval("me"), key="7")
        await asyncio.sleep(0.05)  # the signal is in its block
        assert [run.turns for run in runs(plant)] == [1]
        await ask(plant, "run-cancel", which="7", now=True)
        with plant.expect_parked("UnknownRun", match="has ended: cancelled"):
            GATE[0].set()
            await plant.idle()
        assert [(run.status, run.turns) for run in runs(plant)] == [(RunStatus.CANCELLED, 2)]
        assert plant.state("bank") == {}


class Waking(Ordering):
    """Works for a while when it is approved."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.wait(lambda: self.approved)
        await self.once(GATE[0].wait)
        await self.bank.request(Pay(order.id))
        return Receipt("done")


async def test_one_whose_service_is_gone(tmp_path: Path) -> None:
    async with running(shop(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
    async with running(Flow("shop").add(Bank, name="bank"), store=tmp_path / "store") as plant:
        await terminate(plant)
        assert by_service(plant) == {"orders": RunStatus.CANCELLED}


@dataclass(frozen=True)
class Ordered:
    number: int


class Delivery(Conversation):
    """Answers when the bank has answered."""

    bank: Target[Pay, Paid]

    @handler(key="number")
    def on_ordered(self, ordered: Ordered) -> str:
        self.bank.ask(Pay(ordered.number), timeout="300d")
        self.timer("300d", name="never")


@TRANSPORTS
async def test_a_conversation_with_two_that_wait_for_it(tmp_path: Path, durable: bool) -> None:
    flow = Flow("shop").add(SlowBank, name="bank").add(Delivery, name="delivery")
    async with running(flow, store=tmp_path / "store" if durable else None) as plant:
        target = plant.node.target("delivery", Ordered, str)
        tasks = [asyncio.ensure_future(_sent(target.request(Ordered(7), timeout="300d"))) for _ in range(2)]
        await plant.idle()
        view = await terminate(plant)
        assert (view.status, view.error) == ("cancelled", "ConversationCancelled: ended at once by ada: it hangs")
        for task in tasks:
            with pytest.raises(RequestFailed, match="ended at once by ada"):
                await task
        assert queued(plant, "delivery") == 0
        await plant.advance("1h")
        assert any("came late for conversation" in log.text for log in plant.logs)
        shown: RunHistory = await ask(plant, "run", which=view.id)
        assert shown.turns[-1].data == {"terminated": "ended at once by ada: it hangs"}
