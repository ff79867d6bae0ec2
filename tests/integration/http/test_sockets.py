"""WebSockets: typed both ways, bounded, recorded, and closed when their service goes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from junctor import Audience, Flow, Service, Socket, SocketClosed, Target, action, get, handler, websocket
from junctor.core.lifecycle import State
from junctor.errors import ConfigurationError
from junctor.http import Header, HttpError
from junctor.http.listening.limits import Limits
from junctor.http.settings import ApiKey, Cors, HttpSettings
from junctor.node.node import Node
from tests.integration.http.client import call, raw

SECRET = "correct-horse-battery"


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


class Alarm(Service):
    def on_start(self) -> None:
        self.seen: list[Reading] = []

    @handler
    async def on_reading(self, reading: Reading) -> None:
        self.seen.append(reading)

    @action
    async def count(self) -> int:
        return len(self.seen)


class Live(Service):
    readings: Target[Reading]

    def on_start(self) -> None:
        self.audience: Audience[Reading] = Audience(waiting=50)
        self.ended: list[str] = []
        self.entered = asyncio.Event()

    @websocket("/echo/{sensor}")
    async def echo(
        self,
        socket: Socket[Reading, Reading],
        sensor: str,
        factor: float = 1.0,
        tag: Annotated[str, Header("x-tag")] = "",
    ) -> None:
        """Sends back what it gets."""
        async for reading in socket:
            await self.readings.send(reading)
            await socket.send(Reading(sensor + tag, reading.value * factor))
        self.ended.append("echo")

    @websocket("/bytes")
    async def bytes_(self, socket: Socket[bytes, bytes]) -> None:
        async for data in socket:
            await socket.send(data[::-1])

    @websocket("/any")
    async def anything(self, socket: Socket) -> None:  # type: ignore[type-arg]
        async for value in socket:
            await socket.send(value)

    @websocket("/live")
    async def live(self, socket: Socket[None, Reading]) -> None:
        await self.audience.join(socket)
        self.ended.append("live")

    @websocket("/wrong")
    async def wrong(self, socket: Socket[Any, Any], how: str = "error") -> None:
        if how == "refuse":
            raise HttpError("not today", status=409)
        if how == "nan":
            await socket.send(float("nan"))
        if how == "goodbye":
            await socket.close(4001, "goodbye")
            with pytest.raises(SocketClosed):
                await socket.send(1)
            return
        raise ValueError("secret inside")

    @websocket("/flood")
    async def flood(self, socket: Socket[None, bytes]) -> None:
        self.entered.set()
        try:
            while True:
                await socket.send(b"x" * 100_000)
        except SocketClosed:
            self.ended.append("flood")
            raise

    @websocket("/deaf")
    async def deaf(self, socket: Socket[Any, Any]) -> None:
        self.entered.set()
        await socket.closed()
        self.ended.append("deaf")

    @websocket("/stubborn")
    async def stubborn(self, socket: Socket[Any, Any]) -> None:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append("stubborn")

    @websocket("/who")
    async def who(self, socket: Socket[Any, str]) -> None:
        await socket.send(f"{self.caller} {socket.caller}")

    @get("/both")
    async def both(self) -> str:
        return "route"

    @websocket("/both")
    async def both_ways(self, socket: Socket[Any, str]) -> None:
        await socket.send("socket")

    @action
    def tell(self, value: float) -> int:
        return self.audience.tell(Reading("t", value))

    @action
    async def endings(self) -> list[str]:
        return self.ended


class Running:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.port = int(node.url.rpartition(":")[2])

    def open(self, path: str, **options: Any) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, **options)

    @property
    def live(self) -> Live:
        host: Any = self.node.engine.hosts["f/live"]
        instance: Live = host.slots[0].instance
        return instance


@contextlib.asynccontextmanager
async def running(http: HttpSettings | None = None, **options: Any) -> AsyncIterator[Running]:
    flow = Flow("f", http=http).add(Live(), **options).add(Alarm())
    async with flow.running(transport="memory", http=True) as node:
        yield Running(node)


async def closing(client: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the server ends it."""
    with pytest.raises(ConnectionClosed) as caught:
        async with asyncio.timeout(15):
            while True:
                await client.recv()
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


