"""``async with flow.running()``: a node inside a test or a program."""

from __future__ import annotations

import asyncio
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from junctor import Flow, Service, Target, action, connect, get, handler, setting
from junctor.clock import VirtualClock
from junctor.errors import ConfigurationError, StoreError, StoreLocked, UnknownTarget, WiringError
from junctor.node.control import operations


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


@dataclass(frozen=True)
class Verdict:
    high: bool


class Alarm(Service):
    limit: float = setting(80.0)

    def __init__(self, **settings: float) -> None:
        super().__init__(**settings)
        self.seen: list[Reading] = []

    @handler
    async def on_reading(self, reading: Reading) -> Verdict:
        self.seen.append(reading)
        return Verdict(reading.value > self.limit)

    @action
    async def count(self, at_least: float = 0.0) -> int:
        return sum(reading.value >= at_least for reading in self.seen)

    @get("/count")
    async def read_count(self) -> int:
        return len(self.seen)


class Monitor(Service):
    readings: Target[Reading, Verdict]

    @action
    async def measure(self, value: float) -> bool:
        return (await self.readings.request(Reading("cpu", value))).high


def flow() -> Flow:
    return Flow("machine").add(Monitor()).add(Alarm(limit=50))


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_targets_calls_and_status(short_dir: Path, transport: str) -> None:
    async with flow().running(transport=transport, store=short_dir) as node:
        await node.target("alarm", Reading).send(Reading("cpu", 10.0))
        assert await node.target("machine/alarm", Reading, Verdict).request(Reading("cpu", 51.0)) == Verdict(True)
        assert await node.call("monitor", "measure", value=10.0) is False
        assert await node.call("alarm", "count", at_least=11.0) == 1
        status = node.status()
        assert (status.state, status.transport, status.flows) == ("running", transport, ["machine"])
        assert {service.service: service.state for service in status.services} == {
            "monitor": "running",
            "alarm": "running",
        }
        assert "running" in repr(node)
        with pytest.raises(UnknownTarget, match="alarm"):
            node.target("alram", Reading)
        with pytest.raises(WiringError):
            node.target("monitor", Reading)
    assert "stopped" in repr(node)
    await node.stop()


async def test_nothing_is_written_without_a_store(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(short_dir)
    async with flow().running(transport="memory") as node:
        assert await node.call("monitor", "measure", value=51.0) is True
    assert list(short_dir.iterdir()) == []


async def test_the_default_store_is_in_the_working_folder(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(short_dir)
    monkeypatch.delenv("JUNCTOR_STORE", raising=False)
    async with flow().running() as node:
        assert node.directory == Path.cwd() / ".junctor" / "machine"
        async with connect() as client:
            assert (await client.ask("ping"))["node"] == node.name


@pytest.mark.parametrize("http", [True, "127.0.0.1:0", ":0"])
async def test_a_listener(http: bool | str) -> None:
    async with flow().running(transport="memory", http=http) as node:

        def read() -> bytes:
            with urllib.request.urlopen(node.url + "/count") as answer:
                body: bytes = answer.read()
                return body

        assert await asyncio.to_thread(read) == b"0"
    async with flow().running(transport="memory") as node:
        assert node.url == ""


async def test_a_second_node_on_the_store_leaves_the_first_alone(short_dir: Path) -> None:
    async with flow().running(store=short_dir) as node:
        with pytest.raises(StoreLocked):
            async with flow().running(store=short_dir):
                pass
        async with connect(short_dir) as client:
            assert await client.call("monitor", "measure", value=1.0) is False
        assert node.status().state == "running"
    async with flow().running(store=short_dir):
        pass


async def test_an_error_of_the_body_comes_out_and_the_node_stops(short_dir: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with flow().running(store=short_dir):
            raise ZeroDivisionError
    async with flow().running(store=short_dir):
        pass


def test_what_is_wrong_is_told_before_anything_runs(short_dir: Path) -> None:
    with pytest.raises(ConfigurationError):
        Flow("empty").running(transport="memory")
    with pytest.raises(ConfigurationError, match="not an address"):
        flow().running(transport="memory", http="everywhere")
    with pytest.raises(ConfigurationError, match="memory"):
        flow().running(transport="memroy", store=short_dir).__aenter__().send(None)


async def test_a_store_that_fails_ends_the_node(short_dir: Path) -> None:
    with pytest.raises(StoreError, match="the disk is gone"):
        async with flow().running(store=short_dir) as node:
            node.engine._fatal(StoreError("the disk is gone"))
            await asyncio.wait_for(node.asked_to_stop(), 1)
    async with flow().running(store=short_dir):
        pass


async def test_stop_on_request() -> None:
    async with flow().running(transport="memory") as node:
        await operations.perform(node, "stop", {})
        await asyncio.wait_for(node.asked_to_stop(), 1)


async def test_a_virtual_clock() -> None:
    clock = VirtualClock()
    async with flow().running(transport="memory", clock=clock) as node:
        await node.target("alarm", Reading).send(Reading("cpu", 1.0), delay="10s")
        assert await node.call("alarm", "count") == 0
        await clock.advance(11)
        assert await node.call("alarm", "count") == 1


class Lingering(Service):
    async def on_stop(self) -> None:
        await asyncio.sleep(30)


class Starting(Service):
    async def on_start(self) -> None:
        await asyncio.sleep(30)


async def test_a_start_that_is_cancelled_is_cleaned_up_to_the_end(short_dir: Path) -> None:
    async def run() -> None:
        async with Flow("two").add(Lingering).add(Starting).running(store=short_dir):
            pass

    running = asyncio.ensure_future(run())
    await asyncio.sleep(0.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not (short_dir / "junctor.db-wal").exists()  # closed cleanly
