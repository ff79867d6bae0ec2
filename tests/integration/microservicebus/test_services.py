"""Services of microServiceBus in a node: what they are made with, what they are called with, what they may say."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, handler
from junctor.core.records import Query
from junctor.dialects.microservicebus import BaseService, CustomService, QueueMessage
from junctor.dialects.microservicebus.errors import UnknownAction
from junctor.errors import ConfigurationError, EncodeError, UnknownTarget
from junctor.flows import load, wire
from junctor.messages import session_text
from junctor.testing import running
from tests.integration.microservicebus.services import Notes, receiver


async def test_an_action_gets_the_message_of_the_original() -> None:
    notes = Notes()

    class Sender(CustomService):
        async def Start(self) -> None:
            await self.SubmitAction("Receiver_py", "Process", {"id": 42})

    async with Flow("f").add(receiver(notes)).add(Sender).running(transport="memory"):
        await notes.count(1)
    got: QueueMessage = notes[0]
    assert (got.source, got.destination, got.action) == ("sender_py", "receiver_py", "Process")
    assert got.message == ({"id": 42},)


async def test_a_constructor_gets_id_queue_and_properties() -> None:
    notes = Notes()

    class Reader(CustomService):
        def __init__(self, id: str, queue: Any, config: Any) -> None:
            super().__init__(id, queue, config)
            notes.note((id, config, threading.current_thread().name))
            notes.note([self.GetPropertyValue(*what) for what in (("static", "gpio_pin"), ("security", "token"))])
            notes.note((self.GetPropertyValue("static", "other"), self.GetPropertyValue("none", "x"), self.GetState()))

    settings = {"static": {"gpio_pin": 4}, "security": {"token": "s3cr3t-key"}, "general": {"host": "node-1"}}
    async with Flow("f").add(Reader, settings=settings).running(transport="memory"):
        pass
    id, config, thread = notes[0]
    assert id == "reader_py" and thread == "f/reader loop"
    assert config["generalConfig"] == [
        {"id": "name", "value": "reader"},
        {"id": "host", "value": "node-1"},
        {"id": "enabled", "value": True},
    ]
    assert notes[1:] == [[4, "s3cr3t-key"], ("undefined", "undefined", True)]


async def test_a_class_without_properties_is_made_without() -> None:
    notes = Notes()

    class Plain(BaseService):
        async def Start(self) -> None:
            notes.note((self.id, self.config))

    async with Flow("f").add(Plain).running(transport="memory"):
        await notes.count(1)
    assert notes == [("plain_py", {})]


def test_a_constructor_with_other_arguments_is_told() -> None:
    class Odd(CustomService):
        def __init__(self, name: str) -> None:
            pass

    with pytest.raises(ConfigurationError, match=r"other arguments than \(id, queue, config\)"):
        wire(Flow("f").add(Odd))


async def test_what_is_sent_wrongly_is_an_error_of_the_sender() -> None:
    notes = Notes()

    class Sender(CustomService):
        async def Start(self) -> None:
            wrong = (("nobody", "Process", 1), ("receiver", "Procss", 1), ("receiver", "Process", {1, 2}.__iter__()))
            for destination, action, payload in wrong:
                try:
                    await self.SubmitAction(destination, action, payload)
                except Exception as error:
                    notes.note(error)

    async with Flow("f").add(receiver(notes)).add(Sender).running(transport="memory"):
        await notes.count(3)
    assert [type(error) for error in notes] == [UnknownTarget, UnknownAction, EncodeError]
    assert "f/sender: there is no service 'nobody'" in str(notes[0])
    assert "receiver has no action 'Procss'. Did you mean \"Process\"?" in str(notes[1])


async def test_all_services_that_have_the_action_get_what_is_for_all() -> None:
    notes = Notes()

    class One(CustomService):
        async def ping(self, message: QueueMessage) -> None:
            notes.note((self.id, message.source))

    class Two(One):
        async def Start(self) -> None:
            await self.SubmitAction("*", "ping", {})

    async with Flow("f").add(One).add(Two).add(receiver(notes)).running(transport="memory"):
        await notes.count(2)
        await asyncio.sleep(0.05)
    assert sorted(notes) == [("one_py", "two_py"), ("two_py", "two_py")]


async def test_every_method_with_one_argument_is_an_action() -> None:
    notes = Notes()

    class Many(CustomService):
        async def SendEmail(self, message: QueueMessage) -> None:
            notes.note(("SendEmail", threading.current_thread().name))

        async def _heartbeat(self, message: QueueMessage) -> None:
            notes.note(("_heartbeat", message.message))

        def blink(self, message: QueueMessage, times: int = 2) -> None:
            notes.note(("blink", threading.current_thread().name))
            self.queue.put(QueueMessage(self.id, "many", "_heartbeat", "from a thread"))

        async def none(self) -> None:
            notes.note("never")

        def _helper(self, message: QueueMessage) -> None:
            notes.note("never")

    class Sender(CustomService):
        async def Start(self) -> None:
            for action in ("SendEmail", "blink", "none", "_helper", "Start", "SubmitAction", "id"):
                try:
                    await self.SubmitAction("many", action, 1)
                except UnknownAction:
                    notes.note(action)

    async with Flow("f").add(Many).add(Sender).running(transport="memory"):
        await notes.count(8)
    assert set(notes) == {
        ("SendEmail", "f/many loop"),
        ("blink", "f/many call 1"),
        ("_heartbeat", ("from a thread",)),
        *("none", "_helper", "Start", "SubmitAction", "id"),
    }


async def test_the_queue_takes_messages_from_anywhere() -> None:
    """As coroutine, as task, by ``asyncio.run`` of another thread, without waiting, and with nobody who awaits it."""
    notes = Notes()

    class Sender(CustomService):
        async def Start(self) -> None:
            await self.queue.put(self.to("awaited"))
            await asyncio.create_task(self.queue.put(self.to("task")))
            self.queue.put(self.to("left alone"))
            self.queue.put_nowait(self.to("nowait"))
            thread = threading.Thread(target=self.beside, args=(asyncio.get_running_loop(),))
            thread.start()
            await asyncio.to_thread(thread.join)

        def beside(self, loop: asyncio.AbstractEventLoop) -> None:
            self.queue.put(self.to("thread"))
            asyncio.run(self.queue.put(self.to("run")))
            asyncio.run(self.SubmitAction("receiver", "Process", "submit"))
            asyncio.run_coroutine_threadsafe(self.queue.put(self.to("threadsafe")), loop)

        def to(self, text: str) -> QueueMessage:
            return QueueMessage(self.id, "receiver", "Process", text)

    async with Flow("f").add(receiver(notes)).add(Sender).running(transport="memory"):
        await notes.count(8)
    sent = ["awaited", "task", "left alone", "nowait", "thread", "run", "submit", "threadsafe"]
    assert sorted(message.message[0] for message in notes) == sorted(sent)


async def test_what_an_action_sends_goes_out_with_its_end() -> None:
    notes = Notes()

    class Worker(CustomService):
        tries = 0

        async def Process(self, message: QueueMessage) -> None:
            await self.SubmitAction("receiver", "Process", Worker.tries)
            Worker.tries += 1
            if Worker.tries < 3:
                raise ValueError("not yet")

    flow = Flow("f").add(receiver(notes)).add(Worker, retry={"initial": 0.001})
    async with flow.running(transport="memory") as node:
        await node.target("worker", Any).send({})
        await notes.count(1)
        await asyncio.sleep(0.05)
    assert [message.message for message in notes] == [(2,)]


@dataclass
class Reading:
    sensor: str
    value: float


async def test_native_services_are_written_to_and_write_with_their_types() -> None:
    notes = Notes()

    class Alarm(Service):
        @handler
        async def on_reading(self, reading: Reading) -> None:
            notes.note(reading)

    class Sensor(CustomService):
        async def Start(self) -> None:
            await self.SubmitAction("alarm", "Process", {"sensor": "cpu", "value": 93})
            await self.SubmitAction("Alarm", "on_reading", {"sensor": "disk", "value": 4})
            try:
                await self.SubmitAction("alarm", "Process", {"sensor": "cpu", "value": "high"})
            except EncodeError as error:
                notes.note(str(error))

        async def Process(self, message: QueueMessage) -> None:
            notes.note((message.source, message.message))

    async with Flow("f").add(Alarm()).add(Sensor).running(transport="memory") as node:
        await notes.count(3)
        await node.target("sensor", Reading).send(Reading("cpu", 1.0))
        await node.target("sensor", Reading, handler="Process").send(Reading("cpu", 2.0))
        await notes.count(5)
    found = [note for note in notes if isinstance(note, Reading)]
    assert found == [Reading("cpu", 93.0), Reading("disk", 4.0)]
    assert any("value" in note for note in notes if isinstance(note, str))
    assert [note[1] for note in notes if isinstance(note, tuple)] == [
        ({"sensor": "cpu", "value": 1.0},),
        ({"sensor": "cpu", "value": 2.0},),
    ]


async def test_a_service_may_claim_an_id() -> None:
    notes = Notes()

    class Sink(CustomService):
        def __init__(self, id: str, queue: Any, config: Any) -> None:
            super().__init__("cloud", queue, config)

        async def Process(self, message: QueueMessage) -> None:
            notes.note((message.source, message.destination, message.message))

    class Sender(CustomService):
        async def Start(self) -> None:
            await asyncio.sleep(0.05)
            await self.SubmitAction("cloud", "Process", 1)

    async with Flow("f").add(Sink).add(Sender).running(transport="memory"):
        await notes.count(1)
    assert notes == [("sender_py", "cloud", (1,))]


async def test_what_is_submitted_goes_where_the_flow_connects_it() -> None:
    notes = Notes()

    class Thermometer(CustomService):
        async def Start(self) -> None:
            for temperature in (20, 40):
                await self.SubmitMessage({"temperature": temperature})

        async def Process(self, message: QueueMessage) -> None:
            await self.SubmitMessage(message.message[0])

    class Alarm(Service):
        @handler
        async def on_reading(self, reading: dict[str, Any]) -> None:
            notes.note(("alarm", reading["temperature"]))

    class Store(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            notes.note((message.source, message.message[0]["temperature"]))

    ends = [{"to": "alarm", "when": "body.temperature > 30"}, "store"]
    flow = Flow("f").add(Thermometer, connect={"messages": ends}).add(Alarm()).add(Store)
    async with flow.running(transport="memory") as node:
        await notes.count(3)
        await node.target("thermometer", Any).send({"temperature": 50})
        await notes.count(5)
    assert sorted(notes[:3]) == [("alarm", 40), ("thermometer_py", 20), ("thermometer_py", 40)]
    assert sorted(notes[3:]) == [("alarm", 50), ("thermometer_py", 50)]


async def test_a_flow_under_test_has_virtual_time() -> None:
    class Hourly(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            await self.SubmitAction("receiver", "Process", message.message[0]["n"] + 1)

    async with running(Flow("f").add(Hourly).add(receiver(Notes()))) as flow:
        await flow.send("hourly", {"n": 1}, delay="1h")
        await flow.advance("1h")
        assert flow.received("receiver") == [2]
        assert flow.now.hour == 1


def test_the_genuine_package_beside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "microservicebus_py-1.0.18.dist-info").mkdir()
    (tmp_path / "microservicebus_py-1.0.18.dist-info" / "METADATA").write_text("Name: microservicebus-py\nVersion: 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="pip uninstall microservicebus-py && pip install --force-reinstall"):
        wire(Flow("f").add(receiver(Notes())))


def test_a_file_is_called_like_its_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "from base_service import CustomService\n\n\nclass ReadGPIO(CustomService):\n    pass\n"
    for name in ("ReadGPIO.py", "ReadPins.py"):
        (tmp_path / name).write_text(text)
    assert [item.name for item in load("ReadGPIO.py").items] == ["readgpio"]
    with pytest.raises(ConfigurationError, match="the class in ReadPins.py is called ReadGPIO"):
        load("ReadPins.py")


async def test_what_an_action_leaves_to_a_task_goes_out_too() -> None:
    """Begun and left alone it goes with the action; a task that outlives the action sends on its own."""
    notes = Notes()
    kept: list[asyncio.Task[None]] = []

    class Starter(CustomService):
        async def Process(self, message: QueueMessage) -> None:
            kept.append(asyncio.create_task(self.SubmitAction("receiver", "Process", "begun")))
            kept.append(asyncio.create_task(self.later()))

        async def later(self) -> None:
            for number in range(50):
                await self.SubmitAction("receiver", "Process", number)
                await asyncio.sleep(0)

    async with Flow("f").add(receiver(notes)).add(Starter).running(transport="memory") as node:
        receipt = await node.target("starter", Any).send({})
        await notes.count(51)
        records = node.archive.search(Query(service="f/receiver", limit=100))
    assert receipt is not None
    sessions = {bytes(record.message.payload): session_text(record.message.session) for record in records}
    assert sessions[b'"begun"'] == receipt.session != sessions[b"49"]