async def refused(run: Running, path: str, **options: Any) -> Any:
    with pytest.raises(InvalidStatus) as caught:
        async with run.open(path, **options):
            pass
    return caught.value.response


async def until(condition: Any) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


async def test_typed_both_ways_and_durable() -> None:
    async with running() as run:
        headers = {"x-tag": "!"}
        async with run.open("/echo/cpu?factor=3", additional_headers=headers) as client:
            for value in (1, 2):
                await client.send(f'{{"sensor":"a","value":{value}}}')
                assert await client.recv() == f'{{"sensor":"cpu!","value":{value * 3}.0}}'
        await until(lambda: run.live.ended)
        assert await run.node.call("alarm", "count") == 2


async def test_a_connection_is_the_first_hop_of_a_session(tmp_path: Any) -> None:
    session = "0af7651916cd43dd8448eb211c80319c"
    flow = Flow("f").add(Live()).add(Alarm())
    async with flow.running(store=tmp_path, http=True) as node:
        headers = {"traceparent": f"00-{session}-b7ad6b7169203331-01"}
        async with Running(node).open("/echo/cpu", additional_headers=headers) as client:
            assert client.response is not None
            assert client.response.headers["junctor-session"] == session
            await client.send('{"sensor":"a","value":1}')
            await client.recv()
        await until(lambda: Running(node).live.ended)
        records = node.archive.session(int(session, 16))
        assert [(record.message.target, record.message.type) for record in records][:2] == [
            ("f/live", "echo"),
            ("f/alarm", "Reading"),
        ]


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ('{"sensor":"a","value":"x"}', 1007, "message.value: expected float, got str"),
        ('{"sensor":"a"}', 1007, "message: object missing required field value"),
        ("not json", 1007, "the message is not JSON"),
        ("[" * 500 + "]" * 500, 1007, "nested too deeply"),
        ("[" * 200_000 + "]" * 200_000, 1007, "nested too deeply"),
        (b"\x00", 1003, "JSON in text messages"),
    ],
)
async def test_what_does_not_fit_closes_with_the_reason(sent: Any, code: int, reason: str) -> None:
    async with running() as run, run.open("/echo/cpu") as client:
        await client.send(sent)
        found = await closing(client)
        assert found[0] == code and reason in found[1] and len(found[1].encode()) <= 123
        await until(lambda: run.live.ended == ["echo"])


async def test_bytes() -> None:
    async with running() as run:
        async with run.open("/bytes") as client:
            await client.send(b"abc")
            assert await client.recv() == b"cba"
            await client.send("text")
            assert (await closing(client))[0] == 1003
        async with run.open("/any") as client:
            await client.send(b"abc")
            assert await client.recv() == b"abc"
            await client.send('{"a": [1]}')
            assert await client.recv() == '{"a":[1]}'


@pytest.mark.parametrize("frame", [b"\x81\x82\x00\x00\x00\x00\xff\xfe", b"\x83\x80\x00\x00\x00\x00", b"\x81\x02hi"])
async def test_frames_that_are_none(frame: bytes) -> None:
    async with running() as run, run.open("/any") as client:
        client.transport.write(frame)
        assert (await closing(client))[0] in (1002, 1007)


async def test_a_message_too_large() -> None:
    async with running(HttpSettings(limits=Limits(message=1000))) as run:
        async with run.open("/bytes") as client:
            await client.send(b"x" * 1000)
            assert len(await client.recv()) == 1000
            await client.send(b"x" * 1001)
            assert (await closing(client))[0] == 1009
        async with run.open("/bytes") as client:
            await client.send([b"x" * 400] * 4)
            assert (await closing(client))[0] == 1009


