"""A message is changed before it is sent again: the original stays, and nothing goes that its handler would refuse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor.core.edits import EditRefused
from junctor.errors import BodyTooLarge, DecodeError
from junctor.messages import Status
from junctor.node.views.search import UnknownFilter
from tests.integration.resend.shop import Order, Payment, Shop, open_shop


@pytest.fixture(params=["sqlite", "memory"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "store" if request.param == "sqlite" else None) as shop:
        yield shop


def body_of(shop: Shop, seq: int) -> Any:
    payload = shop.record(seq).message.payload
    return json.loads(payload) if isinstance(payload, bytes) else payload


async def test_both_bodies_are_kept(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a", 2))
    view = await shop.ask("body", which=str(seq))
    assert view.body == {"id": "a", "amount": 2, "customer": "someone"}
    assert (await shop.resend(seq, body=view.body | {"amount": 3})).well
    assert shop.partner.seen == [Order("a", 3)]
    assert shop.record(seq).status is Status.RESENT
    assert body_of(shop, seq) in ({"id": "a", "amount": 2, "customer": "someone"}, Order("a", 2))
    assert "edited" in shop.node.archive.notes([seq])[0].text
    assert shop.newest().message.effect == shop.record(seq).message.id


async def test_single_fields_are_set(shop: Shop) -> None:
    seqs = await shop.parked(Order("a"), Order("b"))
    assert (await shop.resend(*seqs, changes={"amount": "7", "customer": "5"}, text=True)).well
    assert shop.partner.seen == [Order("a", 7, "5"), Order("b", 7, "5")]


async def test_a_number_is_set_where_a_text_was_by_mistake(shop: Shop) -> None:
    receipt = await shop.node.target("billing", Any).send({"id": "a", "amount": "many", "customer": "7"})
    seq = int(receipt.id.rpartition("-")[2])
    await shop.until(lambda: shop.record(seq).status is Status.PARKED)
    with pytest.raises(DecodeError, match=r"Order\.amount"):
        await shop.resend(seq, changes={"amount": "3"})  # a program says what it means
    with pytest.raises(DecodeError, match=r"Order\.amount"):
        await shop.resend(seq, changes={"amount": "few"}, text=True)
    assert (await shop.resend(seq, changes={"amount": "3", "customer": "8"}, text=True)).well
    assert shop.partner.seen == [Order("a", 3, "8")]


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        ({"id": "a", "amount": "many"}, DecodeError, r"Order\.amount: the body is not a valid Order: Expected `int`"),
        ({"amount": 1}, DecodeError, "missing required field `id`"),
        ({"id": "a", "amuont": 3}, EditRefused, 'Order has no field amuont. Did you mean "amount"'),
        ([1], DecodeError, "Expected `object`"),
    ],
)
async def test_what_does_not_fit_is_not_sent(shop: Shop, body: Any, error: type[Exception], told: str) -> None:
    [seq] = await shop.parked(Order("a"))
    with pytest.raises(error, match=told):
        await shop.resend(seq, body=body)
    preview = await shop.ask("resend-preview", messages=[str(seq)], body=body)
    assert preview.refused == 1
    assert shop.record(seq).status is Status.PARKED and len(shop.all()) == 1


async def test_a_field_that_is_not_there_is_told(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    with pytest.raises(EditRefused, match='no field custmer. Did you mean "customer"'):
        await shop.resend(seq, changes={"custmer": "x"})


async def test_one_body_is_for_one_message(shop: Shop) -> None:
    seqs = await shop.parked(Order("a"), Order("b"))
    with pytest.raises(UnknownFilter, match="one body is given for 2 messages"):
        await shop.resend(*seqs, body={"id": "c"})


async def test_a_body_has_the_bound_of_any_other(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a"))
    shop.node.engine.dispatcher.max_body = 100
    with pytest.raises(BodyTooLarge, match="the edited body has"):
        await shop.resend(seq, changes={"customer": "x" * 100})


async def test_an_edit_moves_the_message_to_the_line_of_its_new_key(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "store", pool=4, key="customer") as shop:
        seqs = await shop.parked(Order("a", customer="Bob"), Order("b", customer="Bob"))
        await shop.resend(seqs[0], changes={"customer": "Ann"})
        assert shop.newest().message.key == "Ann"
        await shop.resend(seqs[1])
        assert shop.newest().message.key == "Bob"


async def test_a_mask_that_is_left_is_put_back(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "store") as shop:
        [seq] = await shop.parked(Payment("p", "4000-1234"), service="till")
        view = await shop.ask("body", which=str(seq))
        assert view.body == {"id": "p", "card": "***"}
        with pytest.raises(EditRefused, match="name is masked, and the original has no value"):
            await shop.resend(seq, body={"id": "q", "card": "1", "name": "***"})
        assert (await shop.resend(seq, body=view.body | {"id": "q"})).well
        assert shop.partner.seen == [Payment("q", "4000-1234")]


async def test_what_is_sensitive_shows_in_no_answer(tmp_path: Path) -> None:
    """The partner quotes the card in its error, and a body that does not fit is refused with its error."""
    async with open_shop(tmp_path / "store") as shop:
        seqs = await shop.parked(Payment("p", "visa-hidden"), Payment("q", "visa-hidden"), service="till")
        shop.partner.refused = {"p", "q"}
        view = await shop.resend(filter={"service": "till"}, stop_at=1.0)
        refused = await shop.ask("resend-preview", filter={"service": "till"}, changes={"card": ["visa-hidden"]})
        assert view.failed == refused.refused == 2
        for shown in (view, refused, await shop.ask("resend-jobs"), await shop.ask("parked", members=9)):
            assert b"hidden" not in msgspec.json.encode(shown)
        with pytest.raises(DecodeError) as error:
            await shop.resend(seqs[0], again=True, changes={"card": ["visa-hidden"]})
        assert "hidden" not in str(error.value)
