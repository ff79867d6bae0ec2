"""State: what a handler writes is its own at once, the next delivery's before it is on disk, everybody's after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from junctor.core.policy import RetryPolicy
from junctor.core.spec import ActionSpec
from junctor.errors import StateError
from junctor.messages import Kind
from tests.unit.runtime.flowkit import Answer, Bag, Gate, Item, Me, Node, Store, running, service

ONCE = RetryPolicy(attempts=1)


def read(me: Me, name: str, key: str | None = None) -> Any:
    try:
        return me.port.state(key).read(name)
    except KeyError:
        return None


async def count(me: Me, item: Item) -> Answer:
    total = (read(me, "total") or 0) + item.n
    me.state.write("total", total)
    assert read(me, "total") == total, "a handler reads its own writes"
    return Answer(total)


def count_blocking(me: Me, item: Item) -> Answer:
    total = (read(me, "total") or 0) + item.n
    me.state.write("total", total)
    return Answer(total)


def committed(node: Node, name: str = "sum", key: str = "") -> dict[str, Any]:
    import msgspec

    stored = node.engine.transport.state(f"flow/{name}", key)
    return {entry: msgspec.json.decode(value) for entry, (value, _) in stored.items()}


@pytest.mark.parametrize("act", [count, count_blocking])
@pytest.mark.parametrize("loop", ["shared", "own"])
async def test_every_delivery_sees_what_the_one_before_it_wrote(
    store: Store, act: Callable[..., Any], loop: str
) -> None:
    """In a burst nobody waits for the disk in between, and nothing is done twice."""
    handled: list[int] = []

    async def noted(me: Me, item: Item) -> Answer:
        handled.append(me.message.seq)
        return await act(me, item)

    def noted_blocking(me: Me, item: Item) -> Answer:
        handled.append(me.message.seq)
        return act(me, item)

    chosen = noted if act is count else noted_blocking
    async with running(store, service("sum", chosen, replies=Answer, loop=loop)) as node:
        await node.send_all("sum", [Item(1)] * 200)
        assert await node.request("sum", Item(1)) == Answer(201)
        await node.until(lambda: committed(node) == {"total": 201})
        assert node.statuses("sum") == ["DONE"] * 201
        assert handled == [record.message.seq for record in node.records("sum")]


async def test_what_a_failed_delivery_wrote_is_gone(store: Store) -> None:
    async def act(me: Me, item: Item) -> Answer:
        before = read(me, "total")
        me.state.write("total", item.n)
        if item.n < 0:
            raise ValueError("no")
        return Answer(before or 0)

    async with running(store, service("sum", act, replies=Answer, retry=ONCE)) as node:
        await node.send_all("sum", [Item(5), Item(-1)])
        assert await node.request("sum", Item(7)) == Answer(5)
        await node.until(lambda: committed(node) == {"total": 7})


async def test_a_route_reads_what_is_committed_and_may_not_write(store: Store) -> None:
    gate = Gate()
    found: list[Any] = []

    async def act(me: Me, item: Item) -> None:
        me.state.write("n", item.n)
        if item.n == 2:
            await gate.wait()

    async def look(me: Me) -> None:
        found.append(read(me, "n"))
        with pytest.raises(StateError, match="outside a delivery"):
            me.state.write("n", 99)

    async with running(store, service("sum", act)) as node:
        await node.send_all("sum", [Item(1), Item(2)])
        await node.until(lambda: gate.inside and committed(node) == {"n": 1})
        host = node.host("sum")
        call = host.bound(ActionSpec(name="look", bind=lambda me: lambda: look(me), signature=look))
        await host.enter(Kind.ROUTE, "look", call, False)
        gate.open()
        await node.until(lambda: committed(node) == {"n": 2})
        await host.enter(Kind.ROUTE, "look", call, False)
        assert found == [1, 2]


async def test_loop_and_on_start_read_but_may_not_write(store: Store) -> None:
    refused: list[str] = []

    async def try_to_write(me: Me) -> None:
        assert read(me, "n") is None
        try:
            me.state.write("n", 1)
        except StateError as error:
            refused.append(error.code)
        await me.port.sleep(60)

    async def on_start(me: Me) -> None:
        with pytest.raises(StateError):
            me.state.write("n", 1)

    async with running(store, service("sum", count, start=on_start, main=try_to_write)) as node:
        await node.until(lambda: refused == ["state"])


async def test_a_tick_writes_state_with_its_commit(store: Store) -> None:
    async def tick(me: Me) -> None:
        me.state.write("ticks", (read(me, "ticks") or 0) + 1)

    async with running(store, service("sum", every=0.01, tick=tick)) as node:
        await node.until(lambda: committed(node).get("ticks", 0) >= 3)


async def test_a_task_that_outlives_its_delivery_may_not_write(store: Store) -> None:
    import asyncio

    gate = Gate()
    late: list[asyncio.Task[None]] = []

    async def later(view: Any) -> None:
        await gate.wait()
        with pytest.raises(StateError, match="outside a delivery"):
            view.write("n", 2)

    async def act(me: Me, item: Item) -> None:
        view = me.state
        view.write("n", 1)
        late.append(asyncio.ensure_future(later(view)))

    async with running(store, service("sum", act)) as node:
        await node.send("sum", Item(1))
        await node.until(lambda: committed(node) == {"n": 1})
        gate.open()
        await late[0]


async def test_values_are_copies(store: Store) -> None:
    async def act(me: Me, bag: Bag) -> Answer:
        items = read(me, "items") or []
        items.append(1)
        if bag.items:
            me.state.write("items", items)
            items.append(2)
        return Answer(len(read(me, "items") or []))

    async with running(store, service("sum", act, accepts=Bag, replies=Answer)) as node:
        assert await node.request("sum", Bag([])) == Answer(0)
        assert await node.request("sum", Bag([1])) == Answer(1)
        assert await node.request("sum", Bag([])) == Answer(1)


async def test_state_is_kept_by_the_key_of_the_message(store: Store) -> None:
    async with running(store, service("sum", count, replies=Answer, pool=4, key="key")) as node:
        await node.send_all("sum", [Item(1, f"k{n % 3}") for n in range(30)])
        assert await node.request("sum", Item(1, "k0")) == Answer(11)
        await node.until(lambda: [committed(node, key=f"k{n}").get("total") for n in range(3)] == [11, 10, 10])
        assert sorted(node.engine.transport.state_keys("flow/sum")) == ["k0", "k1", "k2"]


async def test_with_a_pool_and_no_key_state_is_refused(store: Store) -> None:
    async with running(store, service("sum", count, replies=Answer, pool=2)) as node:
        await node.send("sum", Item(1))
        await node.until(lambda: node.statuses("sum") == ["PARKED"])
        (attempt,) = node.attempts("sum")
        assert attempt.failure.type == "StateError" and "needs a key" in attempt.failure.text


async def test_names_and_deletion_inside_and_after_a_delivery(store: Store) -> None:
    inside: list[list[str]] = []

    async def act(me: Me, item: Item) -> None:
        state = me.state
        if item.n == 1:
            state.write("a", 1)
            state.write("b", 2)
        else:
            state.delete("a")
            with pytest.raises(KeyError):
                state.read("a")
            with pytest.raises(KeyError):
                state.delete("a")
            state.write("c", 3)
        inside.append(sorted(state.names()))

    async with running(store, service("sum", act)) as node:
        await node.send_all("sum", [Item(1), Item(2)])
        await node.until(lambda: committed(node) == {"b": 2, "c": 3})
        assert inside == [["a", "b"], ["b", "c"]]


async def test_an_entry_deleted_and_written_again_in_one_delivery_and_in_the_next(store: Store) -> None:
    async def act(me: Me, item: Item) -> None:
        state = me.state
        if item.n == 1:
            state.write("a", 1)
            state.delete("a")
            state.write("a", 2)
        elif item.n == 2:
            state.delete("a")
        else:
            state.write("a", item.n)

    async with running(store, service("sum", act)) as node:
        await node.send_all("sum", [Item(n) for n in (1, 2, 3, 2, 4)])
        await node.until(lambda: node.statuses("sum") == ["DONE"] * 5)
        await node.until(lambda: committed(node) == {"a": 4})
        assert [record.attempt for record in node.records("sum")] == [1] * 5


async def test_a_value_that_json_cannot_carry_is_refused_where_it_is_written(store: Store) -> None:
    async def act(me: Me, item: Item) -> None:
        me.state.write("a", float("nan"))

    async with running(store, service("sum", act)) as node:
        await node.send("sum", Item(1))
        await node.until(lambda: node.statuses("sum") == ["PARKED"])
        assert node.attempts("sum")[0].failure.type == "EncodeError"


async def test_two_keys_written_by_deliveries_of_different_keys_conflict_and_are_repeated(store: Store) -> None:
    """Writing under another key than the message's own is possible; the version check catches what ran side by side."""
    gate = Gate()
    tried: list[int] = []

    async def act(me: Me, item: Item) -> None:
        tried.append(item.n)
        shared = me.port.state("shared")
        try:
            total = shared.read("total")
        except KeyError:
            total = 0
        await gate.wait()
        shared.write("total", total + 1)

    async with running(store, service("sum", act, pool=2, key="key")) as node:
        await node.send_all("sum", [Item(1, "a"), Item(2, "b")])
        await node.until(lambda: gate.inside == 2)
        gate.open()
        await node.until(lambda: committed(node, key="shared") == {"total": 2})
        await node.until(lambda: node.statuses("sum") == ["DONE", "DONE"])
        assert len(tried) == 3
        box = node.host("sum").mailbox
        assert (box.depth.count, box.active, len(box._lanes or ())) == (0, 0, 0)


