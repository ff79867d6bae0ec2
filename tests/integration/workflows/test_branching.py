"""A new run from a step of an old one: what it keeps, what is done again, and where no history can be cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import Target, Workflow, handler, signal
from junctor.core.run import RunQuery
from junctor.errors import StateConflict
from junctor.flows import wire
from junctor.flows.replaying import replayed
from junctor.node.branching import CannotBranch
from junctor.node.control.operations import perform
from junctor.node.runs import RunEnded
from junctor.node.views.runs import Retried
from junctor.testing import RunningFlow, running
from tests.integration.workflows.shop import Approval, Order, Paid, Pay, Receipt, Refund, shop


class Long(Workflow):
    bank: Target[Pay | Refund, Paid]

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        first = await self.bank.request(Pay(order.id, 1))
        await self.sleep("1h")
        second = await self.bank.request(Pay(order.id, 2), timeout="2h")
        both = await self.gather(self.bank.request(Pay(order.id, 3)), self.bank.request(Pay(order.id, 4)))
        return Receipt(" ".join(each.text for each in (first, second, *both)))


class Asked(Workflow):
    bank: Target[Pay | Refund, Paid]
    approved: str = ""

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        await self.wait(lambda: self.approved, timeout="1h")
        paid = await self.bank.request(Pay(order.id))
        return Receipt(f"{paid.text} {self.approved}")

    @signal
    def approve(self, approval: Approval) -> None:
        self.approved = approval.by


async def anew(plant: RunningFlow, which: str, step: int) -> Retried:
    raw = {"which": msgspec.Raw(msgspec.json.encode(which)), "from_step": msgspec.Raw(str(step).encode())}
    done: Retried = await perform(plant.node, "run-retry", raw, who="ada")
    return done


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_a_run_goes_on_from_each_of_its_steps(tmp_path: Path, durable: bool) -> None:
    flow: Any = shop(Long)
    async with running(flow, store=tmp_path / "s" if durable else None) as plant:
        await plant.send("orders", Order(7))
        await plant.advance("2h")
        [old] = plant.node.archive.runs(RunQuery())
        for step, again in ((2, (2, 3, 4)), (3, (2, 3, 4)), (4, (3, 4)), (5, (3, 4))):
            before = plant.state("bank")
            done = await anew(plant, str(old.seq) if not durable else "7", step)
            await plant.advance("2h")
            after = plant.state("bank")
            assert [n for n in (1, 2, 3, 4) if after[f"7.{n}"] > before[f"7.{n}"]] == list(again), step
            run, record = plant.node.archive.run(done.run.seq), plant.node.archive.record(done.run.seq)
            assert run is not None and record is not None and record.reply is not None
            assert (run.status.name, record.status.name) == ("DONE", "DONE")
            assert record.reply.payload in (b'{"text":"7.1 7.2 7.3 7.4"}', Receipt("7.1 7.2 7.3 7.4"))
            assert [note.text for note in plant.node.archive.notes([run.seq])] == [
                f"begun from step {step} of run {done.of}"
            ]
        archive = plant.node.archive
        verdicts = replayed([wire(shop(Long))], [(one, archive.turns(one.seq)) for one in archive.runs(RunQuery())])
        assert {one.result for one in verdicts} == {"ok"}


async def test_where_no_new_run_can_begin() -> None:
    async with running(shop(Long)) as plant:
        await plant.send("orders", Order(7))
        await plant.idle()
        with pytest.raises(RunEnded, match="has not ended"):
            await anew(plant, "7", 2)
        await plant.advance("2h")
        with pytest.raises(CannotBranch, match="no step 9"):
            await anew(plant, "7", 9)
        with pytest.raises(CannotBranch, match="nothing of run 1 lies before step 1"):
            await anew(plant, "7", 1)
        await plant.send("orders", Order(7))
        await plant.idle()
        with pytest.raises(StateConflict):
            await anew(plant, "1", 3)
        assert len(plant.node.archive.runs(RunQuery())) == 2
        await plant.advance("2h")


async def test_a_turn_that_a_signal_made_is_made_again() -> None:
    flow: Any = shop(Asked)
    async with running(flow) as plant:
        await plant.send("orders", Order(7))
        await plant.send("orders", Approval("me"), key="7")
        done = await anew(plant, "7", 2)
        await plant.idle()
        record = plant.node.archive.record(done.run.seq)
        assert record is not None and record.reply is not None
        assert "7.1 me" in str(record.reply.payload)
        assert plant.state("bank") == {"7.1": 2}


async def test_the_new_run_takes_signals_of_its_own() -> None:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        await plant.advance("25h")
        await plant.advance("3d")  # no approval: the money goes back
        done = await anew(plant, "7", 3)
        await plant.idle()
        await plant.send("orders", Approval("late"), key=done.run.id)
        record = plant.node.archive.record(done.run.seq)
        assert record is not None and record.reply is not None
        assert "approved by late" in str(record.reply.payload)
