"""One message is sent again: what is new, what stays, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from junctor.errors import DecodeError, NoHandler, UnknownTarget
from junctor.messages import CONDITION, EFFECT, HANDLER, RESEND_OF, Kind, Message, Status
from junctor.node.views.search import NothingFound
from junctor.runtime.resendable import NotResendable, Purged, Resending, prepared
from junctor.transports.base import Commit
from tests.integration.resend.shop import Order, Price, Shop, open_shop


@pytest.fixture(params=["sqlite", "memory"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "store" if request.param == "sqlite" else None) as shop:
        yield shop


async def test_a_resend_is_a_new_message_that_leads_back(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a", customer="Bob"))
    view = await shop.resend(seq)
    assert (view.state, view.sent, view.handled, view.well) == ("done", 1, 1, True)
    old, new = shop.record(seq), shop.newest()
    assert old.status is Status.RESENT and old.failure is not None and old.attempt == 1
    assert new.status is Status.DONE
    assert new.message.headers == {RESEND_OF: old.message.id, EFFECT: old.message.id}
    assert (new.message.session, new.message.cause, new.message.key) == (old.message.session, seq, old.message.key)
    assert shop.partner.done == [("a", old.message.id)]
    [note] = shop.node.archive.notes([seq])
    assert (note.who, note.text) == ("ada", f"resent as {new.message.id}")


async def test_the_queue_is_as_deep_as_before(shop: Shop) -> None:
    seqs = await shop.parked(Order("a"), Order("b"))
    await shop.resend(*seqs)
    depth = shop.node.engine.hosts["shop/billing"].depth
    assert (depth.count, depth.bytes) == (0, 0)


async def test_the_effect_stays_that_of_the_first_message_of_a_chain(shop: Shop) -> None:
    [first] = await shop.parked(Order("a"))
    shop.partner.refused.add("a")
    view = await shop.resend(first)
    assert (view.failed, view.well, view.results[0].status) == (1, False, "parked")
    shop.partner.refused.clear()
    second = shop.newest().message.seq
    await shop.resend(second)
    assert shop.partner.done == [("a", shop.record(first).message.id)]
    assert [record.status for record in (shop.record(first), shop.record(second), shop.newest())] == [
        Status.RESENT,
        Status.RESENT,
        Status.DONE,
    ]
    trace = await shop.ask("trace", which=str(first))
    assert [hop.depth for hop in trace.hops] == [0, 1, 2]
    assert [len(hop.notes) for hop in trace.hops] == [1, 1, 0]
    assert trace.hops[1].message.resend_of == trace.hops[0].message.id


async def test_again_is_another_effect(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    await shop.resend(seq, again=True)
    assert shop.partner.done == [("a", shop.newest().message.id)]


async def test_what_was_handled_is_sent_again_on_purpose_only(shop: Shop) -> None:
    receipt = await shop.node.target("billing", Order).send(Order("a"))
    assert receipt is not None
    await shop.until(lambda: shop.partner.done)
    await shop.until(lambda: shop.newest().status is Status.DONE)
    with pytest.raises(NotResendable, match="was handled. --again"):
        await shop.resend(1)
    await shop.resend(1, again=True)
    assert [order for order, _ in shop.partner.done] == ["a", "a"]
    assert shop.record(1).status is Status.DONE


async def test_a_resent_one_is_refused(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    await shop.resend(seq)
    with pytest.raises(NotResendable, match="was sent again already"):
        await shop.resend(seq)
    assert len(shop.partner.done) == 1


async def test_an_open_one_is_refused(shop: Shop) -> None:
    shop.partner.slow.clear()
    await shop.node.target("billing", Order).send(Order("a"))
    with pytest.raises(NotResendable, match="still to be handled: it is claimed"):
        await shop.resend(1)
    shop.partner.slow.set()


async def test_a_request_is_answered_into_the_store(shop: Shop) -> None:
    shop.partner.refused.add("a")
    with pytest.raises(Exception, match="refuses"):
        await shop.node.target("billing", Order, Price).request(Order("a", 7))
    shop.partner.refused.clear()
    await shop.resend(1)
    new = shop.newest()
    assert (new.message.kind, new.message.deadline, new.status) == (Kind.REQUEST, 0, Status.DONE)
    assert new.reply is not None and not new.late


async def test_to_another_service(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    view = await shop.resend(seq, to="archive")
    assert view.services == ["shop/archive"] and view.well
    assert shop.partner.done == [("archived a", shop.record(seq).message.id)]


async def test_to_a_service_that_does_not_take_it(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    with pytest.raises(NoHandler, match="shop/printer: the service does not handle Order. It handles Price"):
        await shop.resend(seq, to="printer")
    with pytest.raises(NoHandler):
        await shop.resend(filter={"type": "Order"}, to="printer")
    with pytest.raises(UnknownTarget, match='Did you mean "archive"'):
        await shop.resend(seq, to="archiv")
    assert shop.record(seq).status is Status.PARKED


async def test_a_service_that_is_gone_is_told_with_others(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    del shop.node.engine.hosts["shop/billing"]
    with pytest.raises(UnknownTarget, match="shop/billing is not in the flow any more. .* --to shop/archive"):
        await shop.resend(seq)


async def test_a_body_that_does_not_fit_any_more_is_not_sent(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    record = shop.record(seq)
    record.message = msgspec.structs.replace(record.message, payload=b'{"id":1}')
    with pytest.raises(DecodeError, match=r"\.id"):
        prepared(shop.node.engine, record, Resending())


async def test_what_retention_removed_is_told(shop: Shop) -> None:
    for _ in range(2):
        await shop.node.target("billing", Order).send(Order("a"))
    await shop.until(lambda: shop.newest().status is Status.DONE and shop.record(1).status is Status.DONE)
    await shop.node.engine.committed(removes=[1])
    with pytest.raises(Purged, match="nothing is stored under number 1: it left no record, or retention"):
        await shop.resend(1)
    with pytest.raises(Purged):
        await shop.ask("note", which="1", text="?")
    with pytest.raises(NothingFound, match="no message 77 is stored here"):
        await shop.resend(77)


async def test_an_error_of_the_commit_takes_the_admission_back(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    engine = shop.node.engine
    commit = engine.transport.commit
    error = QueueBroken("no")

    def refuse(given: Commit) -> None:
        given.done(given, error)

    engine.transport.commit = refuse  # type: ignore[method-assign]
    verdict = await shop.node.resends.decisions.resend({seq: Status.PARKED}, Resending())
    engine.transport.commit = commit  # type: ignore[method-assign]
    assert verdict == {seq: error}
    depth = engine.hosts["shop/billing"].depth
    assert (depth.count, depth.bytes, engine.hosts["shop/billing"].mailbox.active) == (0, 0, 0)
    assert (await shop.resend(seq)).well, "the message is free again"


class QueueBroken(NotResendable):
    """For the test above."""

    code = "queue-broken"


async def test_two_at_once_are_one(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    decide = shop.node.resends.decisions
    verdicts = await asyncio.gather(*(decide.resend({seq: Status.PARKED}, Resending(who=str(n))) for n in range(20)))
    sent = [verdict for each in verdicts for verdict in each.values() if isinstance(verdict, Message)]
    assert len(sent) == 1
    await shop.until(lambda: shop.partner.done)
    assert len(shop.partner.done) == 1


async def test_discard_and_resend_at_once_are_one_of_both(shop: Shop) -> None:
    seqs = await shop.parked(*(Order(str(number)) for number in range(20)))
    decide = shop.node.resends.decisions
    resent, discarded = await asyncio.gather(
        decide.resend(dict.fromkeys(seqs, Status.PARKED), Resending()), decide.discard(seqs, "eve")
    )
    for seq in seqs:
        sent, away = isinstance(resent[seq], Message), discarded[seq] is None
        assert sent != away
        assert shop.record(seq).status is (Status.RESENT if sent else Status.DISCARDED)


async def test_what_the_engine_said_of_the_old_one_is_not_said_again(shop: Shop) -> None:
    """A condition is asked on the way only, so the message is for this service now; the name of a handler stays."""
    [seq] = await shop.parked(Order("a"))
    record = shop.record(seq)
    headers = {CONDITION: "shop.orders: no such field", HANDLER: "on_order", "caller": "web"}
    record.message = msgspec.structs.replace(record.message, headers=headers)
    found = prepared(shop.node.engine, record, Resending()).headers
    ours = {RESEND_OF: record.message.id, EFFECT: record.message.id}
    assert found == {"caller": "web", HANDLER: "on_order"} | ours
    record.message = msgspec.structs.replace(record.message, headers={HANDLER: "elsewhere"})
    assert prepared(shop.node.engine, record, Resending(to="shop/archive")).headers == ours
    with pytest.raises(NoHandler):
        prepared(shop.node.engine, record, Resending())


@pytest.mark.parametrize("kind", [Kind.TICK, Kind.ROUTE, Kind.ACTION])
async def test_hops_have_no_body_to_send(shop: Shop, kind: Kind) -> None:
    [seq] = await shop.parked(Order("a"))
    record = shop.record(seq)
    record.message = msgspec.structs.replace(record.message, kind=kind)
    with pytest.raises(NotResendable, match=r"is the (tick|call) of .* `junctor call SERVICE NAME`"):
        prepared(shop.node.engine, record, Resending(again=True))


async def test_a_damaged_one_needs_its_whole_body(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    record = shop.record(seq)
    record.damaged = True
    record.message = msgspec.structs.replace(record.message, payload=b"{not json")
    with pytest.raises(NotResendable, match="is damaged, its body cannot be trusted. Give the whole body"):
        prepared(shop.node.engine, record, Resending())
    edit = lambda original: {"id": "a"} if original is None else original  # noqa: E731
    assert json.loads(prepared(shop.node.engine, record, Resending(edit=edit)).payload)["id"] == "a"


async def test_an_expired_request_is_sent_again_in_its_place(shop: Shop) -> None:
    shop.partner.slow.clear()
    target = shop.node.target("billing", Order, Price)
    first = asyncio.gather(target.request(Order("a")), target.request(Order("b"), timeout=0.02), return_exceptions=True)
    await asyncio.sleep(0.05)
    shop.partner.slow.set()
    await first
    assert shop.record(2).status is Status.EXPIRED
    assert (await shop.resend(2)).well
    assert shop.record(2).status is Status.RESENT and shop.partner.done[-1][0] == "b"
    assert "it was expired" in shop.node.archive.notes([2])[0].text


@pytest.mark.parametrize("trace", ["failures", "off"])
async def test_a_service_that_records_less(tmp_path: Path, trace: str) -> None:
    async with open_shop(tmp_path / "store", trace=trace) as shop:
        seqs = await shop.parked(*(Order(str(number)) for number in range(8)))
        shop.partner.refused = {"3"}
        view = await shop.resend(filter={"service": "billing"}, stop_at=1.0)
        assert (view.sent, view.handled, view.failed) == (8, 7, 1)
        assert len(shop.partner.done) == 7
        assert [group.count for group in shop.node.archive.parked()] == [1]
        assert all(shop.record(seq).status is Status.RESENT for seq in seqs)