async def test_a_failing_method(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as run:
        async with run.open("/wrong") as client:
            code, reason = await closing(client)
            assert code == 1011 and "secret" not in reason and "session" in reason
        assert any("f/live.wrong: " in message for message in caplog.messages)
        assert run.node.engine.hosts["f/live"].counters.failed == 1
        async with run.open("/wrong?how=nan") as client:
            assert (await closing(client))[0] == 1011
        async with run.open("/wrong?how=refuse") as client:
            assert await closing(client) == (1008, "not today")
        async with run.open("/wrong?how=goodbye") as client:
            assert await closing(client) == (4001, "goodbye")
        assert run.node.engine.hosts["f/live"].lifecycle.state is State.RUNNING


async def test_everybody_gets_what_is_told() -> None:
    async with running() as run:
        clients = [await run.open("/live") for _ in range(5)]
        await until(lambda: len(run.live.audience) == 5)
        assert await run.node.call("live", "tell", value=1) == 5
        assert [await client.recv() for client in clients] == ['{"sensor":"t","value":1.0}'] * 5
        await clients[0].send("hello")
        assert (await closing(clients[0]))[0] == 1003
        for client in clients[1:]:
            await client.close()
        await until(lambda: len(run.live.audience) == 0)
        await until(lambda: run.live.ended == ["live"] * 5)
        assert await run.node.call("live", "tell", value=1) == 0


async def test_a_listener_that_falls_behind_is_closed() -> None:
    class Idle(Socket[Any, Any]):
        """A client that takes nothing."""

        def __init__(self) -> None:
            self.codes: list[int] = []

        async def send(self, value: Any) -> None:
            await asyncio.Event().wait() if not self.codes else None

        async def receive(self) -> Any: ...

        async def close(self, code: int = 1000, reason: str = "") -> None:
            self.codes.append(code)

        def when_closed(self, then: Any) -> None: ...

        @property
        def is_open(self) -> bool:
            return not self.codes

    audience: Audience[int] = Audience(waiting=3)
    idle = Idle()
    joined = asyncio.ensure_future(audience.join(idle))
    await asyncio.sleep(0)
    for number in range(4):
        audience.tell(number)
    async with asyncio.timeout(5):
        await joined
    assert idle.codes == [1013]


async def test_a_client_that_takes_nothing_is_dropped() -> None:
    async with running(HttpSettings(limits=Limits(send=0.2, receive=0.4))) as run:
        client = await run.open("/flood", max_queue=1)
        client.transport.pause_reading()
        await until(lambda: run.live.ended == ["flood"])
        client.transport.abort()


async def test_backpressure_holds_back_the_method_and_not_the_memory() -> None:
    async with running() as run:
        client = await run.open("/flood", max_queue=1)
        client.transport.pause_reading()
        await run.live.entered.wait()
        await asyncio.sleep(0.2)
        (protocol,) = run.node.listeners.web._doors[0].listener._state.connections  # type: ignore[union-attr]
        assert protocol.transport.get_write_buffer_size() < 500_000
        client.transport.abort()
        await until(lambda: run.live.ended == ["flood"])


async def test_a_method_that_does_not_read_notices_the_end() -> None:
    async with running() as run:
        client = await run.open("/deaf")
        await run.live.entered.wait()
        await client.close()
        await until(lambda: run.live.ended == ["deaf"])


async def test_a_method_that_notices_nothing_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("junctor.http.sockets.LEAVE", 0.1)
    async with running() as run:
        client = await run.open("/stubborn")
        await run.live.entered.wait()
        await client.close()
        await until(lambda: run.live.ended == ["stubborn"])
        assert run.node.engine.hosts["f/live"].counters.failed == 0


async def test_pings_keep_it_alive_and_find_dead_clients() -> None:
    async with running(HttpSettings(limits=Limits(ping=0.1))) as run:
        async with run.open("/deaf") as client:
            await asyncio.sleep(0.5)
            await client.ping()
            assert run.live.ended == []
            await client.send("nobody reads this")  # reading stands still now, and pongs lie behind it
            await asyncio.sleep(0.5)
            assert run.live.ended == []
            client.transport.abort()
        await until(lambda: run.live.ended == ["deaf"])
        dead = await run.open("/live")
        await until(lambda: len(run.live.audience) == 1)
        dead.transport.pause_reading()
        await until(lambda: len(run.live.audience) == 0)
        dead.transport.abort()


# Handshakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/none", 404, "not-found"),
        ("/live/alarm", 404, "not-found"),
        ("/echo/x?factor=much", 422, "parameter"),
        ("/echo/%zz", 400, "path"),
        ("/health/live", 404, "not-found"),
    ],
)
async def test_no_such_socket(path: str, status: int, code: str) -> None:
    async with running() as run:
        response = await refused(run, path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert f'"code":"{code}"'.encode() in bytes(response.body)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:{port}", True),
        ("http://127.0.0.1:1", False),
        ("https://evil.example", False),
        ("null", False),
        ("https://app.example.org", True),
    ],
)
async def test_pages_of_other_sites_open_nothing(origin: Any, allowed: bool) -> None:
    async with running(HttpSettings(cors=Cors(origins=("https://app.example.org",)))) as run:
        given = origin.format(port=run.port) if origin else None
        if allowed:
            async with run.open("/live", origin=given):
                pass
        else:
            assert (await refused(run, "/live", origin=given)).status_code == 403


