"""Services of Service Factory that share a flow: each has its own actions, and is called from any process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.servicefactory import Service
from junctor.dialects.servicefactory.token import read_url
from junctor.http.settings import HttpSettings


class One(Service.base):
    PORT = 31234
    loops = 0

    def loop(self) -> None:
        type(self).loops += 1

    @Service.API.handle("action")
    def act(self, data: bytes) -> bytes:
        return b"one " + data


class Two(One):
    PORT = 31235

    @Service.API.handle("action")
    def act(self, data: bytes) -> bytes:
        return b"two " + data


class Failing(One):
    PORT = 31236
    loops = made = ended = 0

    def __init__(self) -> None:
        type(self).made += 1

    def loop(self) -> None:
        super().loop()
        if self.loops <= 8:
            raise OSError(f"no sensor {self.loops}")

    def finalize(self) -> None:
        type(self).ended += 1


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_loop_that_fails_keeps_the_object_and_its_actions(caplog: pytest.LogCaptureFixture) -> None:
    flow = Flow("plant").add(Failing, restart={"initial": 0.01, "max": 0.02})
    async with flow.running(transport="memory", http=True) as node:
        await until(lambda: Failing.loops > 4)
        assert await done(Failing, "action") == "200 one x"
        await until(lambda: Failing.loops > 9)
        service = node.engine.hosts["plant/failing"]
        assert (service.lifecycle.state.value, service.restarts, Failing.made, Failing.ended) == ("running", 0, 1, 0)
    assert Failing.ended == 1
    assert "loop() failed: OSError: no sensor 8; it is called again in" in caplog.text


async def test_status_tells_that_a_loop_fails() -> None:
    class Down(Failing):
        def loop(self) -> None:
            raise OSError("no sensor")

    async with Flow("plant").add(Down, "down").running(transport="memory", http=True) as node:
        told = node.engine.hosts["plant/down"].spec.remark
        assert told is not None
        await until(lambda: bool(told(node.engine.hosts["plant/down"].slots[0].instance, 0.0)))
        assert told(node.engine.hosts["plant/down"].slots[0].instance, 0.0) == "loop() fails: OSError: no sensor"
        assert told(None, 0.0) == ""


async def done(cls: type[Any], action: str) -> str:
    answer = await asyncio.to_thread(cls.perform, action, "x")
    return f"{answer.status_code} {answer.text}"


async def test_two_with_one_action_in_a_flow_with_a_prefix() -> None:
    flow = Flow("plant", http=HttpSettings(path="/hall")).add(One).add(Two)
    async with flow.running(transport="memory", http=True) as node:
        assert One.url("action") == f"{node.url}/hall/one/action"
        assert [await done(cls, "action") for cls in (One, Two)] == ["200 one x", "200 two x"]
        assert (await done(One, "shutdown")).startswith("200")
        assert (await done(Two, "action")) == "200 two x"
    assert read_url(31235) == "" and Two.url("action") == "http://localhost:31235/action"
