"""sql-out: what it writes and answers, and what it parks, in SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Park, Service, handler
from junctor.adapters import SqlOut
from junctor.adapters.sql.address import Address
from junctor.adapters.sql.database import Database
from junctor.adapters.sql.once import Once
from junctor.errors import RequestFailed
from junctor.testing import running

ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, customer varchar(20) NOT NULL, total numeric(10, 2))"
LINES = "CREATE TABLE lines (of integer NOT NULL, item text NOT NULL)"
INSERT = "insert into orders (id, customer, total) values (:id, :customer, :total)"
ANN = {"id": 1, "customer": "Ann", "total": 2.5}


@dataclass
class Order:
    id: int
    customer: str
    total: float


@pytest.fixture(autouse=True)
def _tables(base: Any) -> None:
    base.execute(ORDERS)
    base.execute(LINES)


def flow_of(base: Any, **settings: Any) -> Flow:
    if "statements" not in settings:
        settings = {"statement": INSERT} | settings
    return Flow("shop").add(SqlOut(url=base.url, **settings), "crm")


def count(base: Any, table: str = "orders") -> int:
    return int(base.execute(f"SELECT count(*) FROM {table}")[0][0])


def parks(base: Any, told: str, body: Any, **settings: Any) -> None:
    with running(flow_of(base, **settings)) as plant, plant.expect_parked(match=told):
        plant.send("crm", body)
    assert count(base) == 0


def test_fields_of_the_body_become_parameters(base: Any) -> None:
    with running(flow_of(base)) as plant:
        plant.send("crm", ANN | {"more": "is left out"})
        plant.send("crm", Order(2, "Bob", 1.25))
    rows = base.execute("SELECT id, customer, total FROM orders ORDER BY id")
    assert [(number, name, float(total)) for number, name, total in rows] == [(1, "Ann", 2.5), (2, "Bob", 1.25)]


def test_a_value_never_becomes_sql(base: Any) -> None:
    names = ["O'Hara", "'; drop table x; -", 'a"b', "100% :id", "\\", "ü€😀", "%(id)s", ""]
    with running(flow_of(base)) as plant:
        for number, name in enumerate(names):
            plant.send("crm", ANN | {"id": number, "customer": name})
    assert base.execute("SELECT customer FROM orders ORDER BY id") == [(name,) for name in names]


def test_parameters_are_expressions(base: Any) -> None:
    parameters = {"total": "body.price * body.count", "customer": "body.customer.name + ' ' + message.effect"}
    with running(flow_of(base, parameters=parameters)) as plant:
        receipt = plant.send("crm", {"id": 1, "price": 2.5, "count": 4, "customer": {"name": "Ann"}})
    ((customer, total),) = base.execute("SELECT customer, total FROM orders")
    assert (customer, float(total)) == (f"Ann {receipt.id}", 10.0)


def test_a_literal_colon_and_percent(base: Any) -> None:
    statement = r"insert into orders values (:id, 'a\:b 5%', null)"
    with running(flow_of(base, statement=statement)) as plant:
        plant.send("crm", {"id": 1})
    assert base.execute("SELECT * FROM orders") == [(1, "a:b 5%", None)]


def test_objects_and_lists_become_json(base: Any) -> None:
    with running(flow_of(base)) as plant:
        plant.send("crm", ANN | {"customer": {"a": [1, "x"]}})
        plant.send("crm", {"id": 2, "customer": [1, None], "total": None})
    assert base.execute("SELECT customer FROM orders ORDER BY id") == [('{"a":[1,"x"]}',), ("[1,null]",)]


# Several ---------------------------------------------------------------------------------------------------


def several(**more: Any) -> dict[str, Any]:
    lines = {"statement": "insert into lines values (:of, :item)", "each": "body.items"}
    lines["parameters"] = {"of": "1", "item": "body"}  # type: ignore[assignment]
    return {"statements": [{"statement": INSERT}, lines | more]}


def test_several_statements_are_one_transaction(base: Any) -> None:
    with running(flow_of(base, **several())) as plant:
        assert plant.request("crm", ANN | {"items": ["a", "b", "c"]}) == {"count": 4}
    assert base.execute("SELECT * FROM lines") == [(1, "a"), (1, "b"), (1, "c")]
    assert count(base) == 1


def test_what_fails_undoes_all(base: Any) -> None:
    parks(base, "(?i)not.null", ANN | {"items": ["a", None, "c"]}, **several())
    assert count(base, "lines") == 0


def test_a_batch(base: Any) -> None:
    orders = [{"id": n, "customer": f"c{n}", "total": n} for n in range(500)]
    with running(flow_of(base, each="body.orders", rows=1)) as plant:
        assert plant.request("crm", {"orders": orders}) == {"count": 500}
        assert plant.request("crm", {"orders": []}) == {"count": 0}
    assert count(base) == 500


def test_a_batch_with_one_that_does_not_fit_is_parked_whole(base: Any) -> None:
    orders = [ANN, ANN | {"id": 2}, ANN]
    parks(base, "(?i)unique", orders, each="body")
    parks(base, 'no field "total"', [ANN, {"id": 2, "customer": "x"}], each="body")
    parks(base, "is dict, not a list", {"a": 1}, each="body")


# Answers ----------------------------------------------------------------------------------------------------

SELECT = "select id, customer from orders where id <= :id order by id"


def test_a_request_gets_rows_or_a_count(base: Any) -> None:
    with running(flow_of(base)) as plant:
        assert plant.request("crm", ANN) == {"count": 1}
    with running(flow_of(base, statement=INSERT + " returning id, customer")) as plant:
        assert plant.request("crm", ANN | {"id": 2}) == [{"id": 2, "customer": "Ann"}]
    with running(flow_of(base, statement=SELECT)) as plant:
        assert [row["id"] for row in plant.request("crm", {"id": 9})] == [1, 2]
        assert plant.request("crm", {"id": 0}) == []
    with running(flow_of(base, statement=SELECT, answer="row")) as plant:
        assert plant.request("crm", {"id": 1}) == {"id": 1, "customer": "Ann"}
        assert plant.request("crm", {"id": 0}) is None
    with running(flow_of(base, statement=SELECT, fields={"n": "response.count", "id": "response.rows[0].id"})) as plant:
        assert plant.request("crm", {"id": 9}) == {"n": 2, "id": 1}


def test_rows_go_to_out(base: Any) -> None:
    class Sink(Service):
        @handler
        async def on_order(self, order: Order) -> None: ...

    base.execute("INSERT INTO orders VALUES (1, 'Ann', 2.5)")
    statement = "select id, customer, total from orders where id = :id"
    crm = SqlOut(url=base.url, statement=statement, answer="row")
    flow = Flow("shop").add(crm, "crm", connect={"out": "sink"}).add(Sink(), "sink")
    with running(flow) as plant:
        plant.send("crm", {"id": 1})
        assert plant.received("sink") == [Order(1, "Ann", 2.5)]


def test_the_number_of_rows_is_watched(base: Any) -> None:
    update = "update orders set total = 1 where customer = :customer"
    with running(flow_of(base, statement=update, rows=1)) as plant, plant.expect_parked(match="has met 0 rows"):
        plant.send("crm", ANN)
    base.execute("INSERT INTO orders VALUES (1, 'Ann', 2), (2, 'Ann', 2)")
    with running(flow_of(base, statement=update, rows=1)) as plant, plant.expect_parked(match="has met 2 rows"):
        plant.send("crm", ANN)
    assert [float(total) for (total,) in base.execute("SELECT total FROM orders")] == [2, 2], "it is undone"


def test_more_rows_than_allowed(base: Any) -> None:
    base.execute("INSERT INTO orders VALUES (1, 'Ann', 2), (2, 'Ann', 2), (3, 'Ann', 2)")
    with running(flow_of(base, statement=SELECT, limit=2)) as plant, plant.expect_parked(match="more than 2 rows"):
        plant.send("crm", {"id": 9})


# Bad messages -----------------------------------------------------------------------------------------------


def test_a_missing_parameter_is_named(base: Any) -> None:
    parks(base, 'needs :total, and the body has no field "total"', {"id": 1, "customer": "Ann"})
    parks(base, "needs :customer, and the body is str", "text")


def test_constraints_and_data(base: Any) -> None:
    parks(base, "(?i)not.null", ANN | {"customer": None})
    if hasattr(base, "server"):
        parks(base, "too long", ANN | {"customer": "x" * 21})
        parks(base, "NUL", ANN | {"customer": "a\0b"})
        parks(base, "out of range", ANN | {"id": 2**40})
        parks(base, "invalid input syntax", ANN | {"id": "x"})
    else:
        parks(base, "mismatch", ANN | {"id": "x"})
        parks(base, "too large", ANN | {"id": 2**63})
    assert count(base) == 0


def test_the_values_of_a_message_are_not_in_the_error(base: Any) -> None:
    with running(flow_of(base)) as plant:
        plant.send("crm", ANN)
        with plant.expect_parked() as parked:
            plant.send("crm", ANN | {"customer": "very secret"})
        assert "secret" not in str(parked)


# Once -------------------------------------------------------------------------------------------------------

APPEND = "insert into lines values (:id, :customer)"


def test_once_a_message_that_comes_again_changes_nothing_and_gets_the_same_answer(base: Any) -> None:
    class Partner(Service):
        @handler
        async def on_rows(self, rows: list[Any]) -> Any:
            asked.append(rows)
            if len(asked) == 1:
                raise Park("not now")  # the statement is committed
            return "done"

    asked: list[Any] = []
    crm = SqlOut(url=base.url, statement=APPEND + " returning item", once="done_here", create=True)
    flow = Flow("shop").add(crm, "crm", connect={"out": "partner"}).add(Partner(), "partner")
    with running(flow) as plant:
        with plant.expect_parked(), pytest.raises(RequestFailed):
            plant.request("crm", ANN)
        plant.resend(next(one for one in plant.parked if one.service == "crm"))
    assert asked == [[{"item": "Ann"}]] * 2
    assert count(base, "lines") == 1


def test_once_survives_a_kill_of_the_node(base: Any, tmp_path: Path) -> None:
    with running(flow_of(base, statement=APPEND, once="done_here", create=True), store=tmp_path / "store") as plant:
        receipt = plant.send("crm", ANN)
        plant.restart()
        plant.send("crm", ANN)
    assert count(base, "lines") == 2
    assert (receipt.id, None) in base.execute("SELECT effect, answer FROM done_here")


def test_the_table_is_made_by_many_at_the_same_moment(base: Any) -> None:
    """PostgreSQL tells all but one that a key is there twice."""
    bases = [Database(Address.read(base.url), 10) for _ in range(6)]

    def make(name: str, own: Database) -> None:
        with own.transaction(reading=True):
            pass  # connected
        ready.wait()
        Once(name).create(own)

    try:
        for name in ("one", "two", "three"):
            ready = threading.Barrier(len(bases))
            with ThreadPoolExecutor(len(bases)) as pool:
                assert list(pool.map(make, [name] * len(bases), bases)) == [None] * len(bases)
    finally:
        for own in bases:
            own.close()


async def test_the_table_is_made_by_many_at_once(base: Any) -> None:
    crm = SqlOut(url=base.url, statement=APPEND, once="done_here", create=True)
    async with Flow("shop").add(crm, "crm", pool=8).running(transport="memory") as node:
        target = node.target("shop/crm", Any)
        await asyncio.gather(*(target.send(ANN | {"id": n}) for n in range(50)))
        async with asyncio.timeout(20):
            while count(base, "lines") < 50:
                await asyncio.sleep(0.01)
        assert node.status().services[0].parked == 0


def test_once_needs_its_table(base: Any) -> None:
    flow = flow_of(base, statement=APPEND, once="done_here")
    with running(flow) as plant:
        plant.send("crm", ANN)
        assert count(base, "lines") == 0
        base.execute("CREATE TABLE done_here (effect varchar(200) PRIMARY KEY, done timestamp, answer text)")
        plant.advance("1m")
        assert count(base, "lines") == 1


# What is not a matter of the message ------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["insert into ordrs values (:id)", "insert onto orders values (:id)"])
def test_a_statement_that_cannot_work_holds(base: Any, statement: str) -> None:
    with running(flow_of(base, statement=statement)) as plant:
        plant.send("crm", ANN)
        plant.advance("1h")
        assert [alert.kind for alert in plant.alerts][:1] == ["held"]
        assert "ordrs" in str(plant.alerts[0].text) or "syntax error" in str(plant.alerts[0].text)