async def test_reading_for_everybody_opens_no_socket() -> None:
    async with running(HttpSettings(cors=Cors(origins=("*",)))) as run:
        assert (await refused(run, "/live", origin="https://evil.example")).status_code == 403


async def test_a_foreign_host_name() -> None:
    async with running() as run:
        assert (await refused(run, "/live", additional_headers={"host": "evil.example"})).status_code in (400, 421)


async def test_a_key_in_a_header_or_a_subprotocol() -> None:
    keys = (ApiKey(name="plant", secret=SECRET), ApiKey(name="other", secret="x" * 16, paths=("/other",)))
    async with running(HttpSettings(keys=keys)) as run:
        assert (await refused(run, "/who")).status_code == 401
        assert (await refused(run, "/who", subprotocols=["junctor"])).status_code == 401
        assert (await refused(run, "/who", subprotocols=["junctor", "junctor.key.wrong"])).status_code == 401
        assert (await refused(run, "/who", additional_headers={"x-api-key": "x" * 16})).status_code == 403
        async with run.open("/who", additional_headers={"authorization": f"Bearer {SECRET}"}) as client:
            assert await client.recv() == '"plant plant"'
        async with run.open("/who", subprotocols=["junctor", f"junctor.key.{SECRET}"]) as client:
            assert client.subprotocol == "junctor" and await client.recv() == '"plant plant"'


HANDSHAKE = "GET {path} HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n{more}\r\n"
KEY = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = "sec-websocket-version: 13\r\n"


@pytest.mark.parametrize(
    ("more", "statuses"),
    [
        (KEY + VERSION, {101}),
        (VERSION, {400}),
        (KEY, {400, 426}),
        (KEY + "sec-websocket-version: 8\r\n", {400, 426}),
        (KEY + KEY + VERSION, {400}),
        ("sec-websocket-key: short\r\n" + VERSION, {400}),
        (KEY + VERSION + "content-length: 5\r\n\r\nhello", {400, 101}),
        (KEY + VERSION + f"x: {'y' * 100_000}\r\n", {431}),
        (KEY + VERSION + "".join(f"x{number}: y\r\n" for number in range(120)), {431}),
    ],
)
async def test_wrong_handshakes(more: str, statuses: set[int]) -> None:
    async with running() as run:
        reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
        writer.write(HANDSHAKE.format(path="/live", more=more).encode())
        async with asyncio.timeout(10):
            line = await reader.readline()
        assert int(line.split()[1]) in statuses
        writer.close()
        assert (await call(run.port, "GET", "/both")).json == "route"


async def test_a_plain_request_to_a_socket() -> None:
    async with running() as run:
        answer = await call(run.port, "GET", "/live")
        assert (answer.status, answer.code, answer.headers["upgrade"]) == (426, "websocket", "websocket")
        assert (await call(run.port, "POST", "/live", b"")).status == 426
        assert (await call(run.port, "GET", "/both")).json == "route"
        assert (await call(run.port, "DELETE", "/both")).headers["allow"] == "GET, HEAD, OPTIONS"
        async with run.open("/both") as client:
            assert await client.recv() == '"socket"'


async def test_an_upgrade_behind_a_request_that_is_not_answered() -> None:
    async with running() as run:
        data = b"GET /both HTTP/1.1\r\nhost: localhost\r\n\r\n"
        answer = await raw(run.port, data + HANDSHAKE.format(path="/live", more=KEY + VERSION).encode())
        assert answer.json == "route"


