"""Order is kept per service with a pool of 1 and per key with a larger one, whatever fails in between."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.policy import RetryPolicy
from junctor.messages import Status
from junctor.runtime.engine import WINDOW
from tests.unit.runtime.flowkit import Answer, Gate, Item, Me, Store, running, service

SLOW = RetryPolicy(attempts=5, initial=10, factor=1, jitter=0)


class Log:
    """What a service was given, in order; numbers in ``failing`` fail as often as they are listed there."""

    def __init__(self, *failing: int) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.failing = list(failing)

    async def take(self, me: Me, item: Item) -> Answer:
        self.begun.append(item.n)
        if item.n in self.failing:
            self.failing.remove(item.n)
            raise ValueError(f"{item.n} fails")
        self.done.append(item.n)
        return Answer(item.n)


async def test_a_failing_head_holds_back_the_others(store: Store, clock: VirtualClock) -> None:
    log = Log(1, 1)
    async with running(store, service("sink", log.take, retry=SLOW), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(4)])
        await node.idle()
        assert log.begun == [0, 1]
        await node.advance(10)
        assert log.begun == [0, 1, 1]
        await node.advance(10)
        assert log.begun == [0, 1, 1, 1, 2, 3]


async def test_a_parked_head_lets_the_others_go(store: Store, clock: VirtualClock) -> None:
    log = Log(*[1] * 5)
    async with running(store, service("sink", log.take, retry=SLOW), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.advance(39)
        assert log.done == [0]
        await node.advance(2)
        assert log.done == [0, 2]
        assert node.statuses("sink") == ["DONE", "PARKED", "DONE"]


@pytest.mark.parametrize("pool", [1, 3])
async def test_with_skip_the_others_pass_a_failing_message(store: Store, clock: VirtualClock, pool: int) -> None:
    log = Log(1)
    spec = service("sink", log.take, retry=SLOW, order="skip", pool=pool)
    async with running(store, spec, clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in range(4)])
        await node.idle()
        assert log.done == [0, 2, 3]
        await node.advance(10)
        assert log.done == [0, 2, 3, 1]


async def test_with_skip_and_a_key_the_others_of_the_key_pass_too(store: Store, clock: VirtualClock) -> None:
    log = Log(1)
    spec = service("sink", log.take, retry=SLOW, order="skip", pool=2, key="key")
    async with running(store, spec, clock=clock) as node:
        await node.send_all("sink", [Item(n, "k") for n in range(4)])
        await node.idle()
        assert log.done == [0, 2, 3]
        await node.advance(10)
        assert log.done == [0, 2, 3, 1]


@pytest.mark.parametrize("key", [None, "key"])
async def test_with_skip_others_pass_however_many_are_being_retried(
    durable: Store, clock: VirtualClock, key: str | None
) -> None:
    """More failing messages than the window: they wait in the store, and those that can be handled are."""
    failing = range(50)
    log = Log(*failing)
    spec = service("sink", log.take, retry=SLOW, order="skip", pool=2, key=key)
    async with running(durable, spec, clock=clock) as node:
        box = node.host("sink").mailbox
        box._window, box._low = 16, 8
        await node.send_all("sink", [Item(n, f"k{n % 5}") for n in (*failing, *range(100, 150))])
        await node.until(lambda: sorted(log.done) == list(range(100, 150)))
        assert in_memory(box) == 0
        await node.advance(11)
        await node.until(lambda: sorted(log.done[50:]) == list(failing))
        await node.until(lambda: node.statuses("sink") == ["DONE"] * 100)
        assert [record.attempt for record in node.records("sink")] == [2] * 50 + [1] * 50
        assert (box.depth.count, box.active, len(box.retrying)) == (0, 0, 0)


async def test_a_failing_key_holds_back_only_itself(store: Store, clock: VirtualClock) -> None:
    log = Log(0)
    spec = service("sink", log.take, retry=SLOW, pool=4, key="key")
    async with running(store, spec, clock=clock) as node:
        await node.send_all("sink", [Item(n, "bad" if n % 2 == 0 else f"good{n % 3}") for n in range(20)])
        await node.idle()
        assert sorted(log.done) == list(range(1, 20, 2))
        await node.advance(10)
        assert [n for n in log.done if n % 2 == 0] == list(range(0, 20, 2))


async def test_with_a_pool_different_keys_run_at_the_same_time_and_equal_ones_never(store: Store) -> None:
    gates: dict[str, Gate] = defaultdict(Gate)
    running_now: list[str] = []
    clashes: list[str] = []

    async def take(me: Me, item: Item) -> None:
        if item.key in running_now:
            clashes.append(item.key)
        running_now.append(item.key)
        await gates[item.key].wait()
        running_now.remove(item.key)

    async with running(store, service("sink", take, pool=4, key="key")) as node:
        await node.send_all("sink", [Item(n, key) for n in range(3) for key in "abcd"])
        await node.until(lambda: sorted(running_now) == list("abcd"))
        for gate in gates.values():
            gate.open()
        await node.until(lambda: node.statuses("sink") == ["DONE"] * 12)
    assert clashes == []


@pytest.mark.parametrize("behind", [3, 40, WINDOW * 2])
async def test_more_messages_than_the_window_behind_a_blocked_key(
    store: Store, clock: VirtualClock, behind: int
) -> None:
    """Other keys flow, the memory of the mailbox is bounded, and in the end all of them came in order."""
    log = Log(0)
    spec = service("sink", log.take, retry=SLOW, pool=4, key="key")
    async with running(store, spec, clock=clock) as node:
        await node.send("sink", Item(0, "bad"))
        await node.idle()
        await node.send_all("sink", [Item(n, "bad") for n in range(1, behind)])
        await node.send_all("sink", [Item(100_000 + n, f"k{n % 7}") for n in range(50)])
        await node.until(lambda: len(log.done) == 50)
        box = node.host("sink").mailbox
        assert not store.durable or in_memory(box) <= 16, "a few behind the head"
        assert box.depth.count == behind
        await node.advance(10)
        await node.until(lambda: len(log.done) == 50 + behind)
        assert log.done[50:] == list(range(behind))
        assert (box.depth.count, box.active, len(box._lanes or ())) == (0, 0, 0)


async def test_a_request_does_not_overtake_earlier_sends_of_its_key(store: Store, clock: VirtualClock) -> None:
    log = Log(0)
    spec = service("sink", log.take, replies=Answer, retry=SLOW, pool=4, key="key")
    async with running(store, spec, clock=clock) as node:
        await node.send("sink", Item(0, "bad"))
        await node.idle()
        await node.send_all("sink", [Item(n, "bad") for n in range(1, 40)])
        reply = node.request("sink", Item(40, "bad"))
        await node.advance(10)
        assert await reply == Answer(40)
        assert log.done == list(range(41))


async def test_two_blocked_keys_and_a_backlog_behind_them(durable: Store, clock: VirtualClock) -> None:
    """The window, the lanes that ran over and the backlog hand the same messages around: none twice, none lost."""
    log = Log(0, 1)
    spec = service("sink", log.take, retry=SLOW, pool=4, key="key")
    async with running(durable, spec, clock=clock) as node:
        total = WINDOW * 3
        await node.send_all("sink", [Item(n, f"k{n % 2}") for n in range(2)])
        await node.idle()
        await node.send_all("sink", [Item(n, f"k{n % 2 if n % 10 else 2 + n % 5}") for n in range(2, total)])
        await node.idle()
        await node.advance(10)
        await node.until(lambda: len(log.done) == total)
        for key in range(7):
            of_key = [n for n in log.done if (n % 2 if n % 10 or n < 2 else 2 + n % 5) == key]
            assert of_key == sorted(of_key)
        assert sorted(log.begun) == sorted([0, 1, *range(total)])
        await node.until(lambda: len(node.records("sink", Status.DONE)) == total)


async def test_messages_without_a_key_have_no_order_among_keyed_ones(store: Store, clock: VirtualClock) -> None:
    log = Log(0)

    async def take(me: Me, item: Any) -> None:
        await log.take(me, Item(item["n"]))

    async with running(store, service("sink", take, accepts=Any, retry=SLOW, pool=2, key="key"), clock=clock) as node:
        await node.send_all("sink", [{"n": 0, "key": "bad"}, {"n": 1, "key": "bad"}, {"n": 2}, {"n": 3}])
        await node.idle()
        assert log.done == [2, 3]
        await node.advance(10)
        assert log.done == [2, 3, 0, 1]


def in_memory(box: Any) -> int:
    """Messages that the mailbox holds as objects."""
    lanes = box._lanes._lanes.values() if box._lanes is not None else ()
    return len(box.ready) + sum(len(lane.waiting) for lane in lanes)
