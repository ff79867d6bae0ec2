"""``plant.resend``: a parked message is sent again in virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Flow, Park, Service, handler
from junctor.core.edits import EditRefused
from junctor.errors import NoHandler
from junctor.messages import RESEND_OF
from junctor.runtime.resendable import NotResendable
from junctor.testing import RunningFlow, running


@dataclass(frozen=True)
class Order:
    id: str
    amount: int = 1


class Till(Service):
    """Keeps the effect of each order; refuses those below 1."""

    @handler
    async def on_order(self, order: Order) -> None:
        if order.amount < 1:
            raise Park("too little")
        self.state[order.id] = [*self.state.get(order.id, []), self.message.effect]


class Printer(Service):
    @handler
    async def on_text(self, text: str) -> None: ...


def flow() -> Flow:
    return Flow("shop").add(Till()).add(Printer())


@pytest.mark.parametrize("durable", [False, True])
async def test_a_parked_message_is_corrected_and_sent_again(tmp_path: Path, durable: bool) -> None:
    async with running(flow(), store=tmp_path / "store" if durable else None) as plant:
        with plant.expect_parked(Park):
            await plant.send("till", Order("a", 0))
        [parked] = plant.parked
        began = plant.now
        receipt = await plant.resend(parked, changes={"amount": 2})
        assert plant.now == began, "it takes no time"
        new = plant.messages[-1]
        assert (new.id, new.headers[RESEND_OF]) == (receipt.id, parked.message.id)
        assert plant.state("till") == {"a": [parked.message.id]}
        with pytest.raises(NotResendable, match="was sent again already"):
            await plant.resend(parked)
        await plant.resend(receipt, again=True)
        assert plant.state("till") == {"a": [parked.message.id, plant.messages[-1].id]}


async def test_what_cannot_be_sent_is_told(tmp_path: Path) -> None:
    async with running(flow()) as plant:
        with plant.expect_parked(Park):
            await plant.send("till", Order("a", 0))
        [parked] = plant.parked
        with pytest.raises(EditRefused):
            await plant.resend(parked, changes={"ammount": 2})
        with pytest.raises(NoHandler):
            await plant.resend(parked, to="printer")
        with plant.expect_parked(Park):
            await plant.resend(parked)


def test_in_a_blocking_test() -> None:
    with running(flow()) as plant:
        with plant.expect_parked(Park):
            plant.send("till", Order("a", 0))
        plant.resend(plant.parked[0], changes={"amount": 1})
        assert list(plant.state("till")) == ["a"]


async def test_after_a_kill_it_is_still_done(tmp_path: Path) -> None:
    async with running(flow(), store=tmp_path / "store") as plant:
        with plant.expect_parked(Park):
            await plant.send("till", Order("a", 0))
        await plant.resend(plant.parked[0], changes={"amount": 1})
        await plant.restart()
        with pytest.raises(NotResendable):
            await plant.resend(plant.parked[0])
        assert _count(plant) == 1


def _count(plant: RunningFlow) -> int:
    return len(plant.state("till")["a"])
