"""Many messages are sent again: growth, stop, rate, holds, full queues, two operators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from junctor.clock import VirtualClock
from junctor.errors import ServiceStopped, StoreFull
from junctor.messages import RESEND_OF, Status
from junctor.node.control.arguments import WrongArgument
from junctor.node.resend import ResendRunning
from junctor.node.views.search import NothingFound, UnknownFilter
from junctor.runtime.change import Change
from junctor.runtime.resendable import Resending
from junctor.transports.base import Commit, Record
from tests.integration.resend.shop import Order, Shop, open_shop


def orders(count: int, start: int = 0) -> list[Order]:
    return [Order(str(number), customer=f"c{number % 3}") for number in range(start, start + count)]


@pytest.fixture(params=["sqlite", "memory"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "store" if request.param == "sqlite" else None, order="skip") as shop:
        yield shop


def place_of(shop: Shop) -> str:
    [group] = [group for group in shop.node.archive.parked() if group.service == "shop/billing"]
    return group.fingerprint


def new_ones(shop: Shop) -> list[Record]:
    return [record for record in reversed(shop.all()) if RESEND_OF in record.message.headers]


async def test_a_group_of_300_goes_in_growing_batches(shop: Shop) -> None:
    seqs = await shop.parked(*orders(300))
    batches: dict[int, int] = {}
    view = await shop.ask("resend", group=place_of(shop)[:8])
    while view.state == "running":
        view = await shop.ask("resend-progress", job=view.job, seen=view.changes, wait=10)
        batches[view.batch] = view.sent
    assert (view.state, view.total, view.sent, view.handled, view.well) == ("done", 300, 300, 300, True)
    assert list(batches.values()) == [1, 6, 26, 126, 226, 300]
    assert [order for order, _ in shop.partner.done] == [str(number) for number in range(300)], "oldest first"
    assert {shop.record(seq).status for seq in seqs} == {Status.RESENT}
    assert len(new_ones(shop)) == 300 and not shop.node.archive.parked()


async def test_it_stops_where_the_cause_is_still_there(shop: Shop) -> None:
    seqs = await shop.parked(*orders(40))
    shop.partner.refused = {"*"}
    view = await shop.resend(filter={"service": "billing"})
    assert (view.state, view.sent, view.failed, view.well) == ("stopped", 1, 1, False)
    assert view.reason == "1 of 1 of the last batch failed, more than 20%"
    assert [shop.record(seq).status for seq in seqs].count(Status.PARKED) == 39
    assert view.results[0].error is not None and view.results[0].error.type == "Park"


async def test_it_stops_at_the_share_that_was_given(shop: Shop) -> None:
    await shop.parked(*orders(40))
    shop.partner.refused = {str(number) for number in range(3, 40, 2)}
    view = await shop.resend(filter={"service": "billing"}, stop_at=0.3)
    assert (view.batch, view.sent, view.failed) == (2, 6, 2)
    view = await shop.resend(filter={"service": "billing"}, stop_at=1.0)
    assert (view.state, view.reason) == ("done", "") and view.failed and not view.well


async def test_it_stops_when_the_service_is_held(shop: Shop) -> None:
    seqs = await shop.parked(*orders(10))
    shop.partner.away = True
    view = await shop.resend(filter={"service": "billing"})
    assert view.reason.startswith("shop/billing is held: Hold: the partner is away; 1 of those that were sent")
    assert [shop.record(seq).status for seq in seqs].count(Status.PARKED) == 9
    with pytest.raises(ServiceStopped, match=r"shop/billing is held.* Nothing was sent"):
        await shop.resend(seqs[-1])


async def test_a_paused_service_gets_nothing(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    await shop.ask("pause", service="billing", reason="night")
    with pytest.raises(ServiceStopped, match="shop/billing is paused"):
        await shop.resend(seq)
    await shop.ask("resume", service="billing")
    assert (await shop.resend(seq)).well


async def test_a_pause_ends_a_job(shop: Shop) -> None:
    await shop.parked(*orders(30))
    shop.partner.slow.clear()
    view = await shop.ask("resend", filter={"service": "billing"})
    await shop.until(lambda: len(new_ones(shop)) == 1)
    await shop.ask("pause", service="billing")
    view = await shop.ended(view)
    assert view.state == "stopped" and "shop/billing is paused" in view.reason
    shop.partner.slow.set()


async def test_a_job_is_stopped_by_an_operator(shop: Shop) -> None:
    seqs = await shop.parked(*orders(30))
    shop.partner.slow.clear()
    view = await shop.ask("resend", filter={"service": "billing"})
    [stopped] = await shop.ask("resend-stop", who="eve", service="billing")
    assert stopped.job == view.job and stopped.reason.startswith("stopped by eve")
    assert [shop.record(seq).status for seq in seqs].count(Status.PARKED) >= 29
    shop.partner.slow.set()
    assert await shop.ask("resend-stop") == []
    assert [job.state for job in await shop.ask("resend-jobs")] == ["stopped"]


async def test_one_job_a_service(shop: Shop) -> None:
    seqs = await shop.parked(*orders(30))
    shop.partner.slow.clear()
    view = await shop.ask("resend", filter={"service": "billing"})
    with pytest.raises(ResendRunning, match=r"shop/billing: job 1 of ada sends messages again.*--stop"):
        await shop.ask("resend", who="eve", messages=[str(seqs[-1])])
    shop.partner.slow.set()
    view = await shop.ended(view)
    assert view.well and len(shop.partner.done) == 30


async def test_two_operators_with_the_same_messages(shop: Shop) -> None:
    """Past the rule of one job: the second finds each message taken, or done."""
    seqs = await shop.parked(*orders(60))
    resends = shop.node.resends
    one = await shop.ask("resend", filter={"service": "billing"})
    resends.jobs[0].services = frozenset()
    two = await shop.ask("resend", who="eve", filter={"service": "billing"})
    one, two = await shop.ended(one), await shop.ended(two)
    assert one.sent + two.sent == 60 and one.well and two.well
    assert sorted(order for order, _ in shop.partner.done) == sorted(order.id for order in orders(60))
    assert len(new_ones(shop)) == 60 and {shop.record(seq).status for seq in seqs} == {Status.RESENT}


async def test_what_somebody_discards_meanwhile_is_skipped(shop: Shop) -> None:
    seqs = await shop.parked(*orders(30))
    shop.partner.slow.clear()
    view = await shop.ask("resend", filter={"service": "billing"})
    await shop.ask("discard", messages=[str(seq) for seq in seqs[-3:]])
    shop.partner.slow.set()
    view = await shop.ended(view)
    assert (view.sent, view.skipped, view.well) == (27, 3, True)


async def test_words_that_mean_nothing(shop: Shop) -> None:
    await shop.parked(Order("a"))
    with pytest.raises(UnknownFilter, match="no messages are named"):
        await shop.resend()
    with pytest.raises(UnknownFilter, match="what is ready is still to be handled"):
        await shop.resend(filter={"status": ["ready"]})
    with pytest.raises(UnknownFilter, match="named, and searched for too"):
        await shop.resend(1, group="ab")
    with pytest.raises(NothingFound, match='no parked messages have the place "zz"'):
        await shop.resend(group="zz")
    for rate in (-1, 1e9):
        with pytest.raises(UnknownFilter, match=r"rate: .* is no rate. Give messages a second: below 1,000,000,000"):
            await shop.resend(1, rate=rate)
    with pytest.raises(UnknownFilter, match=r"stop_at: 2 is no share. Give 0 to 1"):
        await shop.resend(1, stop_at=2)
    with pytest.raises(WrongArgument, match="stop_at"):
        await shop.resend(1, stop_at="much")
    with pytest.raises(UnknownFilter, match="there is no job 9"):
        await shop.ask("resend-progress", job=9)


async def test_nothing_that_fits_is_no_error(shop: Shop) -> None:
    await shop.node.target("billing", Order).send(Order("a"))
    view = await shop.resend(filter={"service": "billing"})
    assert (view.total, view.job, view.well) == (0, 0, True)


async def test_a_service_means_where_messages_went(shop: Shop) -> None:
    await shop.parked(*orders(3))
    assert (await shop.resend(filter={"service": "client"})).total == 0


async def test_a_preview_checks_each_and_sends_nothing(shop: Shop) -> None:
    await shop.parked(*orders(7))
    preview = await shop.ask("resend-preview", group=place_of(shop))
    [kin] = preview.kin
    assert (preview.total, kin.service, kin.type, kin.count, kin.error) == (7, "shop/billing", "Order", 7, "Park")
    assert not preview.refused and not preview.obstacles
    preview = await shop.ask("resend-preview", group=place_of(shop), to="printer")
    assert preview.refused == 7 and "does not handle Order" in preview.refusals[0].error.text
    await shop.ask("pause", service="billing")
    assert (await shop.ask("resend-preview", group=place_of(shop))).obstacles
    assert not new_ones(shop)


async def test_a_rate_takes_its_time(tmp_path: Path) -> None:
    """30 messages at 10 a second, by a clock that stands still otherwise."""
    clock = VirtualClock()
    async with open_shop(None, clock=clock) as shop:
        await shop.parked(*orders(30))
        begun = clock.monotonic()
        view = await shop.ask("resend", filter={"service": "billing"}, rate=10)
        while view.state == "running":
            await clock.advance(0.1)
        assert clock.monotonic() - begun >= 2.9, "the first goes at once, the last after 29 tenths"
        assert view.well


async def test_a_full_queue_ends_the_job_and_doubles_nothing(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "store", queue={"limit": 40, "wait": "50ms"}) as shop:
        seqs = await shop.parked(*orders(35))
        shop.partner.slow.clear()
        target = shop.node.target("billing", Order)
        for number in range(100, 139):
            await target.send(Order(str(number)))
        view = await shop.ask("resend", filter={"service": "billing"})
        await shop.until(lambda: len(new_ones(shop)) == 1)
        verdicts = await shop.node.resends.decisions.resend(dict.fromkeys(seqs[5:8], Status.PARKED), Resending())
        assert {type(verdict).__name__ for verdict in verdicts.values()} == {"QueueFull"}
        shop.partner.slow.set()
        view = await shop.ended(view)
        assert (view.sent, view.well) == (35, True)
        handled = [order for order, _ in shop.partner.done]
        assert len(handled) == len(set(handled)) == 35 + 39
        assert shop.node.engine.hosts["shop/billing"].depth.count == 0


async def test_a_node_that_stops_ends_the_job(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "store") as shop:
        await shop.parked(*orders(30))
        shop.partner.slow.clear()
        await shop.ask("resend", filter={"service": "billing"})
        await shop.until(lambda: len(new_ones(shop)) == 1)
        job = shop.node.resends.jobs[0]
        asyncio.get_running_loop().call_later(0.05, shop.partner.slow.set)
    assert job.view.state == "stopped" and job.view.sent == 1
    async with open_shop(tmp_path / "store") as shop:
        statuses = [record.status for record in shop.all()]
        assert statuses.count(Status.PARKED) == 29 and statuses.count(Status.RESENT) == 1


async def test_a_full_disk_ends_the_job(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "store") as shop:
        seqs = await shop.parked(*orders(12))
        transport = shop.node.engine.transport
        commit, room = transport.commit, 3

        def full(given: Commit) -> None:
            nonlocal room
            room -= given.external
            if given.external and room < 0:
                given.done(given, StoreFull("the disk is full"))
            else:
                commit(given)

        transport.commit = full  # type: ignore[method-assign]
        view = await shop.resend(filter={"service": "billing"})
        assert (view.state, view.sent) == ("stopped", 3) and "the disk is full" in view.reason
        transport.commit = commit  # type: ignore[method-assign]
        assert [shop.record(seq).status for seq in seqs].count(Status.PARKED) == 9
        assert (await shop.resend(filter={"service": "billing"})).sent == 9
        assert len(shop.partner.done) == 12
        assert shop.node.engine.hosts["shop/billing"].depth.count == 0


async def test_a_service_that_is_removed_ends_the_job() -> None:
    """The job waits for its rate meanwhile, so that it does not see the service stop."""
    clock = VirtualClock()
    async with open_shop(None, clock=clock) as shop:
        seqs = await shop.parked(*orders(30))
        view = await shop.ask("resend", filter={"service": "billing"}, rate=1)
        while view.sent < 4:
            await clock.advance(0.25)
        await remove(shop, "billing")
        while view.state == "running":
            await clock.advance(0.25)
        assert (view.state, view.reason, view.refused) == ("stopped", "shop/billing was removed from the node", 0)
        assert view.handled == view.sent, "at a low rate all that was sent has ended"
        assert [shop.record(seq).status for seq in seqs].count(Status.PARKED) == 30 - view.sent


async def remove(shop: Shop, name: str) -> None:
    async def at_once(*_: object) -> None: ...

    engine = shop.node.engine
    plans = [
        replace(plan, services=tuple(one for one in plan.services if one.spec.name != name))
        for plan in engine.flows.values()
    ]
    await Change(engine, plans, ()).make(at_once, grace=1.0)
