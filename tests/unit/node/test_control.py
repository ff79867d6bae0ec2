"""The control socket with real connections: garbage, half-open peers, many questions, one vanished asker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor.errors import BodyTooLarge, NodeNotFound, RequestFailed, UnknownTarget
from junctor.node.control import wire
from junctor.node.control.client import AsyncNodeClient, Connection, NodeClient
from junctor.node.control.server import CONNECTIONS, ControlSocket, peer_uid
from junctor.runtime.supervisor import Supervisor


class Desk:
    """Answers like a node: real enough to be asked, small enough to be held up."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked: list[str] = []

    async def perform(self, name: str, arguments: dict[str, msgspec.Raw], who: str) -> Any:
        self.asked.append(name)
        if name == "wait":
            await self.go_on.wait()
        elif name == "unknown":
            raise UnknownTarget("no such service", where="alarm", fix="Did you mean alarms?")
        elif name == "failed":
            raise RequestFailed("it failed", error_type="ValueError")
        elif name == "crash":
            raise ZeroDivisionError("by zero")
        elif name == "object":
            return object()
        return {key: msgspec.json.decode(value) for key, value in arguments.items()}


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def control(short_dir: Path, desk: Desk) -> AsyncIterator[ControlSocket]:
    supervisor = Supervisor()
    served = ControlSocket(short_dir, desk.perform, supervisor)
    await served.open()
    yield served
    desk.go_on.set()
    await served.hang_up()
    await supervisor.aclose()
    assert not (short_dir / "control.sock").exists()


