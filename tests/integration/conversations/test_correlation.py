"""Messages that find their conversation by a key."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Conversation, Flow, handler, on_timer
from junctor.core.run import Run, RunQuery, RunStatus
from junctor.core.snapshot import read_snapshot, shown_attributes
from junctor.testing import RunningFlow, running

TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


@dataclass(frozen=True)
class Item:
    order: int
    number: int


@dataclass(frozen=True)
class Close:
    order: int


@dataclass(frozen=True)
class Count:
    of: int


@dataclass(frozen=True)
class Collected:
    order: int
    items: tuple[int, ...]


class Basket(Conversation):
    """Collects the items of an order until it is closed; whoever brought the first one gets the whole."""

    items: list[int] = []

    @handler(key="order")
    async def on_item(self, item: Item) -> Collected:
        before = len(self.items)
        await asyncio.sleep(0)
        assert len(self.items) == before
        self.items.append(item.number)

    @handler(key="order", begins=False)
    async def on_close(self, close: Close) -> Collected:
        self.reply(Collected(close.order, tuple(self.items)))
        self.end()
        return Collected(close.order, ())

    @handler(key="of", begins=False)
    async def on_count(self, count: Count) -> int:
        return len(self.items)


class Sleepy(Basket):
    """The same in threads."""

    @handler(key="order")
    def on_item(self, item: Item) -> Collected:
        before = len(self.items)
        time.sleep(0.001)
        assert len(self.items) == before
        self.items.append(item.number)


def market(basket: type[Basket] = Basket) -> Flow:
    flow = Flow("market")
    flow.add(basket, name="basket")
    return flow


def runs(plant: RunningFlow) -> list[Run]:
    return plant.node.archive.runs(RunQuery(limit=1000))


def items(run: Run) -> list[int]:
    found: list[int] = shown_attributes(read_snapshot(run.snapshot))["items"]
    return found


@TRANSPORTS
@pytest.mark.parametrize("kind", [Basket, Sleepy])
async def test_messages_of_the_same_moment_find_one_conversation_in_order(
    tmp_path: Path, durable: bool, kind: type[Basket]
) -> None:
    async with running(market(kind), store=tmp_path / "store" if durable else None) as plant:
        target = plant.node.target("basket", Item)
        await asyncio.gather(*(target.send(Item(order, number)) for number in range(5) for order in range(20)))
        await plant.idle()
        assert len(runs(plant)) == 20
        assert {run.key for run in runs(plant)} == {str(order) for order in range(20)}
        assert [items(run) for run in runs(plant)] == [[0, 1, 2, 3, 4]] * 20
        assert {run.status for run in runs(plant)} == {RunStatus.OPEN}, "with a key it waits for more"


async def test_each_request_has_its_own_reply_and_the_first_one_that_of_the_conversation() -> None:
    async with running(market()) as plant:
        node = plant.node
        first = asyncio.create_task(_ask(node.target("basket", Item, Collected), Item(1, 10)))
        await plant.idle()
        second = asyncio.create_task(_ask(node.target("basket", Item, Collected), Item(1, 11)))
        await plant.idle()
        assert await plant.request("basket", Count(1)) == 2
        assert await plant.request("basket", Close(1)) == Collected(1, ())
        assert await first == Collected(1, (10, 11))
        assert await second == Collected(1, (10, 11)), "it could have begun the same conversation"


async def _ask(target: object, body: object) -> object:
    return await target.request(body, timeout="30d")  # type: ignore[attr-defined]


async def test_without_an_open_conversation_such_a_message_is_tried_again_and_parked() -> None:
    async with running(market()) as plant:
        with plant.expect_parked("UnknownRun", match="no conversation is open with the key '1'"):
            await plant.send("basket", Close(1))
            await plant.advance("1h")
        await plant.send("basket", Item(1, 10))
        await plant.resend(plant.parked[0])
        assert [run.status for run in runs(plant)] == [RunStatus.DONE]


async def test_one_that_comes_before_what_begins_it_waits_for_it() -> None:
    async with running(market()) as plant:
        asked = asyncio.create_task(_ask(plant.node.target("basket", Count, int), Count(1)))
        await plant.idle()
        await plant.send("basket", Item(1, 10))
        await plant.advance("10s")
        assert await asked == 1


async def test_what_comes_behind_the_end_begins_anew() -> None:
    async with running(market()) as plant:
        await plant.send("basket", Item(1, 10))
        node = plant.node
        item, close = node.target("basket", Item), node.target("basket", Close)
        await asyncio.gather(close.send(Close(1)), item.send(Item(1, 11)), item.send(Item(1, 12)))
        await plant.idle()
        later, earlier = runs(plant)
        assert (earlier.status, items(earlier)) == (RunStatus.DONE, [10])
        assert (later.status, sorted(items(later))) == (RunStatus.OPEN, [11, 12])


async def test_a_message_without_its_key_is_parked() -> None:
    @dataclass
    class Loose:
        order: int | None = None

    class Careless(Conversation):
        @handler(key="order")
        async def on_loose(self, loose: Loose) -> None: ...

    async with running(Flow("loose").add(Careless)) as plant:
        with plant.expect_parked("Park", match=r"Loose\.order is not there"):
            await plant.send("careless", Loose())
        assert runs(plant) == []


async def test_a_killed_node_goes_on_with_each_key(tmp_path: Path) -> None:
    class Alarm(Basket):
        @handler(key="order")
        async def on_item(self, item: Item) -> Collected:
            self.items.append(item.number)
            self.timer("1h", name="idle")

        @on_timer("idle")
        async def nothing_more(self) -> None:
            self.end()

    async with running(market(Alarm), store=tmp_path / "store") as plant:
        for number in range(3):
            await plant.send("basket", Item(1, number))
            await plant.send("basket", Item(2, number))
            await plant.restart()
            await plant.advance("40m")
        assert [items(run) for run in runs(plant)] == [[0, 1, 2]] * 2
        assert {run.status for run in runs(plant)} == {RunStatus.OPEN}, "each item starts the timer anew"
        await plant.advance("1h")
        assert {run.status for run in runs(plant)} == {RunStatus.DONE}
