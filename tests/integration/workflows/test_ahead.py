"""A workflow runs ahead of the disk, and nobody outside of it sees that: what it does goes out behind its commits, and
falls with them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Park, Service, Target, Workflow, handler
from junctor.core.records import Commit
from junctor.core.run import RunQuery
from junctor.errors import StoreFull
from tests.integration.workflows.shop import Paid, Pay


class Till(Service):
    """Counts in its state, and notes outside what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    @handler
    async def pay(self, pay: Pay) -> Paid:
        self.asked.append(pay.step)
        self.state["count"] = self.state.get("count", 0) + 1
        return Paid(str(self.state["count"]))


class Twice(Workflow):
    till: Target[Pay, Paid]

    @handler
    async def run(self, text: str) -> str:
        if text == "wrong":
            raise Park("as asked")
        first = await self.till.request(Pay(1, 1))
        second = await self.till.request(Pay(1, 2))
        return f"{first.text} {second.text}"


class Outside(Workflow):
    till: Target[Pay, Paid]
    calls: list[str] = []

    @handler
    async def run(self, text: str) -> str:
        await self.once(lambda: self.calls.append(text))
        return text


class Parent(Workflow):
    child: Target[str, str]

    @handler
    async def run(self, text: str) -> str:
        return await self.child.request(text)


def shop() -> Flow:
    flow = Flow("shop").add(Till()).add(Twice()).add(Outside(), connect={"till": "till"})
    return flow.add(Parent(), connect={"child": "twice"})


class Gate:
    """Holds back what is given to the transport from now on."""

    def __init__(self, node: Any) -> None:
        self._transport = node.engine.transport
        self._commit = self._transport.commit
        self.held: list[Commit] = []
        self._transport.commit = self.held.append

    async def until(self, count: int) -> None:
        """Until so many commits are held, and nothing more follows by itself."""
        while len(self.held) < count:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(self.held) == count, self.held

    def open(self) -> None:
        self._transport.commit = self._commit
        held, self.held = self.held, []
        for commit in held:
            self._commit(commit)

    def refuse(self) -> None:
        """The first one is refused as on a full disk; the others are given on."""
        first = self.held.pop(0)
        first.refused = StoreFull("the disk is full")
        self.open()
        first.done(first, first.refused)


def till(node: Any) -> Till:
    found = node.engine.hosts["shop/till"].slots[0].instance
    assert isinstance(found, Till)
    return found


async def test_the_first_turn_is_made_before_the_begin_is_stored_and_its_request_waits(tmp_path: Path) -> None:
    async with shop().running(store=tmp_path) as node:
        gate = Gate(node)
        asked = asyncio.ensure_future(node.target("twice", str, str).request("go"))
        await gate.until(2)
        begin, turn = gate.held
        assert turn.needs is begin and turn.runs[0].seq == begin.inserts[0].message.seq
        assert till(node).asked == [], "a service may do anything, so it waits for the disk"
        gate.open()
        assert await asked == "1 2"
        assert till(node).asked == [1, 2]


async def test_a_begin_that_is_refused_takes_with_it_what_it_led_to(tmp_path: Path) -> None:
    async with shop().running(store=tmp_path) as node:
        gate = Gate(node)
        asked = asyncio.ensure_future(node.target("parent", str, str).request("go"))
        await gate.until(3)  # the begin, the first turn of the parent, and that of its child
        gate.refuse()
        with pytest.raises(StoreFull):
            await asked
        await node.engine.committed()
        assert node.engine.transport.archive.runs(RunQuery()) == []
        assert till(node).asked == []
        assert all(host.depth.count == 0 for host in node.engine.hosts.values())
        assert await node.target("parent", str, str).request("go") == "1 2", "and all goes on"


async def test_a_begin_that_is_refused_is_not_parked_either(tmp_path: Path) -> None:
    async with shop().running(store=tmp_path) as node:
        gate = Gate(node)
        sent = asyncio.ensure_future(node.target("twice", str).send("wrong"))
        await gate.until(2)
        gate.refuse()
        with pytest.raises(StoreFull):
            await sent
        await node.engine.committed()
        assert node.engine.transport.archive.parked() == []


async def test_a_reply_that_is_refused_is_given_again(tmp_path: Path) -> None:
    """Another version of the state than the service has read: it is asked once more, and the run has not moved."""
    async with shop().running(store=tmp_path) as node:
        gate = Gate(node)
        asked = asyncio.ensure_future(node.target("twice", str, str).request("go"))
        await gate.until(2)
        gate.open()
        gate = Gate(node)
        await gate.until(2)  # the reply with the state, and the second turn that it led to
        settled, turn = gate.held
        assert turn.needs is settled and turn.runs[0].expected == 1
        write = settled.writes[0]
        settled.writes = [type(write)(write.key, write.name, write.value, 7)]
        gate.open()
        assert await asked == "1 2"
        assert till(node).asked == [1, 1, 2]


async def test_a_block_waits_for_the_disk(tmp_path: Path) -> None:
    Outside.calls.clear()
    async with shop().running(store=tmp_path) as node:
        gate = Gate(node)
        asked = asyncio.ensure_future(node.target("outside", str, str).request("go"))
        await gate.until(2)
        assert Outside.calls == []
        gate.refuse()
        with pytest.raises(StoreFull):
            await asked
        await node.engine.committed()
        assert Outside.calls == []
        assert await node.target("outside", str, str).request("go") == "go"
        assert Outside.calls == ["go"]


async def test_what_may_be_known_already_waits_for_the_store(tmp_path: Path) -> None:
    async with shop().running(store=tmp_path) as node:
        for expected in ([1, 2], [1, 2]):
            await node.target("twice", str).send("go", idempotency_key="one")
            await node.engine.committed()
            while node.engine.transport.archive.run(1) is None or node.engine.hosts["shop/twice"].depth.count:
                await asyncio.sleep(0.001)
            while len(till(node).asked) < 2:
                await asyncio.sleep(0.001)
            assert till(node).asked == expected
