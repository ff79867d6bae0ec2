"""One message is sent again: what is new, what stays, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from junctor.messages import EFFECT, RESEND_OF, Kind, Status
from tests.integration.resend.shop import Order, Shop, open_shop


@pytest.fixture(params=["sqlite", "memory"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "store" if request.param == "sqlite" else None) as shop:
        yield shop


async def test_a_resend_is_a_new_message_that_leads_back(shop: Shop) -> None:
    [seq] = await shop.parked(Order("a", customer="Bob"))
    view = await shop.resend(seq)
    assert (view.state, view.sent, view.handled, view.well) == ("done", 1, 1, True)
    old, new = shop.record(seq), shop.record(max(record.message.seq for record in shop.all()))
    assert old.status is Status.RESENT and old.failure is not None and old.attempt == 1
    assert new.status is Status.DONE
    assert new.message.headers == {RESEND_OF: old.message.id, EFFECT: old.message.id}
    assert (new.message.session, new.message.cause, new.message.key) == (old.message.session, seq, old.message.key)
    assert shop.partner.done == [("a", old.message.id)]
    [note] = shop.node.archive.notes([seq])
    assert (note.who, note.text) == ("ada", f"resent as {new.message.id}")
