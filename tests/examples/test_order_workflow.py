"""Orders that take days: to their end, back again, and killed while they run."""

from __future__ import annotations

import contextlib
import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from junctor import connect
from junctor.core.run import RunQuery, RunStatus
from junctor.errors import JunctorError, UnknownRun
from junctor.flows import Overrides, load
from junctor.node.control.wire import ConnectionLost
from junctor.store.reader import open_archive
from junctor.testing import RunningFlow, running
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import Faults
from tests.crash.node.node import Node, until
from tests.crash.seeds import repeat, seed_of_this_run

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "order-workflow"
TRANSPORTS = pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])


class Example:
    """The flow, and its module."""

    def __init__(self) -> None:
        self.flow = load(str(EXAMPLE), Overrides(environment=False))
        self.code: Any = sys.modules[self.flow.items[0].code.partition(":")[0]]

    async def order(self, plant: RunningFlow, number: str, amount: int = 2, price: int = 80) -> None:
        await plant.send("orders", self.code.Order(number, "lamp", amount, price))


@pytest.fixture
def example() -> Example:
    return Example()


async def stage(plant: RunningFlow, number: str) -> str:
    told: str = await plant.call("orders", "status", run=number)
    return told


def account(plant: RunningFlow, number: str) -> list[int]:
    """What was paid, and what was given back."""
    found = plant.state("bank", number)
    return [found.get("paid", 0), found.get("given back", 0)]


@TRANSPORTS
async def test_an_order_is_sent_after_a_day(example: Example, tmp_path: Path, durable: bool) -> None:
    async with running(example.flow, store=tmp_path / "store" if durable else None) as plant:
        await example.order(plant, "A-1")
        assert await stage(plant, "A-1") == "waiting"
        await plant.advance("23h")
        assert plant.sent("orders.parcels") == []
        await plant.advance("2h")
        assert plant.sent("orders.parcels") == [example.code.Parcel("A-1", "lamp", 2)]
        assert [account(plant, "A-1"), plant.state("stock")["lamp"]] == [[80, 0], 8]


async def test_a_large_one_waits_for_its_approval(example: Example) -> None:
    async with running(example.flow) as plant:
        await example.order(plant, "A-1", price=900)
        await plant.advance("2d")
        assert await stage(plant, "A-1") == "to be approved"
        await plant.send("orders", example.code.Approval("the chief"), key="A-1")
        await plant.advance("1d")
        assert len(plant.sent("orders.parcels")) == 1


async def test_what_nobody_approves_is_paid_back_after_three_days(example: Example) -> None:
    async with running(example.flow) as plant:
        await example.order(plant, "A-1", price=900)
        await plant.advance("3d")
        assert (account(plant, "A-1"), plant.sent("orders.parcels")) == ([900, 900], [])


async def test_what_is_sold_out_is_paid_back(example: Example) -> None:
    async with running(example.flow) as plant:
        await example.order(plant, "A-1", amount=11)
        assert (account(plant, "A-1"), plant.sent("orders.parcels")) == ([80, 80], [])


async def test_a_recalled_one_frees_the_stock_and_is_paid_back(example: Example) -> None:
    async with running(example.flow) as plant:
        await example.order(plant, "A-1")
        await plant.send("orders", example.code.Recall("found it cheaper"), key="A-1")
        await plant.advance("2d")
        assert (account(plant, "A-1"), plant.state("stock"), plant.sent("orders.parcels")) == (
            [80, 80],
            {"lamp": 10},
            [],
        )


async def test_a_partner_that_fails_for_good_is_undone(example: Example) -> None:
    async with running(example.flow) as plant:
        plant.fail("stock", RuntimeError("the roof is gone"), times=5)
        with plant.expect_parked("RuntimeError"):
            await example.order(plant, "A-1")
            await plant.advance("1h")
        assert account(plant, "A-1") == [80, 80]


# Killed ------------------------------------------------------------------------------------------------------

KINDS = {"plain": [2, 80], "large": [1, 900], "refused": [1, 901], "gone": [50, 70]}
"""Amount and price. Large ones are approved, refused ones are recalled before anybody has approved them."""


