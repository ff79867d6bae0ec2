"""Between two due times everything runs that can: in threads, own loops and worker processes too."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, action, every, handler
from junctor.testing import NotAtRest, RealSleep, running
from tests.integration.testing.plant import Ask, Mail, Reading

PAUSE = 0.02
"""Seconds of real time that blocking code takes here: long enough for a clock that does not wait to run away."""


class Box(Service):
    @handler
    async def keep(self, mail: Mail) -> None:
        self.state["texts"] = [*self.state.get("texts", []), mail.text]


class Blocking(Service):
    mails: Target[Mail]

    @handler
    def on_reading(self, reading: Reading) -> None:
        time.sleep(PAUSE)
        self.mails.send(Mail(f"{reading.sensor} 1"))
        self.sleep("10s")
        time.sleep(PAUSE)
        self.mails.send(Mail(f"{reading.sensor} 2"))


class Ticking(Service):
    mails: Target[Mail]
    count = 0

    @every("10s")
    def poll(self) -> None:
        time.sleep(PAUSE)
        self.count += 1
        self.mails.send(Mail(f"tick {self.count}"))


async def test_a_thread_is_waited_for_and_its_sleep_is_virtual() -> None:
    async with running(Flow("f").add(Blocking()).add(Box())) as plant:
        began = time.monotonic()
        await plant.send("blocking", Reading("a", 1.0))
        await plant.send("blocking", Reading("b", 1.0))
        assert plant.sent("blocking.mails") == []
        await plant.advance("9s")
        assert plant.sent("blocking.mails") == []
        await plant.advance("1s")
        assert plant.state("box") == {"texts": ["a 1", "a 2"]}
        await plant.advance("10s")
        assert plant.state("box") == {"texts": ["a 1", "a 2", "b 1", "b 2"]}
        assert time.monotonic() - began < 5


async def test_ticks_in_a_thread_keep_their_times() -> None:
    async with running(Flow("f").add(Ticking()).add(Box())) as plant:
        await plant.advance("1m")
        assert plant.state("box") == {"texts": [f"tick {n}" for n in range(1, 8)]}
        at = [message.sent_at.second for message in plant.messages]
        assert at == [0, 10, 20, 30, 40, 50, 0]


class Looping(Service):
    mails: Target[Mail]

    def loop(self) -> None:
        for number in range(1, 4):
            time.sleep(PAUSE)
            self.mails.send(Mail(f"round {number}"))
            if self.sleep("1m"):
                return
        self.sleep("1d")


async def test_a_blocking_loop_sleeps_in_virtual_time() -> None:
    async with running(Flow("f").add(Looping()).add(Box())) as plant:
        assert plant.state("box") == {"texts": ["round 1"]}
        await plant.advance("59s")
        assert plant.state("box") == {"texts": ["round 1"]}
        await plant.advance("1m1s")
        assert plant.state("box") == {"texts": ["round 1", "round 2", "round 3"]}


class OwnLoop(Service):
    mails: Target[Mail]

    @handler
    async def on_reading(self, reading: Reading) -> None:
        time.sleep(PAUSE)  # blocks, which is what the own loop is for
        await self.sleep("10s")
        await self.mails.send(Mail(reading.sensor))

    @handler
    async def on_ask(self, ask: Ask) -> int:
        await asyncio.gather(self.sleep("1s"), self.sleep("2s"))
        return ask.number


async def test_an_own_loop_is_waited_for() -> None:
    async with running(Flow("f").add(OwnLoop(), "own", loop="own").add(Box())) as plant:
        await plant.send("own", Reading("a", 1.0))
        await plant.advance("9s")
        assert plant.sent("own.mails") == []
        await plant.advance("1s")
        assert plant.state("box") == {"texts": ["a"]}
        assert await plant.request("own", Ask(3), within="2s") == 3


class Remote(Service):
    mails: Target[Mail]

    @handler
    def on_reading(self, reading: Reading) -> None:
        time.sleep(PAUSE)
        self.mails.send(Mail(reading.sensor))


async def test_a_worker_process_is_waited_for() -> None:
    flow = Flow("f").add(Remote(), isolate="worker").add(Box())
    async with running(flow, patience=20.0) as plant:
        for sensor in "abc":
            await plant.send("remote", Reading(sensor, 1.0))
        assert plant.state("box") == {"texts": ["a", "b", "c"]}
        with pytest.raises(Exception, match='isolate="node"'):
            plant.fail("remote", OSError())


async def test_a_worker_that_takes_its_time_to_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a start outlasts what the engine waits for one; a test waits for as long as it says."""
    monkeypatch.setattr("junctor.runtime.engine._START", 0.01)
    async with running(Flow("f").add(Remote(), isolate="worker").add(Box()), patience=20.0) as plant:
        await plant.send("remote", Reading("a", 1.0))
        assert plant.state("box") == {"texts": ["a"]}


