"""``junctor.connect`` against a running node, in blocking and in async code."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass

import pytest

import junctor as public
from junctor.errors import DecodeError, NodeNotFound, NoHandler, UnknownOperation, UnknownTarget
from junctor.node.control.wire import CallFailed, ConnectionLost
from tests.integration.node.conftest import Junctor, Running


@dataclass(frozen=True)
class Reading:
    """The client's own class: only its name and its fields matter."""

    sensor: str
    value: float


@dataclass(frozen=True)
class Verdict:
    high: bool


@pytest.fixture
def node(junctor: Junctor) -> Running:
    return junctor.start("machine.py", "--port", "0")


def test_blocking(junctor: Junctor, node: Running) -> None:
    with public.connect(junctor.folder) as machine:
        receipt = machine.send("alarm", Reading("cpu", 1.0), idempotency_key="a")
        assert machine.send("alarm", Reading("cpu", 1.0), idempotency_key="a").id == receipt.id
        assert machine.request("alarm", Reading("cpu", 99.0)) == {"high": True}
        assert machine.request("alarm", {"sensor": "cpu", "value": 2}, type="Reading", reply=Verdict) == Verdict(False)
        assert machine.call("alarm", "get_limit") == 70.0
        assert machine.call("monitor", "measure", value=3.5) == "sent 3.5"
        for call, error in (
            (lambda: machine.send("alram", 1), UnknownTarget),
            (lambda: machine.send("alarm", 1), NoHandler),
            (lambda: machine.send("alarm", {"sensor": 1, "value": 1}, type="Reading"), DecodeError),
            (lambda: machine.call("alarm", "gone"), UnknownOperation),
            (lambda: machine.call("alarm", "crash"), CallFailed),
        ):
            with pytest.raises(error) as caught:
                call()
            assert caught.value.fix


async def test_async(junctor: Junctor, node: Running) -> None:
    async with public.connect(junctor.folder) as machine:
        answers = await asyncio.gather(
            *(machine.request("alarm", Reading("cpu", float(value)), reply=Verdict) for value in range(60, 80))
        )
        assert [answer.high for answer in answers] == [value > 70 for value in range(60, 80)]
        assert (await machine.send("alarm", Reading("cpu", 1.0))).session
        assert await machine.call("alarm", "get_limit") == 70.0
        with pytest.raises(UnknownTarget):
            await machine.send("alram", 1)


async def test_the_end_of_the_node_is_an_error_not_a_hang(junctor: Junctor, node: Running) -> None:
    async with public.connect(junctor.folder) as machine:
        waiting = asyncio.ensure_future(machine.request("alarm", {"text": "block"}, type="Note"))
        await asyncio.sleep(0.2)
        node.signal(signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            await waiting
    node.process.wait()
    with pytest.raises(NodeNotFound), public.connect(junctor.folder):
        pass
