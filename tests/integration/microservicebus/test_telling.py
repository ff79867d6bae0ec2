"""What services say: lines in the console and the trace, errors with their codes, tracking records; and what nobody is
shown."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.messages.envelope import session_called
from junctor.node.node import Node
from junctor.observe.logs import configure
from tests.integration.microservicebus.services import PATIENCE, Notes

TOKEN = "s3cr3t-of-the-house"


class Teller(CustomService):
    """Says everything that there is to say."""

    async def Process(self, message: QueueMessage) -> None:
        await self.Debug("debugged")
        await self.Warning("warned")
        self.printf("printed", 1)
        await self.ThrowError("Unable to read GPIO", "666", "The pin is not exported")
        await self.ThrowError({"pin": 4})
        await self.Track({"step": 1}, "measured")
        await self.Track("no mapping")
        await self.Debug(f"the token is {self.GetPropertyValue('security', 'token')}")


async def lines(node: Node) -> list[tuple[int, str]]:
    """Let the teller say all it has to say; what the trace has of it."""
    receipt = await node.target("teller", Any).send({})
    assert receipt is not None
    async with asyncio.timeout(PATIENCE):
        while node.engine.hosts["f/teller"].counters.done == 0:
            await asyncio.sleep(0.01)
    await node.engine.committed(at_once=True)
    return [(one.line.level, one.line.text) for one in node.archive.logs(session_called(receipt.session))]


def flow() -> Flow:
    return Flow("f").add(Teller, settings={"security": {"token": TOKEN}})


async def test_what_a_service_says_is_in_the_trace(short_dir: Path) -> None:
    async with flow().running(store=short_dir) as node:
        assert await lines(node) == [
            (logging.INFO, "debugged"),
            (logging.WARNING, "warned"),
            (logging.INFO, "printed 1"),
            (logging.ERROR, "666: Unable to read GPIO (The pin is not exported)"),
            (logging.ERROR, "{'pin': 4}"),
            (logging.INFO, '{"description":"measured","step":1}'),
            (logging.WARNING, "Track takes a dictionary; this message is not tracked"),
            (logging.INFO, "the token is ***"),
        ]


async def test_an_error_that_is_told_is_an_alert_with_its_code(short_dir: Path) -> None:
    async with flow().running(store=short_dir) as node:
        await lines(node)
        alerts = [alert for alert in node.archive.alerts(50) if alert.kind == "fault"]
    assert {(alert.service, alert.text) for alert in alerts} == {
        ("f/teller", "f/teller: 666: Unable to read GPIO (The pin is not exported)"),
        ("f/teller", "f/teller: {'pin': 4}"),
    }


async def test_debug_lines_leave_the_console_and_stay_in_the_trace(
    short_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with flow().running(store=short_dir) as node:
            await node.target("logger", Any, handler="_change_debug").send(False)
            async with asyncio.timeout(PATIENCE):
                while node.engine.hosts["f/logger"].counters.done == 0:
                    await asyncio.sleep(0.01)
            assert (logging.INFO, "debugged") in await lines(node)
    shown = [record.getMessage() for record in caplog.records if record.name == "f.teller"]
    assert "debugged" not in shown and "warned" in shown and "printed 1" in shown


async def test_security_properties_show_nowhere(short_dir: Path) -> None:
    out = io.StringIO()
    undo = configure("info", "human", out)
    try:
        async with flow().running(store=short_dir) as node:
            await lines(node)
            spec = node.engine.hosts["f/teller"].spec
            assert TOKEN not in repr(spec.settings)
    finally:
        undo()
    assert "the token is ***" in out.getvalue() and TOKEN not in out.getvalue()
    for file in short_dir.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file


async def test_lines_of_others_go_to_the_logger_of_the_flow(short_dir: Path) -> None:
    notes = Notes()

    class Logger(CustomService):
        async def _debug(self, message: QueueMessage) -> None:
            notes.note((message.source, message.message))

    class Talker(CustomService):
        async def Start(self) -> None:
            await self.Debug("to a logger of my own")

    async with Flow("f").add(Logger).add(Talker).running(transport="memory"):
        await notes.count(1)
    assert notes == [("talker_py", ("to a logger of my own",))]
