"""How runs end, and what comes too late, twice or to the wrong run."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Park, Service, Target, Workflow, WorkflowCancelled, WorkflowFailed, handler, signal, subscribe
from junctor.core.records import Query
from junctor.core.run import CANCEL, RunStatus
from junctor.errors import (
    ConfigurationError,
    EffectFailed,
    HistoryTooLong,
    RequestFailed,
    RequestTimeout,
    RunExists,
    UnknownRun,
)
from junctor.messages import Kind, Status
from junctor.testing import RunningFlow, running
from tests.integration.workflows.histories import runs
from tests.integration.workflows.shop import Approval, Bank, Order, Ordering, Paid, Pay, Receipt, Refund, shop
from tests.integration.workflows.test_operating import ask as ask_node


async def ask(plant: RunningFlow, order: Order) -> asyncio.Task[Receipt]:
    """A request to the workflow that waits beside the test."""
    target = plant.node.target("orders", Order, Receipt)

    async def asked() -> Receipt:
        reply: Receipt = await target.request(order, timeout="300d")
        return reply

    task = asyncio.create_task(asked())
    await plant.idle()
    return task


async def cancel(plant: RunningFlow, key: str) -> None:
    await plant.driven(_sent(plant.node.target("orders", Any, handler=CANCEL).send(None, key=key)), 0)
    await plant.idle()


async def _sent(pending: Any) -> Any:
    return await pending


class Refusing(Workflow):
    """Ends by an error of its own choice."""

    bank: Target[Pay | Refund, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        if order.steps == 0:
            raise WorkflowFailed("nothing to pay")
        try:
            await self.bank.request(Pay(order.id))
        except RequestFailed as error:
            raise WorkflowFailed(f"bank: {error.error_type}") from error
        if order.steps == 2:
            raise Park("no second step")
        if order.steps == 3:
            await self.bank.request(Pay(-1))
        return Receipt("fine")


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (Order(1, 0), "WorkflowFailed: nothing to pay"),
        (Order(-1), "WorkflowFailed: bank: ValueError"),
        (Order(1, 2), "Park: no second step"),
        (Order(1, 3), "RequestFailed: request Pay to bank failed: ValueError: no money"),
    ],
)
async def test_a_declared_failure_ends_the_run_and_tells_who_asked(order: Order, error: str) -> None:
    async with running(shop(Refusing)) as plant:
        with plant.expect_parked(ValueError) if order.id < 0 or order.steps == 3 else nullcontext():
            asked = await ask(plant, order)
            await plant.advance("10m")
        with pytest.raises(RequestFailed) as caught:
            await asked
        assert caught.value.error_type == error.partition(":")[0]
        (run,) = runs(plant)
        assert (run.status, run.error) == (RunStatus.FAILED, error)
        record = plant.node.archive.record(run.seq)
        assert record is not None and record.status is Status.FAILED


class Buggy(Ordering):
    broken = True

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        if Buggy.broken:
            raise KeyError("a bug")
        return Receipt("fine")


async def test_a_bug_suspends_the_run_and_its_correction_lets_it_go_on() -> None:
    async with running(shop(Buggy)) as plant:
        Buggy.broken = True
        with plant.expect_parked(KeyError) as parked:
            asked = await ask(plant, Order(7))
            await plant.advance("10m")
        (run,) = runs(plant)
        assert (run.status, run.turns) == (RunStatus.SUSPENDED, 1)
        assert run.error == "KeyError: 'a bug'"
        Buggy.broken = False
        await plant.resend(parked.messages[0])
        assert await asked == Receipt("fine")
        assert plant.state("bank") == {"7.1": 1}


async def test_a_second_begin_with_the_key_of_an_open_run_is_refused() -> None:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        with plant.expect_parked(RunExists, match="run 1 is open and is called '7'"):
            asked = await ask(plant, Order(7))
        with pytest.raises(RequestFailed, match="run 1 is open"):
            await asked
        await plant.send("orders", Order(8))
        await plant.advance("4d")
        await plant.send("orders", Order(7))  # the first one is over
        assert [run.status.name for run in runs(plant)] == ["DONE", "DONE", "OPEN"]


async def test_signals_for_nobody_are_parked() -> None:
    async with running(shop()) as plant:
        receipt = await plant.send("orders", Order(7))
        with plant.expect_parked(UnknownRun, match="no run is called '8'"):
            await plant.send("orders", Approval("me"), key="8")
            await plant.advance("1m")
        with plant.expect_parked(UnknownRun, match="names no run"):
            await plant.send("orders", Approval("me"))
            await plant.advance("1m")
        await plant.advance("5d")
        with plant.expect_parked(UnknownRun, match="run 1 has ended: done"):
            await plant.send("orders", Approval("me"), key=receipt.id)
        with plant.expect_parked(UnknownRun):  # a number could be that of an order
            await plant.send("orders", Approval("me"), key="1")
            await plant.advance("1m")


class Undoing(Workflow):
    """Compensates when it is cancelled, in two steps."""

    bank: Target[Pay | Refund, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        try:
            await self.sleep("30d")
        except WorkflowCancelled:
            await self.bank.request(Refund(order.id))
            await self.sleep("1h")
            self.bank.send(Refund(order.id + 100))
            raise
        return Receipt("fine")


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_cancellation_undoes_what_was_done_also_when_it_is_interrupted(tmp_path: Path, durable: bool) -> None:
    async with running(shop(Undoing), store=tmp_path / "store" if durable else None) as plant:
        receipt = await plant.send("orders", Order(7))
        await cancel(plant, "7")
        if durable:
            await plant.restart()
        (run,) = runs(plant)
        assert run.status is RunStatus.OPEN
        await cancel(plant, "7")  # it is cancelled once
        if durable:
            await plant.restart()
        await plant.advance("1h")
        (run,) = runs(plant)
        assert run.status is RunStatus.CANCELLED
        assert plant.state("bank") == {"7.1": 1, "refund.7": 1, "refund.107": 1}
        await cancel(plant, receipt.id)
        await plant.advance("60d")
        assert len(runs(plant)) == 1


async def test_who_asked_a_cancelled_run_is_told() -> None:
    async with running(shop()) as plant:
        asked = await ask(plant, Order(7))
        await cancel(plant, "7")
        with pytest.raises(RequestFailed) as caught:
            await asked
        assert caught.value.error_type == "WorkflowCancelled"


class Impatient(Workflow):
    bank: Target[Pay | Refund, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        try:
            paid = await self.bank.request(Pay(order.id), timeout="1h")
        except RequestTimeout:
            await self.sleep("1d")
            return Receipt("too late")
        await self.sleep("1d")
        return Receipt(paid.text)


class SlowBank(Service):
    """Needs two hours."""

    @handler
    async def pay(self, pay: Pay) -> Paid:
        await self.sleep("2h")
        return Paid("late")

    @handler
    async def refund(self, refund: Refund) -> Paid:
        return Paid("back")


async def test_a_reply_after_its_timeout_changes_nothing() -> None:
    async with running(shop(Impatient), replace={"bank": SlowBank()}) as plant:
        asked = await ask(plant, Order(7))
        await plant.advance("90m")
        assert [run.turns for run in runs(plant)] == [2]
        await plant.advance("1h")  # the reply comes
        assert [run.turns for run in runs(plant)] == [2]
        await plant.advance("1d")
        assert await asked == Receipt("too late")


async def test_a_reply_that_comes_twice_counts_once_and_after_the_end_never() -> None:
    async with running(shop(Impatient)) as plant:
        asked = await ask(plant, Order(7))
        (reply,) = [r.message for r in plant.node.archive.search(Query()) if r.message.kind is Kind.REPLY]
        await plant.resend(reply, again=True)
        assert [run.turns for run in runs(plant)] == [2]
        await plant.advance("1d")  # the timer of the request comes too
        assert await asked == Receipt("7.1")
        await plant.resend(reply, again=True)
        assert [(run.turns, run.status) for run in runs(plant)] == [(3, RunStatus.DONE)]


class Effects(Workflow):
    """Calls another system, which may fail."""

    calls: list[str] = []
    fails: int = 0

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        try:
            number = await self.once(lambda: self.charge(order))
        except EffectFailed as error:
            return Receipt(f"{error.error_type}: {error.what}")
        paid = await self.once(self.paid)
        await self.sleep("1d")
        return Receipt(f"{number} {paid.text}")

    def charge(self, order: Order) -> int:
        Effects.calls.append(self.effect)
        if order.id < 0:
            raise ValueError("no money")
        return order.id * 2

    async def paid(self) -> Paid:
        return Paid("async")


async def test_a_block_is_done_once_and_its_result_is_kept(tmp_path: Path) -> None:
    Effects.calls.clear()
    async with running(shop(Effects), store=tmp_path / "store") as plant:
        receipt = await plant.send("orders", Order(7))
        await plant.restart()
        await plant.advance("1d")
        (run,) = runs(plant)
        record = plant.node.archive.record(run.seq)
        assert record is not None and record.reply is not None and b"14 async" in bytes(record.reply.payload)
        assert Effects.calls == [f"{receipt.id}/1"]
        assert await plant.request("orders", Order(-1)) == Receipt("ValueError: no money")


class Counting(Workflow):
    """Counts to five in five runs."""

    bank: Target[Pay | Refund, Paid]
    seen: int = 0

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id, order.steps))
        if order.steps < 5:
            self.continue_as_new(Order(order.id, order.steps + 1))
        await self.wait(lambda: self.seen)
        return Receipt(f"{order.steps} steps, run {self.key}")

    @signal
    def see(self, approval: Approval) -> None:
        self.seen += 1


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_a_run_that_continues_as_new_keeps_its_key_and_who_asked(tmp_path: Path, durable: bool) -> None:
    async with running(shop(Counting), store=tmp_path / "store" if durable else None) as plant:
        asked = await ask(plant, Order(7))
        assert [run.status.name for run in runs(plant)] == ["CONTINUED"] * 4 + ["OPEN"]
        assert plant.state("bank") == {f"7.{step}": 1 for step in range(1, 6)}
        await plant.send("orders", Approval("me"), key="7")
        assert await asked == Receipt("5 steps, run 7")
        statuses = {run.seq: plant.node.archive.record(run.seq) for run in runs(plant)}
        assert {record.status for record in statuses.values() if record is not None} == {Status.DONE}


class Sleeping(Undoing):
    """The same with another call."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.sleep("1h")
        return Receipt("")


