"""Code of a service that does what it should not: its message fails, and nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, RetryPolicy, Service, action, handler
from junctor.errors import EncodeError, RequestFailed
from junctor.node.control import wire


@dataclass(frozen=True)
class Do:
    what: str


class NoText(Exception):
    def __str__(self) -> str:
        raise SystemExit(4)

    @property
    def reaction(self) -> str:
        raise SystemExit(5)


def misbehave(what: str) -> None:
    if what == "no text":
        raise NoText
    if what == "half a pair":
        raise FileNotFoundError("caf\udce9.txt")
    if what == "cancel":
        raise asyncio.CancelledError
    if what == "generator":
        raise GeneratorExit


class Wild(Service):
    @handler
    async def on_do(self, do: Do) -> int:
        misbehave(do.what)
        await self.cancel_the_task(do.what)
        if do.what == "half a name":
            self.state["\ud800"] = 1
        if do.what == "number":
            self.state[5] = 1  # type: ignore[index]
        if do.what == "no such time":
            await self.target("wild", Do).send(Do("later"), delay=1e10)
        return 1

    async def cancel_the_task(self, what: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        if what in ("at once", "and wait"):
            task.cancel()
        if what == "and wait":
            await asyncio.sleep(0)
        if what == "and catch":
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        if what == "later":
            asyncio.get_running_loop().call_later(0.01, task.cancel)

    @action
    async def act(self, what: str) -> None:
        misbehave(what)

    @action
    def act_in_thread(self, what: str) -> None:
        misbehave(what)


def flow() -> Flow:
    return Flow("wild").add(Wild, retry=RetryPolicy(attempts=1))


async def test_an_exception_whose_text_exits_parks_its_message_only() -> None:
    async with flow().running(transport="memory") as node:
        wild = node.target("wild", Do, int)
        with pytest.raises(RequestFailed, match="NoText"):
            await wild.request(Do("no text"))
        assert await wild.request(Do("nothing")) == 1


@pytest.mark.parametrize("name", ["act", "act_in_thread"])
@pytest.mark.parametrize("what", ["no text", "half a pair", "cancel", "generator"])
async def test_whatever_an_action_raises_is_answered(name: str, what: str) -> None:
    async with flow().running(transport="memory", http="127.0.0.1:0") as node:
        with pytest.raises(wire.CallFailed) as failed:
            await node.call("wild", name, what=what)
        assert wire.read_answer(wire.refusal(1, failed.value)).error is not None
        answer = await asyncio.to_thread(post, f"{node.url}/wild/{name}", {"what": what})
        assert answer["code"] == "handler-failed"


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(request, timeout=5)
    assert failed.value.code == 500
    return json.loads(failed.value.read())


@pytest.mark.parametrize("error", [NoText(), ValueError("\ud800"), wire.NotPermitted("\ud800", where="\ud800")])
def test_a_refusal_can_always_be_sent(error: Exception) -> None:
    assert wire.read_answer(wire.refusal(1, error)).error is not None


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
@pytest.mark.parametrize("what", ["at once", "and wait", "and catch", "later"])
async def test_a_handler_that_cancels_its_task_does_not_end_the_service(
    short_dir: Path, transport: str, what: str
) -> None:
    async with flow().running(transport=transport, store=short_dir) as node:
        wild = node.target("wild", Do, int)
        for _ in range(3):
            await wild.send(Do(what))
            await asyncio.sleep(0.03)
            async with asyncio.timeout(5):
                assert await wild.request(Do("nothing")) == 1
        status = node.status().services[0]
        assert (status.queued, status.restarts, status.in_flight) == (0, 0, 0)


@pytest.mark.parametrize("what", ["half a name", "no such time", "number"])
async def test_a_result_that_cannot_be_stored_parks_its_message(short_dir: Path, what: str) -> None:
    async with flow().running(store=short_dir) as node:
        wild = node.target("wild", Do, int)
        with pytest.raises(RequestFailed):
            await wild.request(Do(what), timeout=5)
        assert await wild.request(Do("nothing")) == 1
        status = node.status().services[0]
        assert (status.queued, status.parked, status.done) == (0, 1, 1)
        assert [group.count for group in node.archive.parked()] == [1]


@pytest.mark.parametrize("result", [float("nan"), {"high": [float("inf")]}])
def test_nan_in_a_result_is_refused_and_not_made_null(result: object) -> None:
    with pytest.raises(EncodeError, match="JSON cannot carry"):
        wire.answer(1, result)
