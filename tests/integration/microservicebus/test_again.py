"""Services of microServiceBus that start again: whatever one instance has left, the next one works, and alone."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from junctor import Flow
from junctor.core.lifecycle import State
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.hosting import hosted
from junctor.node.control.operations.change import pause, restart, resume
from junctor.node.node import Node
from tests.integration.microservicebus.services import Notes, receiver


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what does not end for as long as it may last."""
    monkeypatch.setattr(hosted, "START_TIME", 0.2)
    monkeypatch.setattr(hosted, "END_TIME", 0.5)


async def rest(node: Node, service: str) -> None:
    await pause(node, "test", service)
    await resume(node, "test", service)


async def begin_again(node: Node, service: str) -> None:
    await restart(node, "test", service)


async def switch(node: Node, service: str) -> None:
    state = node.engine.hosts[f"f/{service}"].lifecycle
    for wanted, seen in (("InActive", State.PAUSED), ("Active", State.RUNNING)):
        await node.target("orchestrator", Any, handler="_set_state").send(wanted)
        async with asyncio.timeout(20):
            while state.state is not seen:
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("again", [rest, begin_again, switch])
async def test_the_usual_loop_runs_again(again: Callable[[Node, str], Awaitable[None]]) -> None:
    notes = Notes()

    class Loop(CustomService):
        def __init__(self, id: str, queue: Any, config: Any) -> None:
            super().__init__(id, queue, config)
            self.run = True

        async def Start(self) -> None:
            while self.run:
                notes.note("turn")
                await asyncio.sleep(0.01)

        async def Stop(self) -> None:
            self.run = False
            notes.note("Stop")

    async with Flow("f").add(Loop).running(transport="memory") as node:
        await notes.count(1)
        await again(node, "loop")
        await notes.until(lambda _: "Stop" in notes and "turn" in notes[notes.index("Stop") :])


@pytest.mark.parametrize("again", [rest, begin_again])
async def test_a_start_that_blocks_starts_again_and_its_actions_end(
    again: Callable[[Node, str], Awaitable[None]],
) -> None:
    notes = Notes()

    class Blocker(CustomService):
        async def Start(self) -> None:
            while True:
                notes.note(id(self))
                self.printf("polling")
                time.sleep(0.02)

        async def Process(self, message: QueueMessage) -> None:
            notes.note("done")

    async with Flow("f").add(Blocker).running(transport="memory") as node:
        host = node.engine.hosts["f/blocker"]
        await notes.count(1)
        await again(node, "blocker")
        await notes.until(lambda _: len({one for one in notes if one != "done"}) == 2)
        await node.target("blocker", Any).send({})
        await notes.until(lambda _: host.counters.done == 1)
        del notes[:]
        await notes.count(3)
        assert len(set(notes)) == 1


async def test_a_start_that_catches_everything_is_alone_after_it(caplog: pytest.LogCaptureFixture) -> None:
    got, caught = Notes(), Notes()

    class Bare(CustomService):
        async def Start(self) -> None:
            while True:
                try:
                    await self.SubmitAction("receiver", "Process", id(self))
                    await asyncio.sleep(0.01)
                except:  # noqa: E722 - the case
                    caught.note(id(self))

    async with Flow("f").add(Bare).add(receiver(got)).running(transport="memory") as node:
        await got.count(1)
        await pause(node, "test", "bare")
        with caplog.at_level(logging.ERROR):
            await got.until(lambda _: "Start does not end" in caplog.text)
        assert len(caught) < 10
        del got[:]
        await resume(node, "test", "bare")
        await got.count(3)
        del caught[:]
        await got.count(6)
        assert len({one.message[0] for one in got}) == 1
        assert caught == []


