"""sql-in: which rows come, in which order, once each, over restarts; in SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, handler, setting
from junctor.adapters import SqlIn
from junctor.testing import running

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, customer text, changed timestamp, state varchar(9))"


@dataclass
class Order:
    id: int
    customer: str | None
    changed: datetime.datetime | None = None
    state: str | None = None


class Sink(Service):
    @handler
    async def on_order(self, order: Order) -> None: ...


@pytest.fixture(autouse=True)
def _tables(base: Any) -> None:
    base.execute(ORDERS)


def insert(base: Any, *ids: int, state: str = "new", changed: str = "2026-11-20 10:00:00") -> None:
    rows = ", ".join(f"({number}, 'c{number}', '{changed}', '{state}')" for number in ids)
    base.execute(f"INSERT INTO orders VALUES {rows}")


def source(base: Any, **settings: Any) -> SqlIn:
    if "query" not in settings:
        settings = {"table": "orders"} | settings
    return SqlIn(url=base.url, **settings)


def ids(plant: Any, service: str = "sql-in") -> list[int]:
    return [row["id"] for row in plant.sent(f"{service}.out")]


def states(base: Any) -> list[str]:
    return [state for (state,) in base.execute("SELECT state FROM orders ORDER BY id")]


# By a cursor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_rows_come_in_order_and_once(base: Any, tmp_path: Path, batch: int) -> None:
    insert(base, 5, 1, 3, 2)
    with running(source(base, cursor=["id"], batch=batch), store=tmp_path / "store") as plant:
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3, 5]
        insert(base, 4, 6, 7)  # 4 is below what was sent
        plant.advance("1s")
        plant.restart()
        insert(base, 8)
        plant.advance("2s")
        assert ids(plant) == [1, 2, 3, 5, 6, 7, 8]


def test_a_row_is_its_columns(base: Any) -> None:
    insert(base, 1)
    with running(source(base, cursor=["id"], columns=["id", "customer"])) as plant:
        plant.advance("1s")
        assert plant.sent("sql-in.out") == [{"id": 1, "customer": "c1"}]


def test_rows_become_objects_of_the_receivers_class(base: Any) -> None:
    insert(base, 1)
    flow = Flow("shop").add(source(base, cursor=["id"]), connect={"out": "sink"}).add(Sink(), "sink")
    with running(flow) as plant:
        plant.advance("1s")
        assert plant.received("sink") == [Order(1, "c1", datetime.datetime(2026, 11, 20, 10), "new")]


def test_a_row_that_does_not_fit_is_parked_and_stops_no_other(base: Any) -> None:
    @dataclass
    class Strict:
        id: int
        customer: str

    class Picky(Service):
        @handler
        async def on_order(self, order: Strict) -> None: ...

    flow = Flow("shop").add(source(base, cursor=["id"]), connect={"out": "sink"}).add(Picky(), "sink")
    with running(flow) as plant:
        with plant.expect_parked(match="customer"):
            base.execute("INSERT INTO orders (id, customer) VALUES (1, 'a'), (2, NULL), (3, 'c')")
            plant.advance("1s")
        assert [order.id for order in plant.received("sink") if isinstance(order, Strict)] == [1, 3]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_equal_cursors_are_not_torn_apart(base: Any, batch: int) -> None:
    insert(base, 1, 2, changed="2026-01-01 00:00:00")
    insert(base, 3, 4, 5, 6, 7, changed="2026-01-02 00:00:00.123456")
    insert(base, 8, changed="2026-01-02 00:00:00.123457")
    with running(source(base, cursor=["changed"], batch=batch)) as plant:
        plant.advance("1s")
        assert sorted(ids(plant)) == [1, 2, 3, 4, 5, 6, 7, 8]
        insert(base, 9, changed="2026-01-02 00:00:00.123457")  # its place has been passed
        insert(base, 10, changed="2026-01-02 00:00:00.123458")
        plant.advance("1s")
        assert sorted(ids(plant))[8:] == [10]


def test_a_cursor_of_two_columns(base: Any) -> None:
    insert(base, 1, 2, changed="2026-01-01 00:00:00")
    with running(source(base, cursor=["changed", "id"], batch=1)) as plant:
        plant.advance("1s")
        insert(base, 3, changed="2026-01-01 00:00:00")
        plant.advance("1s")
        base.execute("UPDATE orders SET changed = '2026-01-01 00:00:01' WHERE id = 1")
        insert(base, 4, changed="2025-01-01 00:00:00")
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3, 1]


def test_rows_without_a_cursor_are_nowhere(base: Any) -> None:
    insert(base, 1, 2)
    base.execute("UPDATE orders SET changed = NULL WHERE id = 2")
    with running(source(base, cursor=["changed"])) as plant:
        plant.advance("1s")
        assert ids(plant) == [1]


def test_the_first_look_begins_where_it_is_told(base: Any, tmp_path: Path) -> None:
    insert(base, 1, 2, 3)
    with running(source(base, cursor=["id"], start=1)) as plant:
        plant.advance("1s")
        assert ids(plant) == [2, 3]
    with running(source(base, cursor=["changed", "id"], start=["2026-11-20 10:00:00", 2])) as plant:
        plant.advance("1s")
        assert ids(plant) == [3]
    with running(source(base, cursor=["id"], start="now"), store=tmp_path / "store") as plant:
        plant.advance("1s")
        plant.restart()
        insert(base, 4)
        plant.advance("1s")
        assert ids(plant) == [4]


def test_now_of_an_empty_table_is_its_beginning(base: Any) -> None:
    with running(source(base, cursor=["id"], start="now")) as plant:
        plant.advance("1s")
        insert(base, 1)
        plant.advance("1s")
        assert ids(plant) == [1]


def test_a_query(base: Any) -> None:
    insert(base, 1, 2, 3)
    query = "select o.id, upper(o.customer) as name from orders o where o.state = 'new' -- the new ones"
    with running(source(base, query=query, cursor=["id"], batch=2)) as plant:
        plant.advance("1s")
        assert [row["name"] for row in plant.sent("sql-in.out")] == ["C1", "C2", "C3"]


def test_a_query_with_the_cursor_in_it(base: Any) -> None:
    insert(base, 1, 2, 3)
    query = "select id from orders where id > :cursor order by id;"
    with running(source(base, query=query, cursor=["id"], start=1, batch=1)) as plant:
        plant.advance("1s")
        assert ids(plant) == [2, 3]


def test_rows_committed_late_are_waited_for(base: Any) -> None:
    insert(base, 1, 3)  # 2 is still under way
    with running(source(base, cursor=["id"], lag="10s")) as plant:
        plant.advance("9s")
        assert ids(plant) == []
        insert(base, 2)
        plant.advance("3s")
        assert ids(plant) == [1, 2, 3]
        insert(base, 4)
        plant.advance("15s")
        assert ids(plant) == [1, 2, 3, 4]


def test_another_cursor_than_before_is_refused(base: Any, tmp_path: Path) -> None:
    insert(base, 1)
    with running(source(base, cursor=["id"]), store=tmp_path / "store") as plant:
        plant.advance("1s")
    with running(source(base, cursor=["changed"]), store=tmp_path / "store") as plant:
        plant.advance("1s")
        assert "known by id of orders" in plant.alerts[0].text
        assert ids(plant) == []


def test_once_refuses_a_row_that_comes_again(base: Any) -> None:
    insert(base, 1, 2)
    with running(source(base, delete=True, id=["id"], once=True)) as plant:
        plant.advance("1s")
        insert(base, 1, 3)
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3]


# By a status ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [2, 500])
def test_rows_are_marked_when_their_messages_are_committed(base: Any, tmp_path: Path, batch: int) -> None:
    insert(base, 3, 1, 2)
    insert(base, 4, state="draft")
    with running(source(base, status="state", id=["id"], batch=batch), store=tmp_path / "store") as plant:
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3]
        assert states(base) == ["done", "done", "done", "draft"]
        base.execute("UPDATE orders SET state = 'new' WHERE id IN (2, 4)")
        plant.restart()
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3, 2, 4]


def test_null_as_a_status_and_an_order(base: Any) -> None:
    insert(base, 1, 2, 3)
    base.execute("UPDATE orders SET customer = NULL WHERE id <> 2")
    with running(source(base, status="customer", new=None, done="sent", id=["id"], order=["state", "id"])) as plant:
        plant.advance("1s")
        assert ids(plant) == [1, 3]
    assert base.execute("SELECT customer FROM orders ORDER BY id") == [("sent",), ("c2",), ("sent",)]


def test_rows_that_are_deleted(base: Any, tmp_path: Path) -> None:
    insert(base, *range(1, 8))
    with running(source(base, delete=True, id=["id"], batch=3), store=tmp_path / "store") as plant:
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3, 4, 5, 6, 7]
        assert states(base) == []


def test_a_row_that_was_changed_meanwhile_keeps_its_status(base: Any) -> None:
    """It is marked only where it still is as it was read."""

    class Canceller(Service):
        @handler
        async def on_row(self, row: Any) -> None:
            base.execute("UPDATE orders SET state = 'cancelled' WHERE id = 1 AND state = 'new'")

    insert(base, 1, 2)
    rows = source(base, status="state", id=["id"])
    flow = Flow("shop").add(rows, connect={"out": "sink"}, hold={"initial": 1}).add(Canceller(), "sink")
    with running(flow) as plant:
        plant.advance("1s")
    assert states(base)[1] == "done" and states(base)[0] in ("cancelled", "done")


def test_a_key_of_two_columns(base: Any) -> None:
    insert(base, 1, 2)
    with running(source(base, status="state", id=["id", "customer"], batch=1)) as plant:
        plant.advance("1s")
        assert ids(plant) == [1, 2]
    assert states(base) == ["done", "done"]


@pytest.mark.parametrize("key", [["id"], ["id", "customer"]])
async def test_two_nodes_share_a_table(base: Any, key: list[str]) -> None:
    taken: dict[str, list[int]] = {"a": [], "b": []}

    class Taker(Service):
        node: str = setting()

        @handler
        async def on_row(self, row: Any) -> None:
            taken[self.node].append(row["id"])

    def node(name: str, batch: int) -> Flow:
        rows = source(base, status="state", id=key, claim=f"by-{name}", batch=batch, interval="5ms")
        return Flow(name).add(rows, "rows", connect={"out": "taker"}).add(Taker(node=name), "taker")

    async with node("a", 7).running(transport="memory"), node("b", 5).running(transport="memory"):
        for begin in range(0, 300, 60):  # rows come while both look
            insert(base, *range(begin, begin + 60))
            await asyncio.sleep(0.02)
        async with asyncio.timeout(20):
            while set(states(base)) != {"done"}:
                await asyncio.sleep(0.01)
    assert sorted(taken["a"] + taken["b"]) == list(range(300))


def test_rows_taken_before_a_kill_are_this_nodes(base: Any) -> None:
    insert(base, 1, 2, state="taken-a")
    insert(base, 3)
    with running(source(base, status="state", id=["id"], claim="taken-a")) as plant:
        plant.advance("1s")
        assert ids(plant) == [1, 2, 3]


def test_a_row_that_is_too_large_is_told_of(base: Any) -> None:
    long = "repeat('x', 17000000)" if hasattr(base, "server") else "hex(zeroblob(8500000))"
    with running(source(base, cursor=["id"])) as plant:
        with plant.expect_parked(match="orders .*'id': 1"):
            base.execute(f"INSERT INTO orders (id, customer) VALUES (1, {long}), (2, 'b')")
            plant.advance("1s")
        assert ids(plant) == [2]
