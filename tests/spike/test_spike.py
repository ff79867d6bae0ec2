"""One request through all four systems in one node and one session, on each transport, and over a kill."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.core.records import Query, Record
from junctor.messages import Kind, Status
from junctor.node.node import Node
from tests.spike.composed import composed
from tests.spike.programs import custom_services, hello_world, looping, production

WHOLE_PATH = Counter(
    {
        "python-mybp": 1,
        "python-mybo": 3,
        "sender_py": 1,
        "receiver_py": 2,
        "test": 1,
        "audit": 1,
        "hello-world": 1,
    }
)
"""How many messages each service gets for one request to the process."""


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    for seen in (custom_services.SEEN, hello_world.EVENTS, looping.SEEN, production.EVENTS):
        seen.clear()
    custom_services.RELEASED.clear()
    yield
    custom_services.RELEASED.set()


async def fetch(url: str, data: bytes | None = None) -> tuple[bytes, str]:
    """Body and session of a response."""

    def call() -> tuple[bytes, str]:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as response:
            return response.read(), response.headers["junctor-session"]

    return await asyncio.to_thread(call)


async def settled(node: Node, session: int, expected: Counter[str]) -> list[Record]:
    """The records of a session, when all expected ones are done."""
    until = time.monotonic() + 10
    while True:
        records = node.archive.session(session)
        delivered = [record for record in records if record.message.kind in (Kind.SEND, Kind.REQUEST, Kind.EVENT)]
        if Counter(service(record) for record in delivered) == expected and all(
            record.status is Status.DONE for record in delivered
        ):
            return delivered
        if time.monotonic() > until:
            lines = [f"{r.message.source} -> {r.message.target} {r.message.type} {r.status.name}" for r in delivered]
            pytest.fail("not all is done:\n" + "\n".join(lines))
        await asyncio.sleep(0.02)


def service(record: Record) -> str:
    return record.message.target.rpartition("/")[2]


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_one_request_through_all_four(transport: str, short_dir: Path) -> None:
    async with composed().running(transport=transport, store=short_dir, http=True) as node:
        body, session = await fetch(f"{node.url}/hello_world/greeting?name=John")
        delivered = await settled(node, int(session, 16), WHOLE_PATH)
        assert json.loads(body) == {"name": "Hello, echo John/sync, echo John/1, echo John/2 !"}
        check_iop(delivered)
        check_microservicebus()
        check_servicefactory()
        check_log(node, int(session, 16))
        await polled()
    assert production.EVENTS[-2:] == ["on_tear_down", "on_teardown"]
    assert ("sender_py", "Stop", "", None) in custom_services.SEEN
    assert looping.SEEN[-1] == "finalizing..."
    assert hello_world.EVENTS == ["open", "close"]


def check_iop(delivered: list[Record]) -> None:
    assert production.EVENTS[0] == "on_init"
    types = {record.message.type for record in delivered if service(record).startswith("python-")}
    assert types == {"tests.spike.programs.production.MyRequest"}


def check_microservicebus() -> None:
    plain = ({"request_string": "John/sync"},)
    assert ("sender_py", "Process", "python-mybo", plain) in custom_services.SEEN
    assert ("receiver_py", "some_method", "sender_py", ({"id": 42, "pin": 7},)) in custom_services.SEEN
    # `*` reached the one service that has the method, and none of the others.
    assert ("receiver_py", "announced", "sender_py", ({"text": "John/sync"},)) in custom_services.SEEN
    assert ("stubborn_py", "Start", "", None) in custom_services.SEEN


def check_servicefactory() -> None:
    assert looping.SEEN == [b'"hello world"', ("record", b'"hello world"'), "Bye, Xtof !"]


def check_log(node: Node, session: int) -> None:
    """What the code of each system logs is in the one trace."""
    lines = {line.line.text for line in node.archive.logs(session)}
    assert "Received response one: echo John/1" in lines
    assert "There is no service called nobody_py" in lines


async def polled() -> None:
    while "on_process_input" not in production.EVENTS:
        await asyncio.sleep(0.01)


async def test_each_system_answers_over_http(short_dir: Path) -> None:
    async with composed().running(transport="memory", http=True) as node:
        body, _ = await fetch(f"{node.url}/audit/record", b'"hello world"')
        assert body == b'"hello world"'
        body, _ = await fetch(f"{node.url}/hello_world/greeting")
        assert json.loads(body)["name"].startswith("Hello, echo World/")


async def test_iop_code_with_an_event_loop_of_its_own() -> None:
    """``asyncio.run`` inside a blocking handler: its requests belong to the delivery too."""
    async with composed().running(transport="memory") as node:
        asked = node.target("python-myasyncngbp", production.MyRequest, production.MyResponse)
        reply = await asked.request(production.MyRequest("John"))
        assert reply == production.MyResponse("echo John 0, echo John 1, echo John 2")
        sessions = {record.message.session for record in node.archive.search(Query(service="spike/python-mybo"))}
        assert len(sessions) == 1


async def test_killed_in_the_middle_and_started_again(short_dir: Path) -> None:
    """SIGKILL while the process waits for its operation: nothing is lost, nothing is done twice."""
    gate = short_dir / "gate"
    child = subprocess.Popen([sys.executable, "-m", "tests.spike.composed", str(short_dir)])
    try:
        await until((short_dir / "gate.waiting").exists)
    finally:
        child.kill()
        child.wait()
    gate.touch()
    async with composed(str(gate)).running(store=short_dir / "store") as node:
        session = first_session(node)
        delivered = await settled(node, session, WHOLE_PATH)
        process = next(record for record in delivered if service(record) == "python-mybp")
        assert process.reply is not None  # nobody asked, it was sent; the result of a conversation is kept all the same
        assert process.reply.type == "tests.spike.programs.production.MyResponse"
        assert {record.message.session for record in delivered} == {session}
    assert looping.SEEN[:1] == [b'"hello world"']


async def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.02)


def first_session(node: Node) -> int:
    found = node.archive.search(Query(service="spike/python-mybp"))
    return found[0].message.session
