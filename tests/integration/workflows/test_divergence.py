"""Code that does not do what the history of a run says: found, named, and nothing goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import Target, Workflow, WorkflowFailed, handler, query, signal
from junctor.core.records import Query
from junctor.core.run import RunStatus, Turn
from junctor.errors import Divergence, StoreDamaged
from junctor.messages import Status
from junctor.testing import running
from tests.integration.workflows.histories import History, history, replay, runs
from tests.integration.workflows.shop import Approval, Order, Ordering, Paid, Pay, Receipt, Refund, shop


class Base(Workflow):
    bank: Target[Pay | Refund, Paid]
    approved: str = ""

    @signal
    def approve(self, approval: Approval) -> None:
        self.approved = approval.by

    @query
    def status(self) -> str:
        return self.approved


class Same(Base):
    """The same calls, written otherwise."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        step = self.bank.request(Pay(order.id))
        self.uuid(), self.now(), self.random.random()
        text = (await step).text
        await self.sleep(24 * 3600)
        await self.wait(lambda: bool(self.approved), timeout="72h")
        return Receipt(f"{text} approved by {self.approved}")


class Added(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.sleep("1m")
        await self.bank.request(Pay(order.id))
        return Receipt("")


class AddedLater(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        self.bank.send(Refund(order.id))
        await self.sleep("1d")
        return Receipt("")


class Removed(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        await self.wait(lambda: self.approved, timeout="3d")
        return Receipt("")


class Shorter(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        return Receipt("")


class Swapped(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.sleep("1d")
        await self.bank.request(Pay(order.id))
        return Receipt("")


class OtherBody(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id, 2))
        return Receipt("")


class OtherType(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Refund(order.id))
        return Receipt("")


class OtherTarget(Base):
    till: Target[Pay, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.till.request(Pay(order.id))
        return Receipt("")


class OtherTime(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        await self.sleep("2d")
        return Receipt("")


class Gives(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        raise WorkflowFailed("no more")


class Late(Base):
    """Waits in a helper, for one that never comes."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        await self.sleep("1d")
        step = self.wait(lambda: self.approved == "you", timeout="3d")
        return await self.last(step)

    async def last(self, step: Any) -> Receipt:
        await step
        return Receipt("")


class GoesOn(Base):
    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.bank.request(Pay(order.id))
        await self.sleep("1d")
        await self.wait(lambda: self.approved, timeout="3d")
        await self.sleep("1d")
        return Receipt("")


class Catches(Base):
    """Code that catches everything does not catch a divergence."""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        try:
            await self.sleep("1m")
        except BaseException:
            pass
        return Receipt("")


async def recorded() -> History:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        await plant.advance("1d")
        await plant.send("orders", Approval("me"), key="7")
        (run,) = runs(plant)
        assert run.status is RunStatus.DONE
        return history(plant, run)


async def test_the_same_code_follows_its_history() -> None:
    assert (await replay(Ordering, await recorded())).approved == "me"
    assert (await replay(Same, await recorded())).approved == "me"


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Added, "step 1: history has request Pay to bank, the code now makes sleep 1 min (test_divergence.py:"),
        (AddedLater, "step 2: history has sleep 1 d, the code now makes send Refund to bank (test_divergence.py:"),
        (Removed, "step 2: history has sleep 1 d, the code now makes wait within 3 d"),
        (Shorter, "step 2: history has sleep 1 d, the code now ends (test_divergence.py:"),
        (Gives, "step 2: history has sleep 1 d, the code now ends (test_divergence.py:"),
        (Late, "behind step 3: history has the end of the run, done, and the code now waits (test_divergence.py:"),
        (Swapped, "step 1: history has request Pay to bank, the code now makes sleep 1 d"),
        (
            OtherBody,
            "step 1: history has request Pay to bank, the code now makes request Pay to bank with another",
        ),
        (OtherType, "step 1: history has request Pay to bank, the code now makes request Refund to bank"),
        (OtherTarget, "step 1: history has request Pay to bank, the code now makes request Pay to till"),
        (OtherTime, "step 2: history has sleep 1 d, the code now makes sleep 2 d"),
        (GoesOn, "step 4: history has nothing more in this turn, the code now makes sleep 1 d"),
        (Catches, "step 1: history has request Pay to bank, the code now makes sleep 1 min"),
    ],
)
async def test_a_change_is_named_with_its_call(cls: type[Workflow], text: str) -> None:
    with pytest.raises(Divergence) as caught:
        await replay(cls, await recorded())
    assert text in str(caught.value)


async def test_a_damaged_turn_is_not_gone_by() -> None:
    run, turns = await recorded()
    for broken in (
        [*turns[:1], msgspec.structs.replace(turns[1], damaged=True), *turns[2:]],
        [*turns[:1], msgspec.structs.replace(turns[1], data=b"{"), *turns[2:]],
        [*turns[:1], Turn(2, 0, 0, b'{"v":9,"input":{"came":"cancel"}}'), *turns[2:]],
        list(turns[:-1]),
        list(turns[1:]),
        [],
    ):
        with pytest.raises(StoreDamaged):
            await replay(Ordering, (run, broken))


async def test_a_run_whose_code_has_changed_waits_for_an_operator(tmp_path: Path) -> None:
    store = tmp_path / "store"
    async with running(shop(), store=store) as plant:
        await plant.send("orders", Order(7))
    async with running(shop(OtherTime), store=store) as plant:
        await plant.advance("1d")
        with plant.expect_parked("RunSuspended") as held:
            await plant.send("orders", Approval("me"), key="7")
        (timer,) = plant.node.archive.search(Query(statuses=(Status.PARKED,), error="Divergence"))
        (run,) = runs(plant)
        assert (run.status, run.turns) == (RunStatus.SUSPENDED, 2)
        assert "step 2: history has sleep 1 d, the code now makes sleep 2 d" in run.error
        told = [(alert.kind, alert.text) for alert in plant.alerts if "Divergence" in alert.text]
        assert [kind for kind, _ in told] == ["run-suspended"], "once"
    async with running(shop(), store=store) as plant:
        await plant.resend(timer.message)
        (run,) = runs(plant)
        assert (run.status, run.turns, run.error) == (RunStatus.OPEN, 3, "")
        await plant.resend(held.messages[0])
        assert [run.status for run in runs(plant)] == [RunStatus.DONE]
