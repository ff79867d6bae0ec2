"""How services of microServiceBus start, block, fail, stop and start again."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.core.lifecycle import State
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.errors import NotPausable
from junctor.flows import wire
from junctor.node.control.operations.change import pause, restart, resume
from tests.integration.microservicebus.services import PATIENCE, Notes, receiver


class Worker(CustomService):
    """Notes its life."""

    notes: Notes

    async def Start(self) -> None:
        self.notes.note("Start")
        try:
            while True:
                await asyncio.sleep(0.01)
        finally:
            self.notes.note("cancelled")

    async def Stop(self) -> None:
        self.notes.note("Stop")

    async def Process(self, message: QueueMessage) -> None:
        self.notes.note(message.message[0])


def worker(notes: Notes) -> type[Worker]:
    return type("Worker", (Worker,), {"notes": notes, "__module__": __name__})


async def test_start_is_cancelled_before_stop() -> None:
    notes = Notes()
    async with Flow("f").add(worker(notes)).running(transport="memory"):
        await notes.count(1)
    assert notes == ["Start", "cancelled", "Stop"]


async def test_start_is_called_once_also_where_it_returns() -> None:
    notes = Notes()

    class Quick(CustomService):
        async def Start(self) -> None:
            notes.note("Start")

        async def Stop(self) -> None:
            notes.note("Stop")

    async with Flow("f").add(Quick).running(transport="memory"):
        await notes.count(1)
        await asyncio.sleep(0.15)
    assert notes == ["Start", "Stop"]


async def test_a_paused_service_gets_nothing_and_then_what_waited() -> None:
    notes = Notes()
    async with Flow("f").add(worker(notes)).running(transport="memory") as node:
        await notes.count(1)
        await pause(node, "test", "worker")
        await notes.count(3)
        await node.target("worker", Any).send("while it rests")
        await asyncio.sleep(0.05)
        assert notes == ["Start", "cancelled", "Stop"]
        await resume(node, "test", "worker")
        await notes.count(5)
        assert sorted(notes[3:]) == ["Start", "while it rests"]


async def test_a_restart_makes_a_new_instance() -> None:
    notes = Notes()

    class Counted(worker(notes)):  # type: ignore[misc]
        def __init__(self, id: str, queue: Any, config: Any) -> None:
            super().__init__(id, queue, config)
            notes.note("made")

    async with Flow("f").add(Counted).running(transport="memory") as node:
        await notes.count(2)
        await restart(node, "test", "counted")
        await notes.count(6)
    assert notes[:6] == ["made", "Start", "cancelled", "Stop", "made", "Start"]


async def test_the_state_of_the_node_stops_custom_services_and_no_other() -> None:
    notes = Notes()

    class Switch(CustomService):
        async def off(self, message: QueueMessage) -> None:
            await self.SubmitAction("orchestrator", "_set_state", {"state": "InActive"})

    flow = Flow("f").add(worker(notes)).add(Switch)
    async with flow.running(transport="memory") as node:
        await notes.count(1)
        await node.target("switch", Any, handler="off").send({})
        await notes.count(3)
        await notes.until(lambda _: node.engine.hosts["f/switch"].lifecycle.state is State.PAUSED)
        states = {host.service: host.lifecycle.state for host in node.engine.hosts.values() if host.flow == "f"}
        assert states.pop("worker") is states.pop("switch") is State.PAUSED
        assert set(states.values()) == {State.RUNNING}
        await node.target("orchestrator", Any, handler="_start_custom_services").send({})
        await notes.count(4)
    assert notes[:4] == ["Start", "cancelled", "Stop", "Start"]


async def test_a_service_that_an_operator_paused_is_not_started_by_the_state() -> None:
    notes = Notes()
    async with Flow("f").add(worker(notes)).running(transport="memory") as node:
        await notes.count(1)
        await pause(node, "test", "worker")
        for action in ("_stop_custom_services", "_start_custom_services"):
            await node.target("orchestrator", Any, handler=action).send({})
        await notes.until(lambda _: node.engine.hosts["f/orchestrator"].counters.done == 2)
        assert node.engine.hosts["f/worker"].lifecycle.state is State.PAUSED


async def test_internal_services_are_there_and_cannot_be_paused() -> None:
    async with Flow("f").add(receiver(Notes())).running(transport="memory") as node:
        names = {host.service for host in node.engine.hosts.values() if host.flow == "f"}
        assert names == {"receiver", "orchestrator", "logger", "msb", "com"}
        for name in ("orchestrator", "logger", "msb", "com"):
            with pytest.raises(NotPausable, match=f"f/{name}: it cannot be paused: the other services"):
                await pause(node, "test", name)
        assert await pause(node, "test") == ["f/receiver"]


async def test_a_start_that_blocks_holds_up_neither_others_nor_its_own_actions() -> None:
    notes = Notes()
    wake = threading.Event()

    class Blocker(CustomService):
        async def Start(self) -> None:
            wake.wait(PATIENCE)
            notes.note("woken")

        async def Process(self, message: QueueMessage) -> None:
            notes.note(message.message[0])

    async with Flow("f").add(Blocker).add(receiver(notes)).running(transport="memory") as node:
        await node.target("receiver", Any).send("other")
        await notes.count(1)
        await node.target("blocker", Any).send("own")
        await notes.count(2)
        assert notes[1] == "own"
        wake.set()
        await notes.count(3)


async def test_an_action_that_blocks_holds_up_no_other_service() -> None:
    notes = Notes()
    wake = threading.Event()

    class Blocker(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            wake.wait(PATIENCE)

    async with Flow("f").add(Blocker).add(receiver(notes)).running(transport="memory") as node:
        await node.target("blocker", Any).send("blocks")
        await asyncio.sleep(0.02)
        began = time.monotonic()
        for number in range(100):
            await node.target("receiver", Any).send(number)
        await notes.count(100)
        assert time.monotonic() - began < PATIENCE / 2
        wake.set()


async def test_actions_begin_in_order_and_interleave() -> None:
    notes = Notes()

    class Slow(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            notes.note(("begins", message.message[0]))
            await asyncio.sleep(0.05)
            notes.note(("ends", message.message[0]))

    async with Flow("f").add(Slow).running(transport="memory") as node:
        await asyncio.gather(*(node.target("slow", Any).send(number) for number in range(10)))
        await notes.count(20)
    assert notes[:10] == [("begins", number) for number in range(10)]


async def test_a_pool_of_one_is_a_strict_order() -> None:
    notes = Notes()

    class Slow(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            notes.note(("begins", message.message[0]))
            await asyncio.sleep(0.01)
            notes.note(("ends", message.message[0]))

    async with Flow("f").add(Slow, pool=1).running(transport="memory") as node:
        await asyncio.gather(*(node.target("slow", Any).send(number) for number in range(4)))
        await notes.count(8)
    assert notes == [(what, number) for number in range(4) for what in ("begins", "ends")]


async def test_a_start_that_fails_is_started_again() -> None:
    notes = Notes()

    class Fails(CustomService):
        async def Start(self) -> None:
            notes.note("Start")
            if len(notes) < 4:
                raise OSError("no bus") if len(notes) > 1 else ValueError("no sensor")
            notes.note("works")

        async def Stop(self) -> None:
            notes.note("Stop")

    restart_policy = {"initial": 0.001, "max": 0.001}
    async with Flow("f").add(Fails, restart=restart_policy, hold={"initial": 0.001}).running(transport="memory"):
        await notes.until(lambda _: "works" in notes)
    assert notes[:2] == ["Start", "Stop"]


async def test_an_exit_in_the_code_of_a_service_ends_nothing() -> None:
    notes = Notes()

    class Exits(CustomService):
        async def Start(self) -> None:
            asyncio.get_running_loop().call_later(0.01, sys.exit, 3)
            await asyncio.sleep(0.05)
            notes.note("goes on")

        async def Process(self, message: QueueMessage) -> None:
            notes.note("tried")
            sys.exit(3)

    async with Flow("f").add(Exits, retry={"attempts": 2, "initial": 0.001}).running(transport="memory") as node:
        await node.target("exits", Any).send({})
        await notes.count(3)
        await notes.until(lambda _: node.engine.hosts["f/exits"].counters.parked == 1)
    assert sorted(notes) == ["goes on", "tried", "tried"]


async def test_a_constructor_that_fails_is_a_failure_of_its_service_alone() -> None:
    notes = Notes()

    class Broken(CustomService):
        def __init__(self, id: str, queue: Any, config: Any) -> None:
            super().__init__(id, queue, config)
            notes.note("made")
            raise ValueError("no device")

    flow = Flow("f").add(Broken, restart={"limit": 1, "initial": 0.001}).add(receiver(notes))
    async with flow.running(transport="memory") as node:
        await notes.until(lambda _: node.engine.hosts["f/broken"].lifecycle.state is State.FAILED)
        await node.target("receiver", Any).send("works")
        await notes.count(3)
    assert notes[:2] == ["made", "made"]


async def test_what_waits_is_there_after_a_restart_of_the_node(short_dir: Path) -> None:
    notes = Notes()
    flow = Flow("f").add(worker(notes))
    async with flow.running(store=short_dir) as node:
        await notes.count(1)
        await node.target("orchestrator", Any, handler="_stop_custom_services").send({})
        await notes.count(3)
        await node.target("worker", Any).send("kept")
    del notes[:]
    async with flow.running(store=short_dir) as node:
        assert node.engine.hosts["f/worker"].lifecycle.state is State.PAUSED
        assert notes == []
        await node.target("orchestrator", Any, handler="_set_state").send("Active")
        await notes.count(2)
        assert set(notes) == {"Start", "kept"}


async def test_what_has_ended_is_told_though_its_loop_is_blocked() -> None:
    notes = Notes()
    wake = threading.Event()

    class Blocker(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            asyncio.get_running_loop().call_soon(wake.wait, PATIENCE)

    async with Flow("f").add(Blocker, pool=1).add(receiver(notes)).running(transport="memory") as node:
        for _ in range(2):
            await node.target("blocker", Any).send({})
        await notes.until(lambda _: node.engine.hosts["f/blocker"].counters.done == 2)
        wake.set()


async def test_a_loop_of_its_own_may_be_asked_for() -> None:
    notes = Notes()
    async with Flow("f").add(worker(notes), loop="own").running(transport="memory") as node:
        await node.target("worker", Any).send("works")
        await notes.count(2)
        await pause(node, "test", "worker")
        await notes.count(4)
    assert sorted(notes[:2]) == ["Start", "works"] and notes[2:] == ["cancelled", "Stop"]


async def test_a_service_that_comes_later_knows_the_others_and_is_known() -> None:
    notes = Notes()

    class Late(CustomService):
        async def Start(self) -> None:
            await self.SubmitAction("receiver", "Process", self.get_settings()["state"])

        async def Process(self, message: QueueMessage) -> None:
            notes.note(message)

    class Teller(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            await self.SubmitAction("Late_py", "Process", "hello")

    first = Flow("f").add(receiver(notes)).add(Teller)
    async with first.running(transport="memory") as node:
        await node.apply([wire(first.copied().add(Late))], who="test")
        await notes.count(1)
        await node.target("teller", Any).send({})
        await notes.count(2)
        assert node.engine.hosts["f/late"].restarts == 0
        await node.apply([wire(first)], who="test")
        assert "f/late" not in node.engine.hosts
    assert [(one.source, one.destination, one.message) for one in notes] == [
        ("late_py", "receiver_py", ("Active",)),
        ("teller_py", "late_py", ("hello",)),
    ]


async def test_a_service_that_comes_while_the_others_are_stopped_is_stopped_too(short_dir: Path) -> None:
    notes = Notes()
    first = Flow("f").add(receiver(notes))
    both = first.copied().add(worker(notes))
    async with first.running(store=short_dir) as node:
        await node.target("orchestrator", Any, handler="_set_state").send("InActive")
        await notes.until(lambda _: node.engine.hosts["f/receiver"].lifecycle.state is State.PAUSED)
        await node.apply([wire(both)], who="test")
        await notes.until(lambda _: node.engine.hosts["f/worker"].lifecycle.state is State.PAUSED)
    async with Flow.of(both).running(store=short_dir) as node:
        await node.target("orchestrator", Any, handler="_set_state").send("Active")
        await notes.count(1)
        states = {host.service: host.lifecycle.state for host in node.engine.hosts.values()}
        assert states["worker"] is states["receiver"] is State.RUNNING
    assert notes == ["Start", "cancelled", "Stop"]
