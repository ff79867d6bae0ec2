"""The listeners of a node: several flows, prefixes, administration apart, and their exchange while running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from junctor import Flow, Service, Socket, action, get, post, setting, websocket
from junctor.cli.main import main
from junctor.errors import ConfigurationError, JunctorError, PortInUse
from junctor.flows import wire
from junctor.http.listening.limits import Limits
from junctor.http.settings import Admin, ApiKey, Cors, HttpSettings, Tls
from junctor.node.address import Address
from junctor.node.node import Node, Plan
from tests.integration.http.client import call, read_answer

SECRET = "correct-horse-battery"


class Tank(Service):
    level: int = setting(7)

    def on_start(self) -> None:
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()

    @get("/level")
    async def read(self) -> int:
        return self.level

    @get("/slow")
    async def slow(self) -> int:
        self.entered.set()
        await self.go_on.wait()
        return self.level

    @post("/level")
    async def fill(self, data: bytes) -> str:
        return self.caller

    @action
    async def drain(self) -> str:
        return self.caller

    @websocket("/live")
    async def live(self, socket: Socket[None, int]) -> None:
        await socket.send(self.level)
        await socket.closed()


class Other(Tank):
    """Another service with the same paths."""


def flow(name: str = "a", service: Any = None, http: HttpSettings | None = None) -> Flow:
    return Flow(name, http=http).add(service or Tank(), name="tank")


@contextlib.asynccontextmanager
async def running(*flows: Flow, address: Address | None = Address(port=0)) -> AsyncIterator[Node]:  # noqa: B008
    async with Node(Plan(flows=[wire(one) for one in flows], transport="memory", http=address)) as node:
        yield node


def port_of(node: Node, name: str = "main") -> int:
    assert node.listeners.web is not None
    return next(door.listener.port for door in node.listeners.web._doors if door.place.name == name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tank(node: Node, address: str = "a/tank") -> Any:
    host: Any = node.engine.hosts[address]
    return host.slots[0].instance


async def status(port: int, path: str, **options: Any) -> int:
    return (await call(port, options.pop("method", "GET"), path, **options)).status


# Several flows -------------------------------------------------------------------------------------------------


async def test_flows_with_and_without_a_prefix() -> None:
    plant = flow("b", Tank(level=9), HttpSettings(path="/plant"))
    async with running(flow(), plant) as node:
        port = port_of(node)
        assert (await call(port, "GET", "/level")).json == 7
        assert (await call(port, "GET", "/plant/level")).json == 9
        assert await status(port, "/tank/drain", method="POST", body=b"") == 200
        assert await status(port, "/plant/tank/drain", method="POST", body=b"") == 200
        async with connect(f"ws://127.0.0.1:{port}/plant/live", proxy=None) as client:
            assert await client.recv() == "9"
        listed = (await call(port, "GET", "/")).json["services"]
        assert {entry["path"] for one in listed for entry in one["entries"]} >= {"/level", "/plant/level"}


async def test_a_clash_names_both_and_the_fix() -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with running(flow("a"), flow("b", Other())):
            pass
    for words in ("GET /level", "a/tank.read", "b/tank.read", "prefix", "path: /name"):
        assert words in str(caught.value)


async def test_a_prefix_does_not_reach_into_what_is_reserved() -> None:
    with pytest.raises(ConfigurationError, match="reserved"):
        async with running(flow("a", http=HttpSettings(path="/health"))):
            pass


async def test_a_second_listener() -> None:
    other = flow("b", Other(), HttpSettings(listener="lab", port=free_port()))
    async with running(flow("a"), other) as node:
        main, lab = port_of(node), port_of(node, "lab")
        assert (await status(main, "/level"), await status(lab, "/level")) == (200, 200)
        assert (await status(main, "/health/live"), await status(lab, "/health/live")) == (200, 404)
        assert node.status().urls == [f"http://127.0.0.1:{main}", f"http://127.0.0.1:{lab}"]
        counted = (await call(main, "GET", "/metrics")).body.decode()
        assert 'junctor_http_requests_total{method="GET",status="2xx"} 3' in counted


async def test_administration_apart() -> None:
    port = free_port()
    section = HttpSettings(admin=Admin(port=port), keys=(ApiKey(name="x", secret=SECRET),))
    async with running(flow("a", http=section)) as node:
        main = port_of(node)
        for path in ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json", "/"):
            assert await status(main, path) == 404
            assert await status(port, path) == 200
        assert await status(port, "/level") == 404
        assert await status(main, "/level", headers={"x-api-key": SECRET}) == 200
        described = (await call(port, "GET", "/openapi.json")).json
        assert "/level" in described["paths"] and described["servers"] == [{"url": f"http://127.0.0.1:{main}"}]


async def test_documentation_beside_the_routes_where_administration_is_apart() -> None:
    keys = (ApiKey(name="x", secret=SECRET),)
    asks = flow("a", http=HttpSettings(admin=Admin(port=0), docs=True, keys=keys))
    silent = flow("b", http=HttpSettings(path="/b"))
    closed = flow("c", http=HttpSettings(path="/c", docs=False))
    async with running(asks, silent, closed) as node:
        main, admin = port_of(node), port_of(node, "admin")
        assert await status(main, "/openapi.json") == 401
        here = (await call(main, "GET", "/openapi.json", headers={"x-api-key": SECRET})).json
        assert "/level" in here["paths"] and not any(path.startswith(("/b/", "/c/")) for path in here["paths"])
        assert here["servers"] == [{"url": "/"}] and here["info"]["title"] == "a"
        page = await call(main, "GET", "/docs")
        assert page.status == 200 and "connect-src 'self';" in page.headers["content-security-policy"]
        for path in ("/health/live", "/metrics", "/"):
            assert await status(main, path) == 404
        there = (await call(admin, "GET", "/openapi.json")).json
        assert {"/level", "/b/level"} <= set(there["paths"]) and "/c/level" not in there["paths"]


async def test_the_document_names_a_listener_whose_port_was_chosen_late() -> None:
    """Free ports, a port that was taken, and listeners that an apply opens."""
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", 8080)))
        both = flow("a", http=HttpSettings(admin=Admin(port=0)))
        node = await stack.enter_async_context(running(both, address=Address()))
        other = flow("a", http=HttpSettings(admin=Admin(port=0), listener="lab", port=0))
        for applied in (both, flow("a"), both, other):
            await node.apply([wire(applied)], who="test")
            if applied.http is not None:
                described = (await call(port_of(node, "admin"), "GET", "/openapi.json")).json
                main = port_of(node, applied.http.listener)
                assert described["servers"] == [{"url": f"http://127.0.0.1:{main}"}]


async def test_what_the_pages_tell() -> None:
    hidden = flow("b", Tank(), HttpSettings(path="/b", docs=False))
    async with running(flow("a"), hidden) as node:
        port = port_of(node)
        described = (await call(port, "GET", "/openapi.json")).json["paths"]
        assert "/level" in described and "/b/level" not in described
        listed = (await call(port, "GET", "/")).json["services"]
        entries = {(entry["method"], entry["path"]) for one in listed for entry in one["entries"]}
        assert {("GET", "/level"), ("GET", "/b/level"), ("WEBSOCKET", "/live"), ("POST", "/tank/drain")} <= entries
        assert b"/live" in (await call(port, "GET", "/", headers={"accept": "text/html"})).body
    async with running(flow("a", http=HttpSettings(admin=Admin(port=0)))) as node:
        listed = (await call(port_of(node, "admin"), "GET", "/")).json["services"]
        assert "/level" in {entry["path"] for one in listed for entry in one["entries"]}
    async with running(flow("a", http=HttpSettings(docs=False))) as node:
        assert await status(port_of(node), "/openapi.json") == 404
        assert await status(port_of(node), "/docs") == 404


async def test_sockets_are_counted() -> None:
    async with running(flow("a")) as node:
        port = port_of(node)

        async def lines() -> list[str]:
            return (await call(port, "GET", "/metrics")).body.decode().splitlines()

        async with connect(f"ws://127.0.0.1:{port}/live", proxy=None) as client:
            await client.recv()
            found = await lines()
            assert "junctor_http_websockets 1" in found
            assert 'junctor_http_requests_total{method="WEBSOCKET",status="1xx"} 1' in found
        async with asyncio.timeout(10):
            while "junctor_http_websockets 0" not in await lines():
                await asyncio.sleep(0.01)
        assert node.engine.hosts["a/tank"].counters.busy == 0


async def test_health_needs_no_key_and_the_rest_does() -> None:
    section = HttpSettings(keys=(ApiKey(name="plant", secret=SECRET),))
    async with running(flow("a", http=section)) as node:
        port = port_of(node)
        given = {"x-api-key": SECRET}
        for path in ("/health/live", "/health/ready", "/healthz", "/docs"):  # the page is empty without a key
            assert await status(port, path) == 200
        for path in ("/metrics", "/", "/openapi.json", "/level", "/heartbeat", "/status"):
            assert (await status(port, path), await status(port, path, headers=given)) == (401, 200)
        assert (await call(port, "POST", "/level", b"", given)).json == "plant"
        assert (await call(port, "POST", "/tank/drain", b"", given)).json == "plant"


async def test_one_flow_has_keys_and_the_other_none() -> None:
    keyed = flow("b", Tank(), HttpSettings(path="/b", keys=(ApiKey(name="x", secret=SECRET),)))
    async with running(flow("a"), keyed) as node:
        assert (await status(port_of(node), "/level"), await status(port_of(node), "/b/level")) == (200, 401)


async def test_who_called_is_in_the_trace() -> None:
    section = HttpSettings(keys=(ApiKey(name="plant", secret=SECRET),))
    async with running(flow("a", http=section)) as node:
        answer = await call(port_of(node), "POST", "/tank/drain", b"", {"x-api-key": SECRET})
        (record,) = node.archive.session(int(answer.headers["junctor-session"], 16))
        assert record.message.headers == {"caller": "plant"}


# Addresses -----------------------------------------------------------------------------------------------------


async def test_a_port_that_was_asked_for_is_in_use() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(PortInUse):
            async with running(flow("a", http=HttpSettings(port=port)), address=Address()):
                pass


async def test_the_second_port_is_in_use_and_nothing_stays_open() -> None:
    first = free_port()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        section = HttpSettings(port=first, admin=Admin(port=held.getsockname()[1]))
        with pytest.raises(PortInUse):
            async with running(flow("a", http=section), address=Address()):
                pass
    with socket.socket() as again:
        again.bind(("127.0.0.1", first))


async def test_open_to_other_machines_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(flow("a", http=HttpSettings(host="0.0.0.0"))):
            pass
        assert "reachable from other machines, without a password, not encrypted" in caplog.text
        caplog.clear()
        keys = (ApiKey(name="x", secret=SECRET),)
        async with running(flow("a", http=HttpSettings(host="0.0.0.0", keys=keys))):
            pass
        assert "callers need a key or a certificate, not encrypted" in caplog.text and SECRET not in caplog.text


async def test_names_of_hosts() -> None:
    async with running(flow("a", http=HttpSettings(hosts=("plant.example.org",)))) as node:
        port = port_of(node)
        assert await status(port, "/level", headers={"host": "plant.example.org"}) == 200
        assert await status(port, "/level", headers={"host": "Plant.Example.org.:80"}) == 200
        assert await status(port, "/level", headers={"host": "other.example.org"}) == 421
    async with running(flow("a", http=HttpSettings(host="0.0.0.0", hosts=("plant.example.org",)))) as node:
        port = port_of(node)
        for host, expected in (
            ("plant.example.org", 200),
            ("10.1.2.3:80", 200),
            ("localhost", 200),
            ("evil.example", 421),
        ):
            assert await status(port, "/level", headers={"host": host}) == expected


# Exchange -------------------------------------------------------------------------------------------------------


async def change(node: Node, *flows: Flow) -> None:
    await node.apply([wire(one) for one in flows], who="test")


async def test_a_connection_survives_an_exchange() -> None:
    async with running(flow("a", Tank(level=1))) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(node))

        async def level(path: str = "/level") -> Any:
            writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
            return (await read_answer(reader)).json

        assert await level() == 1
        await change(node, flow("a", Tank(level=2)))
        assert await level() == 2
        await change(node, flow("a", Tank(level=3), HttpSettings(path="/p", limits=Limits(head=2048))))
        assert await level("/p/level") == 3
        assert (await level("/level"))["status"] == 404
        writer.close()


async def test_sockets_of_an_exchanged_service_are_told_to_come_again() -> None:
    async with running(flow("a", Tank(level=1)), flow("b", Tank(level=5), HttpSettings(path="/b"))) as node:
        base = f"ws://127.0.0.1:{port_of(node)}"
        gone = await connect(f"{base}/live", proxy=None)
        stays = await connect(f"{base}/b/live", proxy=None)
        await gone.recv(), await stays.recv()
        await change(node, flow("a", Tank(level=2)))
        with pytest.raises(ConnectionClosed) as caught:
            await gone.recv()
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1012
        await (await stays.ping())
        async with connect(f"{base}/live", proxy=None) as again:
            assert await again.recv() == "2"
        await stays.close()


async def test_a_running_request_ends_on_the_old_service() -> None:
    async with running(flow("a", Tank(level=1))) as node:
        old = tank(node)
        asked = asyncio.ensure_future(call(port_of(node), "GET", "/slow"))
        await old.entered.wait()
        changed = asyncio.ensure_future(change(node, flow("a", Tank(level=2))))
        await asyncio.sleep(0.05)
        old.go_on.set()
        assert (await asked).json == 1
        await changed
        assert (await call(port_of(node), "GET", "/level")).json == 2


async def test_a_clash_changes_nothing() -> None:
    async with running(flow("a", Tank(level=1))) as node:
        port = port_of(node)
        for wrong in (
            flow("b", Other()),
            flow("b", Other(), HttpSettings(listener="lab")),
            flow("b", Other(), HttpSettings(path="/b", cors=Cors(origins=("x",)))),
            flow("b", Other(), HttpSettings(listener="lab", port=1, tls=Tls(certificate="no.pem", key="no.key"))),
            flow("b", Other(), HttpSettings(listener="lab", port=port)),
        ):
            with pytest.raises(JunctorError):
                await change(node, wrong)
            assert list(node.engine.hosts) == ["a/tank"]
            assert (await call(port, "GET", "/level")).json == 1
            assert len(node.status().urls) == 1


async def test_listeners_come_and_go() -> None:
    lab, other = free_port(), free_port()
    async with running(flow("a")) as node:
        main = port_of(node)
        await change(node, flow("b", Other(level=2), HttpSettings(listener="lab", port=lab)))
        assert ((await call(main, "GET", "/level")).json, (await call(lab, "GET", "/level")).json) == (7, 2)
        await change(node, flow("b", Other(level=3), HttpSettings(listener="lab", port=other)))
        assert (await call(other, "GET", "/level")).json == 3
        with pytest.raises(OSError):
            await call(lab, "GET", "/level")
        await node.apply([], who="test", remove=["b"])
        with pytest.raises(OSError):
            await call(other, "GET", "/level")
        assert (await call(main, "GET", "/level")).json == 7


async def test_another_address_on_the_same_port_needs_a_restart() -> None:
    port = free_port()
    async with running(flow("a", http=HttpSettings(port=port)), address=Address()) as node:
        with pytest.raises(ConfigurationError, match="Restart the node"):
            await change(node, flow("a", http=HttpSettings(port=port, host="0.0.0.0")))
        assert await status(port, "/level") == 200


async def test_keys_come_with_an_exchange() -> None:
    async with running(flow("a")) as node:
        port = port_of(node)
        assert await status(port, "/level") == 200
        await change(node, flow("a", http=HttpSettings(keys=(ApiKey(name="x", secret=SECRET),))))
        assert await status(port, "/level") == 401
        assert await status(port, "/level", headers={"x-api-key": SECRET}) == 200


async def test_a_renewed_certificate(tmp_path: Any) -> None:
    authorities = [trustme.CA(), trustme.CA()]
    certificate, key = tmp_path / "a.pem", tmp_path / "a.key"

    def issue(number: int) -> None:
        made = authorities[number].issue_cert("localhost")
        certificate.write_bytes(made.cert_chain_pems[0].bytes())
        key.write_bytes(made.private_key_pem.bytes())

    async def ask(number: int, port: int) -> bytes:
        import ssl

        context = ssl.create_default_context()
        authorities[number].configure_trust(context)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        writer.write(b"GET /level HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answer = await read_answer(reader)
        writer.close()
        return answer.body

    issue(0)
    served = flow("a", http=HttpSettings(tls=Tls(certificate=str(certificate), key=str(key))))
    async with running(served) as node:
        assert node.url.startswith("https://")
        port = port_of(node)
        assert await ask(0, port) == b"7"
        issue(1)
        assert await ask(0, port) == b"7"
        await change(node, served)
        assert await ask(1, port) == b"7"
        certificate.write_text("spoilt")
        with pytest.raises(ConfigurationError, match=r"a\.pem"):
            await change(node, served)
        assert await ask(1, port) == b"7"


# junctor check --------------------------------------------------------------------------------------------------

FLOW = """
flow: {name}
services: {{tank: {{class: "tanks:Tank"}}}}
http: {http}
"""


@pytest.mark.parametrize(
    ("sections", "code", "said"),
    [
        (["{port: 9001}", "{port: 9001, path: /b}"], 0, ["all is well"]),
        (["{port: 9001}", "{port: 9002, path: /b}"], 78, ["the flows a and b", "9001 and 9002"]),
        (["{path: plant}"], 78, ["a.yaml", '"plant" is not a prefix']),
        (["{listener: lab}"], 78, ['the listener "lab" has no port']),
        (["{tls: {certificate: no.pem, key: no.key}}"], 78, ["a.yaml", "error", "no.pem cannot be read"]),
    ],
)
def test_check_finds_it_before_the_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sections: list[str],
    code: int,
    said: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tanks.py").write_text(
        "from junctor import Service, get\n"
        "class Tank(Service):\n"
        "    @get('/level')\n"
        "    async def level(self) -> int: ...\n"
    )
    files = [f"{name}.yaml" for name, _ in zip("ab", sections, strict=False)]
    for file, http in zip(files, sections, strict=True):
        (tmp_path / file).write_text(FLOW.format(name=file[0], http=http))
    assert main(["check", *files]) == code
    printed = capsys.readouterr().out
    for words in said:
        assert words in printed, printed


def test_keys_of_the_administration_are_no_text_in_a_file_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "keyed.py").write_text(
        "from junctor import Flow, Service, action\n"
        "from junctor.http.settings import Admin, ApiKey, HttpSettings\n"
        "class Lamp(Service):\n"
        "    @action\n"
        "    async def on(self) -> None: ...\n"
        f"key = ApiKey(name='a', secret='{SECRET}')\n"
        "flow = Flow('lamps', http=HttpSettings(keys=(key,), admin=Admin(keys=(key,)))).add(Lamp())\n"
    )
    assert main(["graph", "--yaml", "keyed.py"]) == 0
    written = capsys.readouterr().out
    assert SECRET not in written and written.count("${secret:HTTP_A}") == 2
    (tmp_path / "a.yaml").write_text(written.replace("${secret:HTTP_A}", SECRET))
    assert main(["check", "a.yaml"]) == 0
    assert capsys.readouterr().out.count("an API key stands in the file as text") == 2
