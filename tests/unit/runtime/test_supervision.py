"""A failed service restarts with back-off; one that fails too often stays stopped with an alert; the rest runs on."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.core.policy import RestartPolicy, RetryPolicy
from junctor.core.spec import ServiceSpec
from junctor.errors import JunctorError, ServiceStopped
from junctor.messages import Kind
from junctor.observe.logs import noted
from tests.unit.runtime.flowkit import PATIENCE, Answer, Gate, Item, Me, Seen, Store, running, service

STEADY = RestartPolicy(limit=3, window=100, initial=1, factor=2, max=60, jitter=0)
RAISED = [RuntimeError("no"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()]


class Fails:
    """Raises each of its errors once, then behaves; remembers when it was called."""

    def __init__(self, clock: VirtualClock | None, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.at: list[float] = []
        self._clock = clock

    def __call__(self, me: Me) -> None:
        self.at.append(self._clock.monotonic() if self._clock is not None else 0)
        if self.errors:
            raise self.errors.pop(0)


def in_code(fails: Fails, kind: str, **more: Any) -> ServiceSpec:
    """A service whose ``on_start`` or ``loop`` runs the given code, on the loop or in a thread."""
    where, _, how = kind.partition(" ")

    async def on_loop(me: Me) -> None:
        fails(me)
        if where == "loop":
            await me.port.sleep(3600)

    def in_thread(me: Me) -> None:
        fails(me)
        if where == "loop":
            while not me.port.stopping:
                time.sleep(0.001)

    act = in_thread if how == "blocking" else on_loop
    more = {"restart": STEADY, **more}
    if where == "loop":
        return service("shaky", Seen().take, main=act, **more)
    return service("shaky", Seen().take, start=act, **more)


KINDS = ["on_start", "on_start blocking", "loop", "loop blocking"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loop", ["shared", "own"])
@pytest.mark.parametrize("error", RAISED, ids=repr)
async def test_whatever_it_raises_the_service_starts_again_and_the_rest_runs_on(
    memory: Store, kind: str, loop: str, error: BaseException
) -> None:
    seen, fails = Seen(), Fails(None, error)
    shaky = in_code(fails, kind, loop=loop, restart=RestartPolicy(initial=0.01))
    async with running(memory, shaky, service("sink", seen.take)) as node:
        await node.send("sink", Item(1))
        await node.until(lambda: seen == [1])
        await node.until(lambda: len(fails.at) == 2)
        await node.until(lambda: node.host("shaky").lifecycle.state is State.RUNNING)
        assert node.host("shaky").restarts == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_the_waits_grow_and_after_the_limit_it_stays_stopped_with_an_alert(
    store: Store, clock: VirtualClock, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Seen()
    fails = Fails(clock, *[RuntimeError(f"no {n}") for n in range(9)])
    async with running(store, in_code(fails, kind), service("sink", seen.take), clock=clock) as node:
        rests = (State.BACKOFF, State.FAILED)
        for now in range(20):
            tries = sum(at <= now for at in (0, 1, 3, 7))
            # Threads end in real time.
            await node.until(lambda: len(fails.at) >= tries and node.host("shaky").lifecycle.state in rests)  # noqa: B023
            await node.advance(1)
        assert [round(at) for at in fails.at] == [0, 1, 3, 7]
        host = node.host("shaky")
        assert (host.lifecycle.state, host.restarts) == (State.FAILED, 3)
        (alert,) = node.alerts("service-failed")
        assert alert.service == "flow/shaky" and "no 3" in alert.text
        assert alert.command == "junctor restart flow/shaky"
        told = [one for one in caplog.records if "flow/shaky failed" in one.getMessage()]
        assert len(told) == 4 and "(junctor restart flow/shaky)" in told[-1].getMessage()
        assert all(noted(one).service == "flow/shaky" for one in told), "`junctor logs --service` finds it"
        await node.send("sink", Item(1))
        await node.until(lambda: seen == [1])


async def test_failures_outside_the_window_are_forgotten(store: Store, clock: VirtualClock) -> None:
    policy = RestartPolicy(limit=1, window=10, initial=1, jitter=0)
    calls: list[float] = []

    async def main(me: Me) -> None:
        calls.append(clock.monotonic())
        if await me.port.sleep(15):
            return
        raise RuntimeError("every fifteen seconds")

    async with running(store, service("shaky", main=main, restart=policy), clock=clock) as node:
        await node.advance(70, step=1)
        assert len(calls) == 5
        assert node.host("shaky").lifecycle.state is State.RUNNING


async def test_a_loop_that_returns_is_called_again(store: Store) -> None:
    calls: list[int] = []

    async def main(me: Me) -> None:
        calls.append(1)

    async with running(store, service("busy", main=main)) as node:
        await node.until(lambda: len(calls) > 10)
        assert node.host("busy").restarts == 0


async def test_a_loop_that_returns_at_once_keeps_nobody_else_from_running(store: Store) -> None:
    seen = Seen()

    async def main(me: Me) -> None:
        return None

    async with running(store, service("busy", main=main), service("sink", seen.take)) as node:
        await node.send_all("sink", [Item(n) for n in range(50)])
        await node.until(lambda: len(seen) == 50)


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("key", [None, "key"])
async def test_what_is_being_handled_when_the_service_restarts_is_delivered_again(
    store: Store, blocking: bool, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler does not end within the grace of the restart; its message is not lost and keeps its place."""
    begun, done, gate = list[int](), list[int](), Gate()
    fail = asyncio.Event()

    async def act(me: Me, item: Item) -> None:
        begun.append(item.n)
        if len(begun) == 1:
            await gate.wait()
        done.append(item.n)

    def act_blocking(me: Me, item: Item) -> None:
        begun.append(item.n)
        if len(begun) == 1:
            gate.wait_blocking()
            return
        done.append(item.n)

    async def main(me: Me) -> None:
        while not me.port.stopping:
            await asyncio.sleep(0.001)
            if fail.is_set():
                fail.clear()
                raise RuntimeError("the loop fails while a handler runs")

    chosen, pool = act_blocking if blocking else act, 2 if key else 1
    spec = service("shaky", chosen, main=main, restart=RestartPolicy(initial=0.01), key=key, pool=pool)
    monkeypatch.setattr("junctor.runtime.host.RESTART_GRACE", 0.05)
    async with running(store, spec) as node:
        await node.send_all("shaky", [Item(n, "k") for n in range(5)])
        await node.until(lambda: begun == [0])
        fail.set()
        await node.until(lambda: done == [0, 1, 2, 3, 4])
        assert begun == [0, 0, 1, 2, 3, 4]
        await node.until(lambda: node.statuses("shaky") == ["DONE"] * 5)
        box = node.host("shaky").mailbox
        assert (box.depth.count, box.active) == (0, 0)
        gate.open()