async def test_a_stop_that_hangs_is_told_while_the_service_is_paused(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    wake = threading.Event()

    class Hangs(CustomService):
        async def Start(self) -> None:
            notes.note("Start")

        async def Stop(self) -> None:
            wake.wait(20)

    async with Flow("f").add(Hangs).running(transport="memory") as node:
        await notes.count(1)
        await pause(node, "test", "hangs")
        await notes.until(lambda _: "Stop does not return" in caplog.text)
        await resume(node, "test", "hangs")
        await notes.count(2)
        wake.set()


async def test_a_thread_lives_on_when_its_message_is_not_accepted(caplog: pytest.LogCaptureFixture) -> None:
    got = Notes()

    class Listener(CustomService):
        async def Start(self) -> None:
            threading.Thread(target=self.listen, daemon=True).start()

        def listen(self) -> None:
            for destination in ("nobody", "receiver"):
                self.queue.put(QueueMessage(self.id, destination, "Process", 1))

    async with Flow("f").add(Listener).add(receiver(got)).running(transport="memory") as node:
        await got.count(1)
        assert "a message of a thread was not accepted" in caplog.text
        await got.until(lambda _: node.engine.hosts["f/listener"].faults.lasting(0) != ())


async def test_a_thread_of_an_instance_that_was_stopped_sends_no_more(caplog: pytest.LogCaptureFixture) -> None:
    got = Notes()
    end = threading.Event()

    class Listener(CustomService):
        async def Start(self) -> None:
            threading.Thread(target=self.listen, daemon=True).start()

        def listen(self) -> None:
            while not end.wait(0.01):
                self.queue.put(QueueMessage(self.id, "receiver", "Process", id(self)))

    async with Flow("f").add(Listener).add(receiver(got)).running(transport="memory") as node:
        await got.count(2)
        await rest(node, "listener")
        await got.until(lambda _: "is not heard" in caplog.text)
        del got[:]
        await got.count(5)
        assert len({one.message[0] for one in got[2:]}) == 1
        end.set()


async def test_what_ends_a_task_is_told_when_it_happens(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()

    class Polls(CustomService):
        async def Start(self) -> None:
            self.task = asyncio.create_task(self.poll())
            notes.note("Start")

        async def poll(self) -> None:
            raise OSError("the chip is gone")

    async with Flow("f").add(Polls).running(transport="memory"):
        await notes.until(lambda _: "self.task has ended: OSError('the chip is gone')" in caplog.text)


async def test_a_device_that_is_away_is_tried_for_ever() -> None:
    made = Flow("f").add(receiver(Notes()))
    async with made.running(transport="memory") as node:
        history = node.engine.hosts["f/receiver"]._history
        now, waits = 0.0, []
        while now < 24 * 3600:
            wait = history.failed(now)
            assert wait is not None
            waits.append(wait)
            now += wait
        assert waits[0] < 1 and 30 < waits[-1] < 70


async def test_an_outage_holds_the_message() -> None:
    notes = Notes()

    class Mails(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            notes.note(message)
            if len(notes) < 10:
                raise ConnectionRefusedError("no mail server")

    flow = Flow("f").add(Mails, hold={"initial": 0.001, "max": 0.001})
    async with flow.running(transport="memory") as node:
        await node.target("mails", Any).send({})
        await notes.until(lambda _: node.engine.hosts["f/mails"].counters.done == 1)
        assert node.engine.hosts["f/mails"].counters.parked == 0


async def test_messages_wait_while_start_fails() -> None:
    notes = Notes()
    waits = {"initial": 0.01, "max": 0.01}
    policies: Any = {"restart": waits, "hold": waits, "retry": {"attempts": 2, **waits}}

    class Device(CustomService):
        async def Start(self) -> None:
            notes.note("Start")
            await asyncio.sleep(0.05)
            if len(notes) < 9:
                raise OSError("no device")
            self.device = "there"

        async def Process(self, message: QueueMessage) -> None:
            notes.note(self.device)

    async with Flow("f").add(Device, **policies).running(transport="memory") as node:
        await notes.count(2)
        await node.target("device", Any).send({})
        await notes.until(lambda _: "there" in notes)
        assert node.engine.hosts["f/device"].counters.parked == 0