async def test_a_suspended_run_can_be_cancelled_as_it_is(tmp_path: Path) -> None:
    async with running(shop(Undoing), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
    async with running(shop(Sleeping), store=tmp_path / "store") as plant:
        await plant.advance("30d")
        assert [run.status for run in runs(plant)] == [RunStatus.SUSPENDED]
        await cancel(plant, "7")
        (run,) = runs(plant)
        assert (run.status, run.turns) == (RunStatus.CANCELLED, 2)
        assert plant.state("bank") == {"7.1": 1}
        record = plant.node.archive.record(run.seq)
        assert record is not None and record.status is Status.FAILED


class Parent(Workflow):
    """Has its order done by another workflow."""

    child: Target[Order, Receipt]
    notes: Target[Refund]

    @handler
    async def run(self, pay: Pay) -> Receipt:
        self.publish(Approval("everybody"))
        await self.notes.send(Refund(pay.id))
        try:
            receipt = await self.child.request(Order(pay.id))
        except RequestFailed as error:
            return Receipt(error.error_type)
        return Receipt(f"child: {receipt.text}")


class Listener(Service):
    @subscribe
    async def on_approval(self, approval: Approval) -> None:
        self.state["heard"] = self.state.get("heard", 0) + 1


def family() -> Flow:
    flow = shop()
    flow.add(Parent, name="parent", connect={"child": "orders", "notes": "bank"})
    flow.add(Listener, name="listener")
    return flow


async def test_a_workflow_asks_another_one(tmp_path: Path) -> None:
    async with running(family(), store=tmp_path / "store") as plant:
        await plant.send("parent", Pay(7))
        await plant.restart()
        await plant.advance("1d")
        await plant.restart()
        await plant.send("orders", Approval("me"), key="7")
        parent, child = runs(plant)
        assert (parent.status, child.status) == (RunStatus.DONE, RunStatus.DONE)
        record = plant.node.archive.record(parent.seq)
        assert record is not None
        assert plant.state("bank") == {"7.1": 1, "refund.7": 1}
        assert plant.state("listener") == {"heard": 1}
        assert len({run.session for run in runs(plant)}) == 1


async def test_a_child_that_is_cancelled_is_a_failed_request_of_its_parent() -> None:
    async with running(family()) as plant:
        await plant.send("parent", Pay(7))
        await cancel(plant, "7")
        parent, child = runs(plant)
        assert (parent.status, child.status) == (RunStatus.DONE, RunStatus.CANCELLED)


async def test_a_workflow_stays_in_the_node() -> None:
    flow = Flow("shop")
    flow.add(Bank, name="bank")
    flow.add(Ordering, name="orders", loop="own")
    with pytest.raises(ConfigurationError, match="driven by the node itself"):
        async with running(flow):
            pass


async def test_a_delivery_that_never_gets_to_the_code_suspends_the_run_too() -> None:
    async with running(shop()) as plant:
        plant.fail("orders.junctor-woken", Park("unreadable"))
        await plant.send("orders", Order(7))
        with plant.expect_parked(Park) as parked:
            await plant.advance("1d")
        (run,) = runs(plant)
        assert (run.status, run.error) == (RunStatus.SUSPENDED, "Park: unreadable")
        await plant.resend(parked.messages[-1])
        assert [run.status for run in runs(plant)] == [RunStatus.OPEN]


class Endless(Workflow):
    """One turn that never ends."""

    @handler
    async def run(self, order: Order) -> Receipt:
        while True:
            await self.once(lambda: None)


async def test_a_turn_without_end_is_parked_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("junctor.services.workflow.driver.MAX_STEPS", 100)
    async with running(Flow("shop").add(Endless, name="endless")) as plant:
        with plant.expect_parked(HistoryTooLong, match="100 calls in one turn"):
            await plant.send("endless", Order(1))
            await plant.idle()


class Sleepy(Workflow):
    """Takes a turn for each order of its kind."""

    bank: Target[Pay, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        for step in range(order.steps):
            await self.bank.request(Pay(order.id, step))
        return Receipt("slept")


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_run_that_never_ends_is_suspended_before_a_replay_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, restarted: bool
) -> None:
    monkeypatch.setattr("junctor.services.workflow.director.MAX_TURNS", 20)
    monkeypatch.setattr("junctor.services.workflow.director.LONG", 10)
    flow = Flow("shop").add(Bank, name="bank").add(Sleepy, name="orders")
    async with running(flow, store=tmp_path / "store") as plant:
        await plant.send("orders", Order(1, 19))
        await plant.idle()
        assert [(run.status, run.turns) for run in runs(plant)] == [(RunStatus.DONE, 20)], "so many are well"
        with plant.expect_parked(HistoryTooLong, match="run .* has 20 turns"):
            await plant.send("orders", Order(2, 21))
            await plant.idle()
        told = [log.text for log in plant.logs if "has 10 turns; self.continue_as_new" in log.text]
        assert len(told) == 2, "each once"
        if restarted:
            await plant.restart()
        assert [(run.status, run.turns) for run in runs(plant)][1] == (RunStatus.SUSPENDED, 20)
        await ask_node(plant, "run-cancel", which="2", now=True)
        assert runs(plant)[1].status is RunStatus.CANCELLED
