"""``Node.apply`` inside a program, on both transports and with worker processes."""

from __future__ import annotations

import asyncio
import re
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import Flow, Service, Target, action, connect, cron, every, get, handler, setting
from junctor.core.lifecycle import State
from junctor.errors import ConfigurationError, JunctorError, NotRunning, ServiceStopped
from junctor.flows import wire
from junctor.http.settings import HttpSettings, Tls
from junctor.node.address import Address
from junctor.node.apply import sources_of
from junctor.node.node import Node, Plan
from junctor.runtime.host import Host


@dataclass(frozen=True)
class Count:
    n: int


got: list[int] = []


class Sink(Service):
    step: int = setting(1)

    @handler
    async def on_count(self, count: Count) -> int:
        await asyncio.sleep(0)
        got.append(count.n)
        return count.n * self.step


class Source(Service):
    counts: Target[Count, int]
    ticks = 0

    @every("5ms")
    async def tick(self) -> None:
        self.ticks += 1

    @action
    async def ask(self, n: int) -> int:
        return await self.counts.request(Count(n))


def flow(step: int = 1, **sink: Any) -> Flow:
    return Flow("plant").add(Source()).add(Sink(step=step), **sink)


def running(transport: str, folder: Path, plant: Flow) -> Any:
    return plant.running(transport=transport, store=folder / "store")


@pytest.fixture(autouse=True)
def fresh() -> None:
    global gates
    got.clear()
    gates = Gates()


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_twenty_changes_under_load(short_dir: Path, transport: str) -> None:
    async with running(transport, short_dir, flow()) as node:
        source = node.engine.hosts["plant/source"]
        instance = source.slots[0].instance
        target = node.target("sink", Count)
        answers: list[int] = []
        sent = 0
        enough = asyncio.Event()

        async def stream() -> None:
            nonlocal sent
            while not enough.is_set():
                await target.send(Count(sent))
                sent += 1
                await asyncio.sleep(0)

        async def ask() -> None:
            while not enough.is_set():
                answers.append(await node.call("source", "ask", n=1_000_000))
                await asyncio.sleep(0)

        work = [asyncio.ensure_future(stream()), asyncio.ensure_future(ask())]
        for number in range(2, 22):
            changes = await node.apply([wire(flow(number, pool=1 + number % 2))], who="test")
            assert [service.kind for service in changes[0].services] == ["same", "changed"]
            before = sent
            while sent < before + 5:
                await asyncio.sleep(0.001)
        enough.set()
        await asyncio.gather(*work)
        while node.engine.hosts["plant/sink"].depth.count:
            await asyncio.sleep(0.001)
        assert sorted(n for n in got if n < 1_000_000) == list(range(sent))
        assert answers[-1] == 21_000_000
        assert source.slots[0].instance is instance
        assert node.engine.hosts["plant/source"] is source
        assert source.restarts == 0