async def test_as_many_as_the_listener_takes() -> None:
    async with running(HttpSettings(limits=Limits(sockets=3))) as run:
        clients = [await run.open("/live") for _ in range(3)]
        response = await refused(run, "/live")
        assert response.status_code == 503 and response.headers["retry-after"] == "1"
        await clients[0].close()
        await until(lambda: len(run.live.audience) == 2)
        async with run.open("/live"):
            pass
        for client in clients[1:]:
            await client.close()


async def test_sockets_take_no_places_of_calls() -> None:
    async with running(pool={"calls": 2}) as run:
        clients = [await run.open("/live") for _ in range(5)]
        await until(lambda: len(run.live.audience) == 5)
        assert (await call(run.port, "GET", "/both")).json == "route"
        assert run.node.engine.hosts["f/live"].in_flight == 0
        for client in clients:
            await client.close()


# Ends -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/live", "/echo/x", "/deaf", "/flood"])
async def test_the_node_stops(path: str) -> None:
    async with running() as run:
        client = await run.open(path)
        await asyncio.sleep(0.05)
        ending = asyncio.ensure_future(closing(client))
    code, _ = await ending
    assert code == 1012


async def test_a_stop_does_not_wait_for_a_stubborn_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("junctor.http.sockets.LEAVE", 0.1)
    async with running() as run:
        client = await run.open("/stubborn")
        await run.live.entered.wait()
        live = run.live
    assert live.ended == ["stubborn"]
    await client.close()


async def test_the_service_restarts() -> None:
    async with running() as run:
        client = await run.open("/live")
        await until(lambda: len(run.live.audience) == 1)
        await run.node.restart(run.node.engine.hosts["f/live"])
        assert (await closing(client))[0] == 1012
        async with run.open("/live") as again:
            await until(lambda: len(run.live.audience) == 1)
            await run.node.call("live", "tell", value=2)
            assert await again.recv() == '{"sensor":"t","value":2.0}'


async def test_a_service_on_its_own_loop() -> None:
    async with running(loop="own") as run:
        async with run.open("/echo/cpu") as client:
            await client.send('{"sensor":"a","value":1}')
            assert await client.recv() == '{"sensor":"cpu","value":1.0}'
        async with run.open("/live") as client:
            await until(lambda: len(run.live.audience) == 1)
            await run.node.call("live", "tell", value=2)
            assert await client.recv() == '{"sensor":"t","value":2.0}'
        await until(lambda: "live" in run.live.ended)


# Declarations ---------------------------------------------------------------------------------------------------


def test_what_a_spec_says() -> None:
    (spec,) = [one.spec for one in Flow("f").add(Live()).services][:1]
    sockets = {socket.path: socket for socket in spec().sockets}
    assert (sockets["/echo/{sensor}"].accepts, sockets["/echo/{sensor}"].sends) == (Reading, Reading)
    assert sockets["/live"].accepts is None and sockets["/any"].accepts is Any
    assert sockets["/echo/{sensor}"].socket == "socket"
    assert sockets["/echo/{sensor}"].doc == "Sends back what it gets."


def _blocking(self: Any, socket: Socket[Any, Any]) -> None: ...


async def _without(self: Any) -> None: ...


async def _two(self: Any, a: Socket[Any, Any], b: Socket[Any, Any]) -> None: ...


async def _path(self: Any, socket: Socket[Any, Any]) -> None: ...


@pytest.mark.parametrize(
    ("function", "path", "said"),
    [
        (_blocking, "/x", "needs an `async def`"),
        (_without, "/x", "no parameter for the connection"),
        (_two, "/x", "two parameters for the connection"),
        (_path, "/x/{y}", "no parameter of this name"),
    ],
)
def test_wrong_declarations(function: Any, path: str, said: str) -> None:
    cls = type("Wrong", (Service,), {"method": websocket(path)(function)})
    with pytest.raises(ConfigurationError, match=said):
        Flow("f").add(cls).services[0].spec()


def test_a_path_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="@websocket needs a path"):
        websocket("live")


async def test_a_service_sees_nothing_in_the_log_of_clients_that_come_and_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as run:
        for _ in range(5):
            client = await run.open("/echo/x")
            client.transport.abort()
        await until(lambda: len(run.live.ended) == 5)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
