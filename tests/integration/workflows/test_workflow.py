"""A workflow from its begin to its end, over time, restarts and signals, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from junctor.core.history import Entry, Input, write_entry
from junctor.core.run import RunStatus, RunWrite
from junctor.testing import RunningFlow, running
from tests.integration.workflows.histories import runs
from tests.integration.workflows.shop import Approval, Order, Ordering, Receipt, shop


async def ask(plant: RunningFlow, order: Order) -> Receipt:
    target = plant.node.target("orders", Order, Receipt)
    reply: Receipt = await target.request(order, timeout="30d")
    return reply


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_an_order_is_approved_after_a_day(tmp_path: Path, durable: bool) -> None:
    async with running(shop(), store=tmp_path / "store" if durable else None) as plant:
        asked = asyncio.create_task(ask(plant, Order(7)))
        await plant.idle()
        assert await plant.call("orders", "status", run="7") == "paid"
        await plant.advance("25h")
        assert await plant.call("orders", "status", run="7") == "slept"
        await plant.send("orders", Approval("me"), key="7")
        assert await asked == Receipt("7.1 approved by me")
        assert [(run.status, run.turns, run.key) for run in runs(plant)] == [(RunStatus.DONE, 4, "7")]


async def test_a_signal_before_the_wait_counts(tmp_path: Path) -> None:
    async with running(shop()) as plant:
        receipt = await plant.send("orders", Order(7))
        await plant.send("orders", Approval("early"), key=receipt.id)
        await plant.advance("1d")
        assert [run.status for run in runs(plant)] == [RunStatus.DONE]


async def test_without_approval_the_money_goes_back_after_four_days() -> None:
    async with running(shop()) as plant:
        await plant.send("orders", Order(7))
        await plant.advance("4d")
        assert plant.state("bank") == {"7.1": 1, "refund.7": 1}
        assert [run.status for run in runs(plant)] == [RunStatus.DONE]


async def test_a_run_goes_on_where_it_was_when_it_is_killed_at_every_step(tmp_path: Path) -> None:
    async with running(shop(), store=tmp_path / "store") as plant:
        await plant.send("orders", Order(7))
        await plant.restart()
        assert await plant.call("orders", "status", run="7") == "paid"
        await plant.advance("1d")
        await plant.restart()
        await plant.send("orders", Approval("me"), key="7")
        await plant.restart()
        (run,) = runs(plant)
        assert (run.status, run.turns) == (RunStatus.DONE, 4)
        assert plant.state("bank") == {"7.1": 1}
        assert [log.text for log in plant.logs if log.text.startswith("paid")] == ["paid 7"]
        record = plant.node.archive.record(run.seq)
        assert record is not None and record.reply is not None
        assert b"approved by me" in bytes(record.reply.payload)


async def test_timers_that_were_due_while_the_node_was_down_come_at_once_and_in_their_order(tmp_path: Path) -> None:
    store, start = tmp_path / "store", datetime(2030, 1, 1, tzinfo=UTC)
    async with running(shop(), store=store, start=start) as plant:
        await plant.send("orders", Order(7))
    async with running(shop(), store=store, start=start + timedelta(days=30)) as plant:
        assert await plant.call("orders", "status", run="7") == "slept"
        await plant.send("orders", Approval("in time"), key="7")  # the three days begin now
        assert [run.status for run in runs(plant)] == [RunStatus.DONE]
        assert plant.state("bank") == {"7.1": 1}


async def test_a_clock_that_was_set_back_ends_no_wait_early(tmp_path: Path) -> None:
    store, start = tmp_path / "store", datetime(2030, 1, 1, tzinfo=UTC)
    async with running(shop(), store=store, start=start) as plant:
        await plant.send("orders", Order(7))
    async with running(shop(), store=store, start=start - timedelta(days=2)) as plant:
        await plant.advance("2d")
        assert await plant.call("orders", "status", run="7") == "paid"
        await plant.advance("1d")
        assert await plant.call("orders", "status", run="7") == "slept"


async def test_what_another_owner_has_committed_is_seen() -> None:
    async with running(shop()) as plant:
        asked = asyncio.create_task(ask(plant, Order(7)))
        await plant.idle()
        (run,) = runs(plant)
        came = Input(came="signal", name="approve", type="Approval", body=msgspec.Raw(b'{"by":"another"}'))
        turn = write_entry(Entry(v=1, input=came))
        write = RunWrite(run.seq, run.service, run.turns, data=turn, time=run.changed + 1)
        await plant.node.engine.committed(runs=[write])
        await plant.advance("1d")
        assert await asked == Receipt("7.1 approved by another")


def test_the_class_itself_is_plain() -> None:
    assert Ordering().status() == "begun"