class Customers:
    """Hands orders over and decides on them, however often the node dies in between."""

    def __init__(self, node: Node, count: int) -> None:
        self.node = node
        self.numbers = [f"{kind}-{number}" for number in range(count) for kind in KINDS]
        self.refused: Exception | None = None

    def order(self) -> None:
        with connect(self.node.store) as client:
            for number in self.numbers:
                amount, price = KINDS[number.partition("-")[0]]
                order = {"number": number, "item": number, "amount": amount, "price": price}
                client.send("orders", order, type="Order", idempotency_key=number)

    def decide(self) -> None:
        """Approve or recall what waits for it."""
        with connect(self.node.store) as client:
            for number in self.numbers:
                said = {"large": ("Approval", {"by": "the chief"}), "refused": ("Recall", {"reason": "too much"})}
                kind, body = said.get(number.partition("-")[0], ("", {}))
                with contextlib.suppress(UnknownRun):  # it has not begun, or was decided on before the node died
                    if kind and client.call("orders", "status", run=number) == "to be approved":
                        client.send("orders", body, type=kind, key=number, idempotency_key=f"{kind} {number}")

    def work(self) -> None:
        """As far as the node is there; ``refused`` is the last error that ended it."""
        try:
            self.order()
            self.decide()
        except (JunctorError, ConnectionLost, OSError) as error:
            self.refused = error

    def left(self) -> list[str]:
        archive = open_archive(self.node.store)
        try:
            runs = archive.runs(RunQuery(limit=1000))
        finally:
            archive.close()
        done = {run.key for run in runs if run.status is RunStatus.DONE}
        return [number for number in self.numbers if number not in done]


def killed(folder: Path, kills: int, count: int) -> None:
    """Kill the node again and again while orders go through it, let it end its work, and look at the accounts."""
    seed = seed_of_this_run()
    chance, made = random.Random(seed), Campaign(seed)
    node = Node(folder, program=EXAMPLE, PATIENCE="1h", SECOND_THOUGHTS="0.5s")
    customers = Customers(node, count)
    try:
        for _ in range(kills):
            node.start()
            crowd = threading.Thread(target=customers.work)
            crowd.start()
            time.sleep(chance.random() * 0.8)
            node.kill()
            crowd.join()
        node.start()
        until(
            lambda: customers.work() or not customers.left(),
            lambda: f"left: {customers.left()}, {customers.refused!r}, {repeat(seed)}\n{node.said}",
        )
        node.stop()
    finally:
        node.close()
    wrong = _wrong(folder / "store", customers.numbers)
    made.ended(kills, len(customers.numbers), Faults(torn=wrong))
    assert not wrong, "\n".join([*wrong, repeat(seed)])


def _wrong(store: Path, numbers: list[str]) -> list[str]:
    """Accounts and parcels that are not what the order comes to."""
    found = _states(store)
    wanted: dict[tuple[str, str, str], Any] = {}
    for number in numbers:
        kind = number.partition("-")[0]
        amount, price = KINDS[kind]
        wanted["bank", number, "paid"] = price
        if kind in ("plain", "large"):
            wanted["parcels", number, "parcels"] = 1
            wanted["stock", "", f"order {number}"] = [number, amount]
            wanted["stock", "", number] = 10 - amount
        else:
            wanted["bank", number, "given back"] = price
    return [
        f"{' '.join(place)}: {found.get(place)} instead of {wanted.get(place)}"
        for place in sorted({*found, *wanted})
        if found.get(place) != wanted.get(place)
    ]


def _states(store: Path) -> dict[tuple[str, str, str], Any]:
    """By service, key and name."""
    sql = "SELECT w.text, s.key, s.name, s.value FROM state AS s JOIN word AS w ON w.id = s.service"
    db = apsw.Connection(str(store / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = db.execute(sql).fetchall()
    finally:
        db.close()
    return {(service.partition("/")[2], key, name): json.loads(value) for service, key, name, value in rows}


@pytest.mark.crash
@pytest.mark.timeout(120)
def test_killed_three_times_each_order_comes_to_its_end(short_dir: Path) -> None:
    killed(short_dir, 3, 4)


@pytest.mark.crash
@pytest.mark.torture
@pytest.mark.timeout(1200)
def test_killed_twenty_times_each_order_comes_to_its_end(short_dir: Path) -> None:
    killed(short_dir, cycles(20), 20)