class Together(Service):
    """Waits in every way that asyncio has."""

    asks: Target[Ask, int]

    @handler
    async def on_reading(self, reading: Reading) -> list[int]:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(self.one(1))
            second = group.create_task(self.one(2))
        both = await asyncio.gather(self.asks.request(Ask(3)), self.one(4))
        timed = await asyncio.wait_for(self.one(5), 60)
        done, _ = await asyncio.wait([asyncio.ensure_future(self.one(6))])
        return [first.result(), second.result(), *both, timed, *(each.result() for each in done)]

    async def one(self, number: int) -> int:
        return await self.asks.request(Ask(number))


class Slow(Service):
    @handler
    async def on_ask(self, ask: Ask) -> int:
        await self.sleep(1)
        return ask.number


async def test_waiting_for_several_at_once_is_waiting() -> None:
    async with running(Flow("f").add(Together()).add(Slow(), pool=8)) as plant:
        began = plant.now
        assert await plant.request("together", Reading("x", 1.0), within="1m") == [1, 2, 3, 4, 5, 6]
        assert (plant.now - began).total_seconds() == 4


class Queued(Service):
    """A loop that is fed by handlers: waiting for its queue is rest."""

    mails: Target[Mail]

    def on_start(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    @handler
    async def on_reading(self, reading: Reading) -> None:
        self.queue.put_nowait(reading.sensor)

    async def loop(self) -> None:
        await self.mails.send(Mail(await self.queue.get()))


async def test_a_loop_that_waits_for_its_handlers_is_at_rest() -> None:
    async with running(Flow("f").add(Queued()).add(Box())) as plant:
        await plant.send("queued", Reading("a", 1.0))
        await plant.send("queued", Reading("b", 1.0))
        await plant.advance("1s")  # a loop() that returns at once is called again after a pause
        assert plant.state("box") == {"texts": ["a", "b"]}


# What does not come to rest ---------------------------------------------------------------------------------


class Endless(Service):
    release = threading.Event()

    @handler
    def on_reading(self, reading: Reading) -> None:
        Endless.release.wait(30)  # here

    @handler
    async def on_ask(self, ask: Ask) -> None:
        await asyncio.get_running_loop().run_in_executor(None, Endless.release.wait, 30)  # there


@pytest.mark.parametrize(
    ("body", "name", "mark"), [(Reading("a", 1.0), "on_reading", "wait(30)  # here"), (Ask(1), "endless", ")  # there")]
)
async def test_a_handler_that_does_not_end_is_named_with_its_line(body: Any, name: str, mark: str) -> None:
    Endless.release.clear()
    lines = Path(__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.endswith(mark))
    try:
        async with running(Endless(), patience=0.2) as plant:
            with pytest.raises(NotAtRest, match=rf"(?s)not at rest after 0.2 s.*{name}.*test_rest\.py:{line} in on_"):
                await plant.send("endless", body)
            Endless.release.set()
    finally:
        Endless.release.set()


async def test_a_loop_that_reads_from_outside_is_left_alone_when_told() -> None:
    class Reader(Service):
        mails: Target[Mail]

        def loop(self) -> None:
            Endless.release.wait(30)

        @handler
        async def on_ask(self, ask: Ask) -> int:
            return ask.number

    Endless.release.clear()
    try:
        with pytest.raises(NotAtRest, match=r"background=\[SERVICE\]"):
            async with running(Reader(), patience=0.2):
                pass
        async with running(Reader(), background="reader") as plant:
            await plant.advance("1h")
            assert await plant.request("reader", Ask(1)) == 1
            Endless.release.set()
    finally:
        Endless.release.set()


async def test_real_sleep_is_waited_for_with_a_warning() -> None:
    class Sleepy(Service):
        @handler
        async def on_ask(self, ask: Ask) -> int:
            await asyncio.sleep(PAUSE)
            return ask.number

    async with running(Sleepy()) as plant:
        with pytest.warns(RealSleep, match=r"self\.sleep\(\) waits on the clock of the test") as warned:
            assert await plant.request("sleepy", Ask(1)) == 1
        assert warned[0].filename == __file__
        assert await plant.request("sleepy", Ask(1)) == 1  # said once


async def test_a_task_that_spins_is_named() -> None:
    class Spinning(Service):
        @handler
        async def on_ask(self, ask: Ask) -> None:
            while True:
                await asyncio.sleep(0)

    with pytest.raises(NotAtRest, match=r"busy for 0.2 s with .*spinning"):
        async with running(Spinning(), patience=0.2) as plant:
            await plant.request("spinning", Ask(1))


async def test_an_action_may_block_and_sleep() -> None:
    class Acting(Service):
        @action
        def wait(self) -> str:
            time.sleep(PAUSE)
            self.sleep("5s")
            return "done"

    async with running(Acting()) as plant:
        with pytest.raises(NotAtRest, match="comes due in 5 s"):
            await plant.call("acting", "wait")
        assert await plant.call("acting", "wait", within="5s") == "done"