async def test_one_at_a_time_and_to_its_end(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        several = [node.apply([wire(flow(step))], who="test") for step in (2, 3, 4)]
        first = asyncio.ensure_future(node.apply([wire(flow(9))], who="test"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(*several)
        assert await node.call("source", "ask", n=10) == 40
        assert node.engine.hosts["plant/sink"].spec.settings["step"] == 4


class Busy(Service):
    step: int = setting(1)
    ticks = 0

    async def on_start(self) -> None:
        await gates.starting.wait()

    @handler
    async def on_count(self, count: Count) -> int:
        return count.n * self.step

    @action
    async def ask(self) -> int:
        return self.step

    @action
    async def hold(self) -> int:
        gates.held.set()
        await gates.leave.wait()
        return self.step

    @cron("0 0 29 2 *")
    async def tick(self) -> None:
        got.append(self.step)


class Gates:
    """What lets a busy service go on; made anew for each loop."""

    def __init__(self) -> None:
        self.starting, self.held, self.leave = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.starting.set()


gates = Gates()


async def test_who_calls_a_service_that_is_replaced_is_answered_by_the_new_one(short_dir: Path) -> None:
    """In a program and over the control socket, from its first step to its last."""
    async with Flow("plant").add(Busy()).running(store=short_dir / "store") as node:
        old = node.engine.hosts["plant/busy"]
        lasting = asyncio.ensure_future(node.call("busy", "hold"))
        await gates.held.wait()
        gates.starting.clear()
        applying = asyncio.ensure_future(node.apply([wire(Flow("plant").add(Busy(step=2)))], who="test"))
        async with connect(short_dir / "store") as client:

            def ask() -> list[asyncio.Future[Any]]:
                return [
                    asyncio.ensure_future(asking)
                    for asking in (
                        node.call("busy", "ask"),
                        client.call("busy", "ask"),
                        client.request("busy", Count(10), type="Count"),
                        client.call("busy", "tick"),
                    )
                ]

            await reached(old, State.STOPPING)
            asked = ask()
            gates.leave.set()
            await reached(old, State.STOPPED)
            asked += ask()
            await reached(node.engine.hosts["plant/busy"], State.STARTING)
            asked += ask()
            gates.starting.set()
            answers = await asyncio.gather(*asked)
            assert answers[0] == answers[1] == 2
            assert answers[2] in (10, 20)  # for a moment requests are still taken by the old one
            assert answers[4:] == [2, 2, 20, None] * 2
            assert got == [2, 2, 2]
            assert await lasting == 1
            await applying


async def test_who_calls_a_service_that_leaves_is_refused(short_dir: Path) -> None:
    async with Flow("plant").add(Busy()).add(Sink()).running(transport="memory", store=short_dir / "store") as node:
        old = node.engine.hosts["plant/busy"]
        lasting = asyncio.ensure_future(node.call("busy", "hold"))
        await gates.held.wait()
        applying = asyncio.ensure_future(node.apply([wire(Flow("plant").add(Sink()))], who="test"))
        await reached(old, State.STOPPING)
        with pytest.raises(ServiceStopped):
            await node.call("busy", "ask")
        gates.leave.set()
        await asyncio.gather(lasting, applying)


async def reached(host: Host, state: State) -> None:
    async with asyncio.timeout(10):
        while host.lifecycle.state is not state:
            await asyncio.sleep(0.001)


async def test_a_dry_run_only_tells(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        (changes,) = await node.apply([wire(flow(5))], who="test", dry_run=True)
        assert list(changes.lines()) == [
            "flow plant",
            "  ~ sink: step 1 -> 5  (restarts)",
            "  = source untouched",
        ]
        assert await node.call("source", "ask", n=10) == 10


async def test_a_flow_made_in_python_cannot_be_loaded_again(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        with pytest.raises(ConfigurationError, match=r"flow plant: this flow was not loaded from a file"):
            sources_of(node)


async def test_a_stopped_node_does_not_change(short_dir: Path) -> None:
    async with running("memory", short_dir, flow()) as node:
        pass
    with pytest.raises(NotRunning):
        await node.apply([wire(flow(5))], who="test")


async def test_services_in_workers_are_replaced_too(short_dir: Path) -> None:
    async with running("sqlite", short_dir, flow(isolate="worker")) as node:
        assert await node.call("source", "ask", n=10) == 10
        await node.apply([wire(flow(3, isolate="worker"))], who="test")
        assert await node.call("source", "ask", n=10) == 30
        await node.apply([wire(flow(3))], who="test")
        assert await node.call("source", "ask", n=10) == 30


# What a dry run finds, and a listener that is needed later ---------------------------------------------------


built: list[str] = []


class Page(Service):
    def __init__(self) -> None:
        built.append("page")

    @get("/page")
    async def page(self) -> str:
        return "found"


class Wrong(Service):
    def __init__(self) -> None:
        built.append("wrong")
        raise ValueError("no such page")


class Other(Service):
    @get("/page")
    async def page(self) -> str:
        return "other"


async def test_a_dry_run_finds_what_an_apply_would_and_changes_nothing(short_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wrong = [
            (Flow("plant").add(Page()).add(Other()), "GET /page is wanted by plant/page.page and by plant/other.page"),
            (Flow("plant").add(Wrong), "plant/wrong: its constructor failed: ValueError: no such page"),
            (Flow("plant", http=HttpSettings(listener="more", port=port)).add(Page()), f"{port}"),
            (Flow("plant", http=HttpSettings(listener="more")).add(Page()), 'the listener "more" has no port'),
            (Flow("plant", http=HttpSettings(tls=Tls(certificate="a.pem", key="a.key"))).add(Page()), "a.pem"),
        ]
        async with flow().running(transport="memory", store=short_dir / "store", http="127.0.0.1:0") as node:
            before = dict(node.engine.hosts)
            for changed, said in wrong:
                for dry in (True, False):
                    with pytest.raises(JunctorError, match=re.escape(said)):
                        await node.apply([wire(changed)], who="test", dry_run=dry)
                assert node.engine.hosts == before
            (changes,) = await node.apply([wire(flow().add(Page()))], who="test", dry_run=True)
            assert [one.kind for one in changes.services] == ["same", "same", "added"]
            assert node.engine.hosts == before
            assert await fetched(f"{node.url}/page") == 404


async def test_a_dry_run_calls_no_constructor_of_another_framework(short_dir: Path) -> None:
    async with flow().running(transport="memory", store=short_dir / "store") as node:
        wiring = wire(flow().add(Wrong))
        *others, page = wiring.plan.services
        page = msgspec.structs.replace(page, spec=msgspec.structs.replace(page.spec, dialect="other"))
        plan = msgspec.structs.replace(wiring.plan, services=(*others, page))
        built.clear()
        await node.apply([msgspec.structs.replace(wiring, plan=plan)], who="test", dry_run=True)
        assert built == []
        with pytest.raises(ConfigurationError, match="its constructor failed"):
            await node.apply([msgspec.structs.replace(wiring, plan=plan)], who="test")


async def test_a_listener_opens_when_a_flow_brings_the_first_route(
    short_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    quiet, paged = (Flow("plant").add(Sink()), Flow("plant").add(Sink()).add(Page()))
    store = short_dir / "store"
    plan = Plan(flows=[wire(quiet)], transport="memory", directory=store, http_when_needed=Address(port=0))
    async with Node(plan) as node:
        assert node.urls == []
        await node.apply([wire(paged)], who="test", dry_run=True)
        assert node.urls == []
        with pytest.raises(ConfigurationError, match="is wanted by"):
            await node.apply([wire(paged.add(Other()))], who="test")
        assert node.urls == []
        paged = Flow("plant").add(Sink()).add(Page())
        with caplog.at_level("INFO", "junctor.http"):
            await node.apply([wire(paged)], who="test")
        assert f"listens on {node.url}" in caplog.text
        assert await fetched(f"{node.url}/page") == 200
        assert node.status().urls == [node.url]
        await node.apply([wire(quiet)], who="test")
        assert await fetched(f"{node.url}/page") == 404  # who has the address keeps it
        await node.apply([wire(paged)], who="test")
        assert await fetched(f"{node.url}/page") == 200


async def test_a_node_that_shall_have_no_listener_gets_none(short_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Flow("plant").add(Sink()).running(transport="memory", store=short_dir / "store") as node:
        await node.apply([wire(Flow("plant").add(Sink()).add(Page()))], who="test")
        assert node.urls == []
        assert "nobody reaches them" in caplog.text


async def fetched(url: str) -> int:
    """The status of the answer."""

    def fetch() -> int:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    return await asyncio.to_thread(fetch)
