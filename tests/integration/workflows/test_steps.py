"""What a workflow awaits, alone and together: in the same order each time, whatever the order in which it came."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from junctor import Flow, Service, Target, Workflow, handler, query, signal
from junctor.core.run import RunStatus
from junctor.errors import NotDurable, NotRunning, RequestFailed
from junctor.testing import running
from tests.integration.workflows.histories import history, replay, runs
from tests.integration.workflows.shop import Approval, Order, Ordering, Paid, Pay, Receipt, Refund, shop


class Base(Workflow):
    bank: Target[Pay | Refund, Paid]

    async def pay(self, order: Order, step: int) -> str:
        """Two requests, one after the other."""
        first = await self.bank.request(Pay(order.id, step))
        second = await self.bank.request(Pay(order.id, step + 100))
        return f"{first.text} {second.text}"


class Together(Base):
    @handler
    async def run(self, order: Order) -> Receipt:
        one, pause = self.bank.request(Pay(order.id)), self.sleep("1h")
        results = await self.gather(one, self.pay(order, 2), pause, self.pay(order, 3))
        return Receipt(repr(results))


class Fails(Base):
    @handler
    async def run(self, order: Order) -> Receipt:
        try:
            await self.gather(self.sleep("30d"), self.bank.request(Pay(-1)), self.long(order))
        except RequestFailed as error:
            await self.sleep("1m")
            return Receipt(error.error_type)
        return Receipt("fine")

    async def long(self, order: Order) -> None:
        try:
            await self.sleep("1d")
        finally:
            self.bank.send(Refund(order.id))


class First(Base):
    answered: str = ""

    @handler
    async def run(self, order: Order) -> Receipt:
        late = self.sleep("2d")
        answer = self.wait(lambda: self.answered)
        won = await self.first(answer, late, self.pay(order, 1) if order.steps == 2 else self.sleep("9d"))
        return Receipt("late" if won is late else "answered" if won is answer else won.result())

    @signal
    def answer(self, approval: Approval) -> None:
        self.answered = approval.by


async def reply_of(cls: type[Workflow], order: Order, hours: int = 0) -> str:
    async with running(shop(cls)) as plant:
        if cls is Fails:
            with plant.expect_parked(ValueError):
                reply = await plant.request("orders", order, within=f"{hours}h", timeout="99d")
        else:
            reply = await plant.request("orders", order, within=f"{hours}h", timeout="99d")
        again = await replay(cls, history(plant, runs(plant)[0]))
        assert isinstance(again, cls)
        return str(reply.text)


async def test_steps_and_coroutines_go_on_together() -> None:
    assert await reply_of(Together, Order(7), 1) == "[Paid(text='7.1'), '7.2 7.102', None, '7.3 7.103']"


async def test_the_first_error_of_several_ends_the_others() -> None:
    assert await reply_of(Fails, Order(7), 1) == "ValueError"


async def test_the_first_of_several() -> None:
    assert await reply_of(First, Order(7, 2)) == "7.1 7.101"
    assert await reply_of(First, Order(7), 48) == "late"


class Draws(Workflow):
    """All that would be another value each time."""

    drawn: list[Any]

    @handler
    async def run(self, order: Order) -> None:
        self.drawn = [self.uuid(), self.random.randint(1, 10**9), self.now(), self.run_id]
        await self.sleep("1d")
        self.drawn += [self.uuid(), self.random.random(), self.now()]
        await self.sleep("1d")

    @query
    def told(self) -> list[str]:
        return [str(one) for one in self.drawn]


async def test_what_is_drawn_is_the_same_at_a_replay(tmp_path: Path) -> None:
    async with running(shop_without_bank(Draws), store=tmp_path / "store") as plant:
        receipt = await plant.send("orders", Order(7))
        await plant.advance("1d")
        before = await plant.call("orders", "told", run=receipt.id)
        await plant.restart()
        assert await plant.call("orders", "told", run=receipt.id) == before
        assert UUID(before[0]).version == 4
        assert before[0] != before[4]
        assert datetime.fromisoformat(before[6]) > datetime.fromisoformat(before[2])
        assert before[3] == receipt.id


def shop_without_bank(cls: type[Workflow]) -> Flow:
    flow = Flow("shop")
    flow.add(cls, name="orders")
    return flow


class Sleeps(Workflow):
    @handler
    async def run(self, order: Order) -> None:
        await asyncio.sleep(0.01)


class Gathers(Workflow):
    @handler
    async def run(self, order: Order) -> None:
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


class Threads(Workflow):
    bank: Target[Pay | Refund, Paid]

    @handler
    async def run(self, order: Order) -> None:
        await self.once(lambda: self.sleep("1d"))


class Messages(Workflow):
    @handler
    async def run(self, order: Order) -> None:
        self.log.info("%s", self.message)


@pytest.mark.parametrize("cls", [Sleeps, Gathers, Messages])
async def test_what_no_history_holds_is_refused_with_its_line(cls: type[Workflow]) -> None:
    async with running(shop_without_bank(cls)) as plant:
        with plant.expect_parked(NotDurable) as parked:
            await plant.send("orders", Order(7))
        (one,) = parked.messages
        assert cls is Messages or "test_steps.py:" in one.error
        assert runs(plant) == []


async def test_a_block_does_nothing_durable() -> None:
    async with running(shop(Threads)) as plant:
        with plant.expect_parked(NotDurable, match="sleep of a workflow is called in a block of once"):
            await plant.send("orders", Order(7))


class Curious(Ordering):
    @query
    def spoil(self) -> str:
        self.stage = "spoilt"
        return self.stage

    @query
    def asks(self) -> str:
        self.bank.send(Refund(1))
        return ""


async def test_a_query_changes_nothing() -> None:
    async with running(shop(Curious)) as plant:
        await plant.send("orders", Order(7))
        with pytest.raises(NotDurable, match="the query changed stage"):
            await plant.call("orders", "spoil", run="7")
        with pytest.raises(NotDurable, match="called in a query"):
            await plant.call("orders", "asks", run="7")
        assert await plant.call("orders", "status", run="7") == "paid"


def test_without_a_node_there_is_nothing_durable() -> None:
    with pytest.raises(NotRunning, match="testing"):
        Ordering().sleep("1d")


class Jitter(Service):
    """Answers after a time of its own, so that replies come in any order."""

    @handler
    async def pay(self, pay: Pay) -> Paid:
        await self.sleep(random.Random(pay.id * 1000 + pay.step).choice((5, 10, 15)))
        return Paid(f"{pay.id}.{pay.step}")

    @handler
    async def refund(self, refund: Refund) -> Paid:
        return Paid("back")


class Many(Base):
    """Keeps what it gets in attributes."""

    got: list[str]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        self.got = []
        for step in range(3):
            paid = await self.bank.request(Pay(order.id, step))
            self.got.append(paid.text)
            await self.sleep(self.random.choice((5, 10)))
        both = await self.gather(self.pay(order, 10), self.pay(order, 20))
        return Receipt(" ".join([*self.got, *both]))


async def test_two_hundred_runs_at_once_never_mix(tmp_path: Path) -> None:
    flow = Flow("shop")
    flow.add(Jitter, name="bank", pool=64)
    flow.add(Many, name="orders", pool=16)
    async with running(flow) as plant:
        target = plant.node.target("orders", Order, Receipt)

        async def ask(number: int) -> Receipt:
            reply: Receipt = await target.request(Order(number), timeout="9d")
            return reply

        asked = [asyncio.create_task(ask(number)) for number in range(200)]
        await plant.advance("1h")
        for number, task in enumerate(asked):
            steps = [*(f"{number}.{step}" for step in (0, 1, 2, 10, 110, 20, 120))]
            assert task.result() == Receipt(" ".join(steps))
        assert {run.status for run in runs(plant)} == {RunStatus.DONE}


class Month(Workflow):
    @handler
    async def run(self, order: Order) -> Receipt:
        for _ in range(30):
            await self.sleep("1d")
        return Receipt("a month")


async def test_a_month_passes_in_no_time() -> None:
    async with running(shop_without_bank(Month)) as plant:
        assert await plant.request("orders", Order(7), within="31d", timeout="99d") == Receipt("a month")
        (run,) = runs(plant)
        assert (run.turns, run.status) == (31, RunStatus.DONE)