async def connected(control: ControlSocket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(str(control.path))


async def exchange(control: ControlSocket, *lines: bytes) -> wire.Answer:
    reader, writer = await connected(control)
    writer.write(b"\n".join(lines) + b"\n")
    answer = wire.read_answer(await reader.readline())
    writer.close()
    return answer


def ask_and_close(directory: Path) -> None:
    with Connection(directory) as client:
        client.ask("echo")


async def works(control: ControlSocket, short_dir: Path) -> None:
    async with Connection(short_dir) as client:
        assert await client.ask("echo", a=1) == {"a": 1}


async def test_the_socket_is_for_its_owner_only(control: ControlSocket) -> None:
    assert control.path is not None
    assert stat.S_IMODE(control.path.stat().st_mode) == 0o600


async def test_the_kernel_tells_who_asks(control: ControlSocket) -> None:
    _, writer = await connected(control)
    assert peer_uid(writer.get_extra_info("socket")) == os.geteuid()
    writer.close()


async def test_a_stranger_is_refused(control: ControlSocket, short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("junctor.node.control.server.peer_uid", lambda _: 12345)
    reader, writer = await connected(control)
    answer = wire.read_answer(await reader.readline())
    assert answer.error is not None
    assert "only the user of the node" in answer.error.what
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(wire.NotPermitted, match="only the user"):
        await asyncio.to_thread(ask_and_close, short_dir)
    monkeypatch.undo()
    await works(control, short_dir)


async def test_answers_come_as_they_are_ready(control: ControlSocket, desk: Desk, short_dir: Path) -> None:
    async with Connection(short_dir) as client:
        slow = asyncio.ensure_future(client.ask("wait"))
        assert await asyncio.gather(*(client.ask("echo", n=n) for n in range(50))) == [{"n": n} for n in range(50)]
        assert not slow.done()
        desk.go_on.set()
        assert await slow == {}


async def test_errors_come_back_as_themselves(control: ControlSocket, short_dir: Path) -> None:
    async with Connection(short_dir) as client:
        with pytest.raises(UnknownTarget) as unknown:
            await client.ask("unknown")
        assert str(unknown.value) == "alarm: no such service. Did you mean alarms?"
        with pytest.raises(RequestFailed) as failed:
            await client.ask("failed")
        assert failed.value.error_type == "ValueError"
        with pytest.raises(wire.CallFailed, match="ZeroDivisionError: by zero"):
            await client.ask("crash")
        with pytest.raises(Exception, match="cannot be sent"):
            await client.ask("object")


async def test_a_blocking_client_from_a_thread(control: ControlSocket, short_dir: Path) -> None:
    found: list[Any] = []

    def ask() -> None:
        with Connection(short_dir) as client:
            found.append(client.ask("echo", a=1))
            with contextlib.suppress(UnknownTarget):
                client.ask("unknown")
            found.append(client.ask("echo", b=2))

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.005)
    assert found == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00\x01\xff\xfe",
        b"GET / HTTP/1.1",
        b"{}",
        b"[]",
        b'{"id": "x", "operation": "echo"}',
        b'{"id": 1, "operation": "echo", "surprise": 1}',
        b'{"id": 1, "operation": "' + b"\xc3\x28" + b'"}',
        b"[" * 100_000,
        b'{"id": 1, "operation": "echo", "arguments": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
async def test_garbage_is_answered_and_ends_only_its_own_connection(
    control: ControlSocket, short_dir: Path, line: bytes
) -> None:
    reader, writer = await connected(control)
    writer.write(line + b"\n")
    answer = wire.read_answer(await reader.readline())
    assert answer.id == 0
    assert answer.error is not None
    assert answer.error.code == "unknown-operation"
    assert await reader.read() == b""
    writer.close()
    await works(control, short_dir)


@pytest.mark.parametrize("arguments", [b"[]", b"1", b'"x"', b"null"])
async def test_arguments_that_are_no_object(control: ControlSocket, arguments: bytes) -> None:
    answer = await exchange(control, b'{"id": 7, "operation": "echo", "arguments": ' + arguments + b"}")
    assert answer.id == 7
    assert answer.error is not None


async def test_a_line_without_end_is_refused(
    control: ControlSocket, short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await control.hang_up()
    monkeypatch.setattr(wire, "LINE_LIMIT", 10_000)
    await control.open()
    reader, writer = await connected(control)
    writer.write(b"x" * 30_000)
    answer = wire.read_answer(await reader.readline())
    assert answer.error is not None
    assert answer.error.code == "body-too-large"
    writer.close()
    await works(control, short_dir)


async def test_a_client_does_not_send_what_is_too_large(
    control: ControlSocket, short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINE_LIMIT", 1000)
    async with Connection(short_dir) as client:
        with pytest.raises(BodyTooLarge):
            await client.ask("echo", body="x" * 2000)


async def test_half_a_question_is_none(control: ControlSocket, desk: Desk, short_dir: Path) -> None:
    _, writer = await connected(control)
    writer.write(b'{"id": 1, "operation": "echo"')
    writer.write_eof()
    await works(control, short_dir)
    assert desk.asked == ["echo"]
    writer.close()


async def test_an_asker_that_vanishes(control: ControlSocket, desk: Desk, short_dir: Path) -> None:
    _, writer = await connected(control)
    writer.write(b'{"id": 1, "operation": "wait"}\n')
    while not desk.asked:
        await asyncio.sleep(0)
    writer.transport.abort()
    await works(control, short_dir)
    desk.go_on.set()
    await works(control, short_dir)


async def test_an_asker_that_never_reads(control: ControlSocket, desk: Desk, short_dir: Path) -> None:
    _, writer = await connected(control)
    question = b'{"id": 1, "operation": "echo", "arguments": {"a": "' + b"x" * 100_000 + b'"}}\n'
    for _ in range(50):
        writer.write(question)
    await works(control, short_dir)
    writer.transport.abort()


async def test_more_connections_than_there_is_room_for(control: ControlSocket) -> None:
    open_ones = [await connected(control) for _ in range(CONNECTIONS)]
    for reader, writer in open_ones[:: CONNECTIONS // 4]:
        writer.write(b'{"id": 1, "operation": "echo"}\n')
        assert wire.read_answer(await reader.readline()).error is None
    answer = await exchange(control, b'{"id": 1, "operation": "echo"}')
    assert answer.error is not None
    assert answer.error.code == "not-running"
    for _, writer in open_ones:
        writer.close()


async def test_the_end_of_the_node_is_told(control: ControlSocket, desk: Desk, short_dir: Path) -> None:
    client = await AsyncNodeClient.open(short_dir)
    waiting = asyncio.ensure_future(client.ask("wait"))
    await client.ask("echo")
    await control.hang_up(grace=0.05)
    with pytest.raises(wire.ConnectionLost):
        await waiting
    with pytest.raises(wire.ConnectionLost):
        await client.ask("echo")
    await client.close()
    with pytest.raises(NodeNotFound, match="does not run"):
        NodeClient(short_dir)


async def test_something_else_at_the_socket(short_dir: Path) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()

    server = await asyncio.start_unix_server(shout, str(short_dir / "control.sock"))
    async with Connection(short_dir) as client:
        with pytest.raises(wire.ConnectionLost):
            await client.ask("echo")
    server.close()
