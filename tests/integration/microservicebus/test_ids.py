"""Who gets a message: ids that come late or twice, services of other flows, destinations that are no text."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from junctor import Flow
from junctor.core.lifecycle import State
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.errors import UnknownAction
from junctor.errors import UnknownTarget
from junctor.flows import wire
from junctor.node.control.operations.change import restart
from tests.integration.microservicebus.services import PATIENCE, Notes, receiver


def claiming(notes: Notes, name: str, gate: threading.Event) -> type[CustomService]:
    class Claiming(CustomService):
        def __init__(self, id: str, queue: Any, config: Any) -> None:
            super().__init__("com", queue, config)
            gate.wait(PATIENCE)

        async def Process(self, message: QueueMessage) -> None:
            notes.note(message.message[0])

    return type(name, (Claiming,), {"__module__": __name__})


async def test_an_id_that_a_service_claims_late_is_heard_of_by_those_who_have_sent_before() -> None:
    notes, gate = Notes(), threading.Event()

    class Sender(CustomService):
        async def Start(self) -> None:
            await self.SubmitAction("com", "Process", "early")
            gate.set()
            while True:
                await self.SubmitAction("com", "Process", "late")
                await asyncio.sleep(0.01)

    flow = Flow("f").add(Sender).add(claiming(notes, "Mailer", gate))
    async with flow.running(transport="memory"):
        await notes.count(1)
    assert set(notes) == {"late"}


async def test_an_id_that_a_service_has_claimed_holds_while_it_is_made_anew() -> None:
    notes, gate = Notes(), threading.Event()
    gate.set()

    class Sender(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            await self.SubmitAction("com", "Process", message.message[0])
            notes.note("sent")

    flow = Flow("f").add(Sender).add(claiming(notes, "Mailer", gate))
    async with flow.running(transport="memory") as node:
        gate.clear()
        restarting = asyncio.ensure_future(restart(node, "test", "mailer"))
        while node.engine.hosts["f/mailer"].lifecycle.state is State.RUNNING:
            await asyncio.sleep(0.01)
        await node.target("sender", Any).send("waited")
        await notes.count(1)
        gate.set()
        await restarting
        await notes.count(2)
    assert notes == ["sent", "waited"]


async def test_an_id_that_two_have_claimed_is_told() -> None:
    notes, gate = Notes(), threading.Event()
    gate.set()

    class Sender(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            try:
                await self.SubmitAction("com", "Process", 1)
            except UnknownTarget as error:
                notes.note(str(error))

    flow = Flow("f").add(Sender).add(claiming(notes, "Mailer", gate)).add(claiming(notes, "Poster", gate))
    async with flow.running(transport="memory") as node:
        await node.target("sender", Any).send({})
        await notes.count(1)
    assert "'com' may be mailer or poster" in notes[0]


async def test_an_answer_to_a_service_of_another_flow_goes_there() -> None:
    notes = Notes()

    class Alarm(CustomService):
        async def Start(self) -> None:
            if self.get_settings()["flow"] == "two":
                await self.SubmitAction("one/asked", "ask", {})

        async def answer(self, message: QueueMessage) -> None:
            notes.note((self.get_settings()["flow"], message.source))

    class Asked(CustomService):
        async def ask(self, message: QueueMessage) -> None:
            notes.note(message.source)
            await self.SubmitAction(message.source, "answer", {})

    one, two = Flow("one").add(Alarm).add(Asked), Flow("two").add(Alarm)
    async with one.running(transport="memory") as node:
        await node.apply([wire(one), wire(two)], who="test")
        await notes.count(2)
    assert notes == ["two/alarm", ("two", "one/asked")]


async def test_ids_of_two_services_differ_where_their_names_would_make_them_one() -> None:
    notes = Notes()
    flow = Flow("f").add(receiver(notes), name="sender").add(receiver(notes), name="sender_py")
    async with flow.running(transport="memory") as node:
        for name in ("sender", "sender_py"):
            await node.target(name, Any).send(name)
        await notes.count(2)
    assert {(one.message[0], one.destination) for one in notes} == {("sender", "sender"), ("sender_py", "sender_py")}


async def test_destinations_and_actions_that_are_no_text_are_told() -> None:
    notes = Notes()

    class Sender(CustomService):
        async def Start(self) -> None:
            for destination, action in (
                (None, "Process"),
                ([], "Process"),
                ("receiver", None),
                ("receiver", []),
                ("*", ""),
            ):
                try:
                    await self.SubmitAction(destination, action, {})  # type: ignore[arg-type]
                except (UnknownTarget, UnknownAction) as error:
                    notes.note(type(error))
            await self.SubmitAction("receiver", "Process", "end")

    async with Flow("f").add(receiver(notes)).add(Sender).running(transport="memory"):
        await notes.count(6)
    assert notes[:5] == [*[UnknownTarget] * 2, *[UnknownAction] * 3]
