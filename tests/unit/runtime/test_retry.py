"""A failed delivery is tried again as its policy says, then parked with everything an operator needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.outcome import Hold, Park, Retry
from junctor.core.policy import HoldPolicy, RetryPolicy
from junctor.errors import RequestFailed
from junctor.messages import Status
from tests.unit.runtime.flowkit import Answer, Item, Me, Store, running, service

STEADY = RetryPolicy(attempts=4, initial=1, factor=2, max=3, jitter=0)


class Script:
    """Fails as it is told, attempt by attempt, then succeeds; remembers when it was called (seconds from the start)."""

    def __init__(self, clock: VirtualClock, *errors: Any) -> None:
        self.errors = list(errors)
        self.at: list[float] = []
        self._clock = clock

    async def take(self, me: Me, item: Item) -> Answer:
        self.at.append(round(self._clock.monotonic(), 3))
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        return Answer(item.n)


async def test_the_waits_grow_as_the_policy_says(store: Store, clock: VirtualClock) -> None:
    script = Script(clock, *[ValueError("no")] * 3)
    async with running(store, service("sink", script.take, retry=STEADY), clock=clock) as node:
        await node.send("sink", Item(1))
        await node.advance(10)
        assert script.at == [0, 1, 3, 6], "1, then 2, then 4 cut to 3"
        (record,) = node.records("sink")
        assert (record.status, record.attempt) == (Status.DONE, 4)


async def test_after_its_attempts_a_message_is_parked_with_alert_and_attempt_rows(
    store: Store, clock: VirtualClock
) -> None:
    script = Script(clock, *[ValueError(f"no {n}") for n in range(4)])
    async with running(store, service("sink", script.take, retry=STEADY), clock=clock) as node:
        receipt = await node.send("sink", Item(1))
        await node.advance(10)
        (record,) = node.records("sink")
        assert (record.status, record.attempt) == (Status.PARKED, 4)
        assert record.failure is not None and (record.failure.type, record.failure.text) == ("ValueError", "no 3")
        assert "in take" in record.failure.traceback
        assert [(a.attempt, a.failure.text) for a in node.attempts("sink")] == [(n + 1, f"no {n}") for n in range(4)]
        (alert,) = node.alerts("parked")
        assert (alert.service, alert.seq) == ("flow/sink", record.message.seq)
        assert receipt.id in alert.text and alert.command == f"junctor trace {record.message.seq}"
        (group,) = node.engine.transport.archive.parked()
        assert (group.service, group.error, group.count) == ("flow/sink", "ValueError", 1)
        assert node.host("sink").mailbox.depth.count == 0


@pytest.mark.parametrize(
    ("error", "on", "waits"),
    [
        (ConnectionError(), {"ConnectionError": "park"}, []),
        (ConnectionResetError(), {"OSError": "park"}, []),
        (ConnectionResetError(), {"OSError": "park", "ConnectionError": "retry"}, [1]),
        (Park("never mind"), {"Park": "retry"}, []),
        (Retry("soon", delay=0.5), {}, [0.5]),
        (Retry("as you like"), {}, [1]),
        (Hold("away", delay=0.25), {}, [0.25]),
        (KeyError("x"), {"Exception": "hold"}, [1]),
    ],
    ids=str,
)
async def test_the_reaction_to_an_exception(
    store: Store, clock: VirtualClock, error: Exception, on: dict[str, Any], waits: list[float]
) -> None:
    """The handler's own word first, then the policy's for the nearest class."""
    script = Script(clock, error)
    retry = RetryPolicy(attempts=4, initial=1, jitter=0, on=on)
    spec = service("sink", script.take, retry=retry, hold=HoldPolicy(jitter=0))
    async with running(store, spec, clock=clock) as node:
        await node.send("sink", Item(1))
        await node.advance(3, step=0.25)
        assert script.at == [0, *waits]
        assert node.statuses("sink") == ["DONE" if waits else "PARKED"]


async def test_one_attempt_means_none_after_it(store: Store, clock: VirtualClock) -> None:
    script = Script(clock, ValueError("no"))
    async with running(store, service("sink", script.take, retry=RetryPolicy(attempts=1)), clock=clock) as node:
        await node.send("sink", Item(1))
        await node.advance(1)
        assert (script.at, node.statuses("sink")) == ([0], ["PARKED"])


async def test_a_retry_survives_the_end_of_the_node_with_its_number_and_its_time(
    durable: Store, clock: VirtualClock
) -> None:
    script = Script(clock, *[ValueError("no")] * 2)
    spec = service("sink", script.take, retry=STEADY)
    async with running(durable, spec, clock=clock) as node:
        await node.send_all("sink", [Item(1), Item(2)])
        await node.advance(1.5)
    async with running(durable, spec, clock=clock) as node:
        await node.advance(1)
        assert script.at == [0, 1], "the third attempt is due at 3"
        await node.advance(1)
        assert script.at == [0, 1, 3, 3], "the attempt that was due, then the message behind it"
        assert [record.attempt for record in node.records("sink")] == [3, 1]


async def test_while_a_retry_runs_it_is_not_handed_out_again(store: Store, clock: VirtualClock) -> None:
    """A delayed message comes due meanwhile; the look for due ones must not find the running retry."""
    begun: list[int] = []
    ends: list[Callable[[], None]] = []

    async def take(me: Me, item: Item) -> None:
        begun.append(item.n)
        if begun == [1]:
            raise ValueError("once")
        if begun == [1, 1]:
            await me.port.sleep(5)

    spec = service("sink", take, retry=RetryPolicy(initial=1, jitter=0), pool=2, key="key")
    async with running(store, spec, clock=clock) as node:
        await node.send("sink", Item(1, "a"))
        await node.send("sink", Item(2, "b"), delay=2)
        await node.send("sink", Item(3, "c"), delay=3)
        await node.advance(8)
        assert begun == [1, 1, 2, 3]
        assert ends == []


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), "cancelled", StopIteration(), GeneratorExit()])
async def test_whatever_a_handler_raises_is_a_failure_of_its_message_only(
    store: Store, error: Any, blocking: bool
) -> None:
    import asyncio

    done: list[int] = []

    def fail(item: Item) -> None:
        if item.n == 1:
            raise asyncio.CancelledError if error == "cancelled" else error
        done.append(item.n)

    async def take(me: Me, item: Item) -> None:
        fail(item)

    def take_blocking(me: Me, item: Item) -> None:
        fail(item)

    spec = service("sink", take_blocking if blocking else take, retry=RetryPolicy(attempts=2, initial=0.01))
    async with running(store, spec) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.until(lambda: done == [0, 2])
        await node.until(lambda: node.statuses("sink") == ["DONE", "PARKED", "DONE"])
        assert len(node.attempts("sink")) == 2


@pytest.mark.parametrize("loop", ["shared", "own"])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), "cancelled", GeneratorExit()])
async def test_the_same_on_a_loop_of_its_own(store: Store, error: Any, loop: str) -> None:
    import asyncio

    done: list[int] = []

    async def take(me: Me, item: Item) -> None:
        await asyncio.sleep(0)
        if item.n == 1:
            raise asyncio.CancelledError if error == "cancelled" else error
        done.append(item.n)

    spec = service("sink", take, retry=RetryPolicy(attempts=2, initial=0.01), loop=loop)
    async with running(store, spec) as node:
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.until(lambda: done == [0, 2])
        await node.until(lambda: node.statuses("sink") == ["DONE", "PARKED", "DONE"])


class Odd(Exception):
    """A user's exception with attributes of the same names as ours, and a text that cannot be made."""

    delay = "soon"
    reaction = 7

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "error", [Odd(), ValueError("\ud800 is half a character"), ValueError("\0"), ValueError("x" * 100_000)], ids=repr
)
async def test_an_exception_that_is_hard_to_keep_is_kept(store: Store, error: Exception) -> None:
    async def take(me: Me, item: Item) -> None:
        raise error

    async with running(store, service("sink", take, retry=RetryPolicy(attempts=2, initial=0.01))) as node:
        await node.send("sink", Item(1))
        await node.until(lambda: node.statuses("sink") == ["PARKED"])
        assert len(node.attempts("sink")) == 2


async def test_a_request_gets_the_failure_of_its_parked_message(store: Store, clock: VirtualClock) -> None:
    script = Script(clock, *[LookupError("no such account")] * 4)
    spec = service("sink", script.take, replies=Answer, retry=STEADY)
    async with running(store, spec, clock=clock) as node:
        reply = node.request("sink", Item(1))
        await node.advance(10)
        with pytest.raises(RequestFailed, match="no such account") as raised:
            await reply
        assert raised.value.error_type == "LookupError"