async def test_a_tick_whose_state_a_handler_changed_meanwhile_is_done_again(store: Store) -> None:
    gate, ticks = Gate(), list[int]()

    async def add(me: Me, n: int) -> int:
        total = (read(me, "total") or 0) + n
        if n == 100 and not gate.opened:
            await gate.wait()
        me.state.write("total", total)
        return total

    async def tick(me: Me) -> None:
        ticks.append(1)
        await me.send("sink", Item(await add(me, 100)))

    async def act(me: Me, item: Item) -> None:
        await add(me, item.n)

    sink: list[int] = []

    async def take(me: Me, item: Item) -> None:
        sink.append(item.n)

    async with running(store, service("sink", take), service("sum", act, every=3600, tick=tick)) as node:
        await node.until(lambda: gate.inside)
        await node.send("sum", Item(1))
        await node.until(lambda: committed(node) == {"total": 1})
        gate.open()
        await node.until(lambda: committed(node) == {"total": 101})
        await node.until(lambda: sink == [101])
        assert len(ticks) == 2


async def test_state_survives_the_end_of_the_node(durable: Store) -> None:
    for n in range(3):
        async with running(durable, service("sum", count, replies=Answer)) as node:
            assert await node.request("sum", Item(1)) == Answer(n + 1)


async def test_state_survives_a_restart_of_the_service(store: Store) -> None:
    failing: list[int] = []

    async def main(me: Me) -> None:
        while not failing:
            if await me.port.sleep(0.005):
                return
        failing.clear()
        raise RuntimeError("once")

    from junctor.core.policy import RestartPolicy

    spec = service("sum", count, replies=Answer, main=main, restart=RestartPolicy(initial=0.01))
    async with running(store, spec) as node:
        assert await node.request("sum", Item(1)) == Answer(1)
        failing.append(1)
        await node.until(lambda: node.host("sum").restarts == 1)
        assert await node.request("sum", Item(1)) == Answer(2)
