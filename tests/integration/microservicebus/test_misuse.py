"""What services of microServiceBus do that nobody means: a loop blocked for ever, many loops, a state that is none."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.hosting.bus import bus_of
from junctor.dialects.microservicebus.hosting.work import Work
from junctor.observe.secrets import mask
from tests.integration.microservicebus.services import PATIENCE, Notes, receiver


@pytest.fixture
def many_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


async def test_what_a_second_loop_has_done_is_not_kept_for_a_loop_that_never_goes_on() -> None:
    notes, wake = Notes(), threading.Event()

    class Blocker(CustomService):
        async def Start(self) -> None:
            wake.wait(PATIENCE)

        async def Process(self, message: QueueMessage) -> None:
            notes.note(message.message[0])

    async with Flow("f").add(Blocker).running(transport="memory") as node:
        await asyncio.gather(*(node.target("blocker", Any).send(number) for number in range(500)))
        await notes.count(500)
        gc.collect()
        works = [each for each in gc.get_objects() if isinstance(each, Work)]
        kept = sum(bool(work.args) and getattr(work.args[0], "destination", "") == "blocker_py" for work in works)
        del works
        wake.set()
        await node.target("blocker", Any).send("later")
        await notes.count(501)
    assert kept < 100
    assert notes == [*range(500), "later"]


async def test_senders_with_loops_of_their_own_all_hear_that_they_were_accepted(many_switches: None) -> None:
    notes, ended = Notes(), Notes()
    threads, messages = 6, 150

    class Sender(CustomService):
        async def send(self) -> None:
            async with asyncio.timeout(PATIENCE):
                for number in range(messages):
                    await self.SubmitAction("receiver", "Process", number)
            ended.note("ended")

        async def Start(self) -> None:
            for _ in range(threads):
                threading.Thread(target=lambda: asyncio.run(self.send()), daemon=True).start()
            await self.send()

    async with Flow("f").add(receiver(notes)).add(Sender).running(transport="memory"):
        await ended.count(threads + 1)
        await notes.count((threads + 1) * messages)


async def test_security_properties_are_masked_however_deep_they_lie() -> None:
    security = {"login": {"password": "n3sted-secret", "on": True}, "keys": ["l1sted-secret"], "pin": 47114711}
    flow = Flow("f").add(receiver(Notes()), settings={"security": security})
    async with flow.running(transport="memory"):
        assert mask("n3sted-secret l1sted-secret 47114711 True") == "*** *** *** True"


async def test_a_state_that_is_none_is_parked_at_once() -> None:
    async with Flow("f").add(receiver(Notes())).running(transport="memory") as node:
        for state in ({"state": []}, [], {}, None, 1, "x"):
            await node.target("orchestrator", Any, handler="_set_state").send(state)
        counters = node.engine.hosts["f/orchestrator"].counters
        async with asyncio.timeout(PATIENCE):
            while counters.parked < 6:
                await asyncio.sleep(0.01)
        assert not counters.retried


async def test_states_that_come_at_once_leave_all_services_in_the_last_one(short_dir: Path) -> None:
    flow = Flow("f")
    for number in range(4):
        flow.add(receiver(Notes(), f"Receiver{number}"))
    async with flow.running(store=short_dir) as node:
        bus = bus_of("f", "receiver0")
        for number in range(40):
            changes = [bus.set_enabled((number + step) % 2 == 0) for step in range(3)]
            await asyncio.gather(*changes)
            paused = {name for name in bus.customs if f"f/{name}" in node.switches.paused}
            assert paused == (set() if bus.enabled else set(bus.customs)), number


async def test_methods_with_a_yield_fail_where_nothing_of_them_would_run() -> None:
    class Yields(CustomService):
        async def Start(self) -> Any:
            yield 1

        async def Process(self, message: QueueMessage) -> Any:
            yield 1

        def plain(self, message: QueueMessage) -> Any:
            yield 1

        def returns(self, message: QueueMessage) -> Any:
            return (one for one in ())

    flow = Flow("f").add(Yields, retry={"attempts": 1})
    async with flow.running(transport="memory") as node:
        host = node.engine.hosts["f/yields"]
        for action in ("Process", "plain", "returns"):
            await node.target("yields", Any, handler=action).send({})
        async with asyncio.timeout(PATIENCE):
            while (host.counters.parked, host.counters.done) != (2, 1) or host.restarts == 0:
                await asyncio.sleep(0.01)
