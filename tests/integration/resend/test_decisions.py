"""Notes and discards: who said what, and when; what is discarded stays to be found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from junctor import connect
from junctor.errors import StoreFull
from junctor.messages import Status
from junctor.node.control.arguments import WrongArgument
from junctor.node.control.operations import perform
from junctor.node.control.wire import NotPermitted
from junctor.transports.base import Commit
from tests.integration.resend.shop import Order, Shop, open_shop


@pytest.fixture(params=["sqlite", "memory"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "store" if request.param == "sqlite" else None) as shop:
        yield shop


async def test_a_note_is_shown_with_the_message(shop: Shop) -> None:
    seqs = await shop.parked(Order("a"), Order("b"))
    note = await shop.ask("note", who="eve", which=str(seqs[0]), text="waiting for partner")
    assert (note.who, note.text) == ("eve", "waiting for partner")
    [group] = await shop.ask("parked", members=5)
    assert group.notes == 1 and group.resend == f"junctor resend --group {group.fingerprint[:8]}"
    assert [[one.text for one in member.notes] for member in group.members] == [[], ["waiting for partner"]]
    trace = await shop.ask("trace", which=str(seqs[0]))
    assert trace.hops[0].notes == [note]


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001])
async def test_a_note_that_is_none_is_refused(shop: Shop, text: str) -> None:
    [seq] = await shop.parked(Order("a"))
    with pytest.raises(WrongArgument):
        await shop.ask("note", which=str(seq), text=text)
    assert not shop.node.archive.notes([seq])


async def test_discarded_messages_are_found_and_can_come_back(shop: Shop) -> None:
    seqs = await shop.parked(Order("a"), Order("b"), Order("c"))
    done = await shop.ask("discard", who="eve", messages=[str(seq) for seq in seqs[:2]], note="test data")
    assert (done.discarded, done.kept) == (2, [])
    assert {view.seq for view in await shop.ask("messages", status=["discarded"])} == set(seqs[:2])
    assert [(note.who, note.text) for note in shop.node.archive.notes(seqs[:1])] == [("eve", "discarded: test data")]
    assert [group.count for group in shop.node.archive.parked()] == [1]
    record = shop.record(seqs[0])
    assert record.failure is not None and record.attempt == 1, "what its attempts were stays"
    assert (await shop.resend(seqs[0])).well
    assert shop.record(seqs[0]).status is Status.RESENT


async def test_a_search_for_discarded_ones_sends_them_again(shop: Shop) -> None:
    seqs = await shop.parked(Order("a"), Order("b"))
    await shop.ask("discard", filter={"service": "billing"})
    assert (await shop.resend(filter={"service": "billing"})).total == 0
    assert (await shop.resend(filter={"service": "billing", "status": ["discarded"]})).sent == 2
    assert {shop.record(seq).status for seq in seqs} == {Status.RESENT}


async def test_only_what_is_parked_is_discarded(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    await shop.resend(seq)
    done = await shop.ask("discard", messages=[str(seq), "2"])
    assert done.discarded == 0
    texts = [kept.error.text for kept in done.kept]
    assert "is resent, and only what is parked can be discarded" in texts[0] and "is done" in texts[1]


async def test_many_are_discarded_in_one_go(shop: Shop) -> None:
    await shop.parked(*(Order(str(number)) for number in range(250)))
    assert (await shop.ask("discard", filter={"type": "Order"})).discarded == 250


@pytest.mark.parametrize("operation", ["resend", "resend-preview", "resend-stop", "discard", "note", "body"])
async def test_deciding_is_for_operators(shop: Shop, operation: str) -> None:
    with pytest.raises(NotPermitted):
        await perform(shop.node, operation, {}, {"read", "send"})


async def test_a_program_outside_decides_the_same(short_dir: Path) -> None:
    """Over the control socket, in async and in blocking code."""
    async with open_shop(short_dir / "store") as shop:
        seqs = await shop.parked(*(Order(str(number)) for number in range(6)))
        async with connect(short_dir / "store") as node:
            assert (await node.note(seqs[0], "seen")).text == "seen"
            assert (await node.discard(seqs[0], note="test data")).discarded == 1
            view = await node.resend(seqs[1], changes={"amount": 9})
            assert view.well and shop.partner.seen == [Order("1", 9)]
            assert (await node.resend(service="billing", error="Park")).sent == 4

        def blocking() -> int:
            with connect(short_dir / "store") as node:
                return node.resend(service="billing", status="discarded").handled

        assert await asyncio.to_thread(blocking) == 1


async def test_a_full_disk_refuses_what_nobody_could_be_told_of_later(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "store") as shop:
        [seq] = await shop.parked(Order("a"))
        transport = shop.node.engine.transport
        commit, kept = transport.commit, []

        def full(given: Commit) -> None:
            if given.external:
                given.done(given, StoreFull("the disk is full"))
            else:
                kept.append(given)

        transport.commit = full  # type: ignore[method-assign]
        async with asyncio.timeout(10):
            for ask in (shop.ask("note", which=str(seq), text="x"), shop.ask("discard", messages=[str(seq)])):
                with pytest.raises(StoreFull):
                    await ask
        transport.commit = commit  # type: ignore[method-assign]
        for one in kept:
            commit(one)
        assert shop.record(seq).status is Status.PARKED
        assert (await shop.ask("discard", messages=[str(seq)])).discarded == 1
