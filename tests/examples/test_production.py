"""A production of Interoperability on Python: the same question to a process in three styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.errors import JunctorError
from junctor.flows import Overrides, load
from junctor.testing import running

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "production" / "settings.py"
STYLES = ("asyncio", "callbacks", "multi")


@pytest.mark.parametrize("style", STYLES)
async def test_each_style_finds_the_best_price(style: str) -> None:
    async with running(load(str(EXAMPLE), Overrides(environment=False))) as plant:
        offer = await plant.call(
            "desk", "on_process_input", message_input={"kilograms": 12, "to": "Rome", "style": style}
        )
    assert (offer.best, offer.euros) == ("Courier", 10.5)
    assert [price.carrier for price in offer.prices] == ["Courier", "Snail", "Rocket"]


async def test_a_style_that_is_not_there() -> None:
    async with running(load(str(EXAMPLE), Overrides(environment=False))) as plant:
        with pytest.raises((RuntimeError, JunctorError), match=r"Quotes\.telepathy"):
            body = {"kilograms": 1, "to": "Rome", "style": "telepathy"}
            await plant.call("desk", "on_process_input", message_input=body)


async def test_all_of_a_question_is_one_session(tmp_path: Path) -> None:
    async with running(load(str(EXAMPLE), Overrides(environment=False)), store=tmp_path) as plant:
        await plant.call("desk", "on_process_input", message_input={"kilograms": 2, "to": "Oslo", "style": "callbacks"})
        await plant.idle()
        sent = [(message.type, message.session) for message in plant.messages]
    assert [kind for kind, _ in sent].count("messages.PriceRequest") == 3
    assert len({session for _, session in sent}) == 1
