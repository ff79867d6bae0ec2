"""A cloud that calls more than the node takes: nothing that was not acknowledged is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.microservicebus import QueueMessage
from junctor.dialects.microservicebus.com import Com, Provider, Reading
from junctor.dialects.microservicebus.com.providers import known
from tests.integration.microservicebus.com.flows import QUICK, Sensor, comes, note_of


class Post(Provider):
    """Brings its letters again with each connection, until they are acknowledged."""

    letters: list[Any] = []
    wants: list[dict[str, Any]] = []
    reports: list[Any] = []

    async def open(self) -> None:
        self.here = list(self.letters)

    async def send(self, reading: Reading) -> None: ...

    async def report(self, state: Any) -> None:
        self.reports.append(state)

    async def listen(self) -> None:
        while not self.stopping:
            while self.here:
                letter = self.here.pop(0)
                await self.node.deliver("reboot", letter)
                self.letters.remove(letter)
            while self.wants:
                await self.node.desired(self.wants.pop(0), whole=True)
            await self.sleep("10ms")


class Slow(Sensor):
    ready = False

    async def Reboot(self, message: QueueMessage) -> None:
        while not self.ready:
            await asyncio.sleep(0.01)
        self.called.append(message.message[0])


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> type[Post]:
    from junctor.dialects.microservicebus.com import service

    monkeypatch.setattr(service, "provider", lambda name: Post if name == "post" else known.provider(name))
    Post.letters, Post.wants, Post.reports = [], [], []
    Slow.called, Slow.ready = [], False
    return Post


def plant() -> Flow:
    com = Com(provider="post", actions={"reboot": "sensor.Reboot"})
    flow = Flow("edge").add(Slow, name="sensor", queue={"limit": 1, "wait": 0.0})
    return flow.add(com, name="com", hold=QUICK)


async def test_what_finds_no_room_comes_again(post: Any) -> None:
    post.letters = list(range(6))
    async with plant().running(transport="memory") as node:
        await comes(lambda: "QueueFull" in note_of(node, "com"))
        Slow.ready = True
        await comes(lambda: not post.letters)
        await comes(lambda: Slow.called == list(range(6)))


async def test_what_is_too_large_stops_nothing(post: Any, caplog: Any) -> None:
    Slow.ready = True
    post.letters = ["x" * 20_000_000, 1]
    async with plant().running(transport="memory") as node:
        await comes(lambda: Slow.called == [1])
        post.wants = [{"a": "x" * 20_000_000}, {"msb-state": {"debug": False}}]
        await comes(lambda: post.reports)
        assert post.reports[-1]["msb-state"]["debug"] is False
        assert Slow.called == [1] and "cannot be kept, and is gone" in caplog.text
        assert next(one.restarts for one in node.status().services if one.service == "com") == 0