async def test_a_thread_that_was_left_behind_can_send_nothing_any_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message is delivered again; what it would send now would be sent twice."""
    seen, gate, refused = Seen(), Gate(), list[str]()
    begun: list[int] = []
    fail = asyncio.Event()

    def act(me: Me, answer: Answer) -> None:
        begun.append(answer.n)
        if len(begun) == 1:
            gate.wait_blocking()
        try:
            me.send("sink", Item(answer.n))
        except JunctorError as error:
            refused.append(error.code)
            raise

    async def main(me: Me) -> None:
        while not me.port.stopping:
            await asyncio.sleep(0.001)
            if fail.is_set():
                fail.clear()
                raise RuntimeError("the loop fails while a handler runs")

    monkeypatch.setattr("junctor.runtime.host.RESTART_GRACE", 0.05)
    spec = service("shaky", act, accepts=Answer, main=main, restart=RestartPolicy(initial=0.01))
    async with running(store, service("sink", seen.take), spec) as node:
        await node.send("shaky", Answer(7))
        await node.until(lambda: begun == [7])
        fail.set()
        await node.until(lambda: node.statuses("shaky") == ["DONE"])
        gate.open()
        await node.until(lambda: refused)
        await node.idle()
        assert (begun, seen, node.bodies("sink")) == ([7, 7], [7], [7])


async def test_messages_wait_while_the_service_is_down(store: Store, clock: VirtualClock) -> None:
    seen = Seen()
    fails = Fails(clock, RuntimeError("no"))

    async def on_start(me: Me) -> None:
        fails(me)

    async with running(store, service("shaky", seen.take, start=on_start, restart=STEADY), clock=clock) as node:
        await node.send_all("shaky", [Item(n) for n in range(3)])
        await node.idle()
        assert (seen, node.host("shaky").lifecycle.state) == ([], State.BACKOFF)
        await node.advance(1)
        assert seen == [0, 1, 2]


async def test_a_call_to_a_service_that_is_down_says_so(store: Store, clock: VirtualClock) -> None:
    fails = Fails(clock, *[RuntimeError("no")] * 9)
    async with running(store, in_code(fails, "on_start"), clock=clock) as node:
        host = node.host("shaky")
        with pytest.raises(ServiceStopped, match="backoff"):
            await host.enter(Kind.ACTION, "x", lambda: None, False)


async def test_a_service_that_waits_for_its_restart_hears_the_stop(store: Store) -> None:
    fails = Fails(None, *[RuntimeError("no")] * 99)
    spec = in_code(fails, "on_start", restart=RestartPolicy(initial=30, max=30))
    async with asyncio.timeout(PATIENCE), running(store, spec, grace=3600) as node:
        await node.until(lambda: node.host("shaky").lifecycle.state is State.BACKOFF)
    assert node.host("shaky").lifecycle.state is State.STOPPED
    assert len(fails.at) == 1


async def test_an_own_loop_is_closed_and_made_anew_with_the_service(store: Store) -> None:
    threads: list[str] = []
    fails = Fails(None, RuntimeError("no"))

    async def act(me: Me, item: Item) -> Answer:
        threads.append(threading.current_thread().name)
        return Answer(item.n)

    async def on_start(me: Me) -> None:
        fails(me)

    before = threading.active_count()
    spec = service("own", act, replies=Answer, loop="own", start=on_start, restart=RestartPolicy(initial=0.01))
    async with running(store, spec) as node:
        assert await node.request("own", Item(1)) == Answer(1)
        assert "flow/own" in threads[0]
    await node.until(lambda: threading.active_count() <= before + 1, "its threads have ended")


async def test_code_that_blocks_the_event_loop_is_named_by_the_watchdog(
    memory: Store, caplog: pytest.LogCaptureFixture
) -> None:
    from junctor.core.spec import Context, FlowPlan, HandlerSpec, ServicePlan
    from junctor.messages import TypeRegistry
    from junctor.runtime.engine import Engine

    class Alarm:
        def __init__(self, context: Context) -> None:
            pass

        async def on_item(self, item: Item) -> None:
            time.sleep(1.6)

    spec = ServiceSpec(
        name="alarm",
        build=Alarm,
        handlers=(HandlerSpec(name="on_item", accepts=Item, bind=lambda alarm: alarm.on_item),),
    )
    engine = Engine(memory.transport())
    await engine.open()
    engine.add(FlowPlan(name="flow", types=TypeRegistry(), services=(ServicePlan(spec=spec),)))
    await engine.start()
    with caplog.at_level(logging.ERROR, "junctor.watchdog"):
        client = engine.client()
        await client.request(client.link_to("alarm", Item, None), Item(1))
    await engine.stop()
    assert "blocked" in caplog.text and "flow/alarm.on_item" in caplog.text
    assert "Make the handler a plain def" in caplog.text


async def test_an_error_of_the_engine_in_a_delivery_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours ends the slot, not the message: it is delivered when the service has started again."""
    seen, begun = Seen(), list[int]()

    async def take(me: Me, item: Item) -> None:
        begun.append(item.n)
        if len(begun) == 1:
            raise ValueError("so that the engine asks for the outcome")
        seen.append(item.n)

    spec = service("sink", take, restart=RestartPolicy(initial=0.01), retry=RetryPolicy(attempts=1))
    async with running(store, spec) as node:

        def broken(*args: Any) -> Any:
            raise AttributeError("a bug in the engine")

        monkeypatch.setattr(node.host("sink"), "outcome_of", broken)
        await node.send_all("sink", [Item(n) for n in range(3)])
        await node.until(lambda: seen == [0, 1, 2])
        assert begun == [0, 0, 1, 2]
