"""Twenty stops and starts under load: nothing lost, nothing twice, the order kept."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from junctor.errors import JunctorError
from junctor.messages import Status
from tests.crash.seeds import seed_of_this_run
from tests.unit.runtime.flowkit import Answer, Item, Me, Node, Store, running, service, start

CYCLES = 20


@pytest.mark.parametrize(("key", "trace"), [(None, "all"), ("key", "all"), (None, "off"), ("key", "failures")])
async def test_twenty_stops_and_starts_under_load(tmp_path: Path, key: str | None, trace: str) -> None:
    """Also where finished records go at once: none goes that is needed to recognise what is sent again."""
    chance = random.Random(seed_of_this_run())
    store, accepted, done, answers = Store("sqlite", tmp_path), list[int](), list[int](), Counter[int]()

    async def take(me: Me, item: Item) -> None:
        await asyncio.sleep(chance.random() * 0.003)
        reply = await me.request("answers", item)
        done.append(reply.n)

    async def answer(me: Me, item: Item) -> Answer:
        answers[item.n] += 1
        return Answer(item.n)

    specs = (
        service("sink", take, pool=3 if key else 1, key=key, trace=trace),
        service("answers", answer, replies=Answer, pool=2, trace=trace),
    )
    count = 0
    for _ in range(CYCLES):
        node = await start(store, *specs)
        pending: list[tuple[int, Any]] = []
        for _ in range(chance.randint(5, 60)):
            with contextlib.suppress(JunctorError):
                pending.append((count, node.send("sink", Item(count, f"k{count % 4}"))))
            count += 1
            if chance.random() < 0.2:
                await asyncio.sleep(chance.random() * 0.004)
        senders = [asyncio.ensure_future(note(accepted, n, one)) for n, one in pending]
        await asyncio.sleep(chance.random() * 0.02)
        if trace != "all":
            assert node.engine.sweep is not None
            await node.engine.sweep.once()
        await node.engine.stop(chance.choice([0.0, 0.01, 0.05]))
        await asyncio.gather(*senders)
    async with running(store, *specs) as node:
        await node.drained("sink")
        if trace == "all":
            await node.until(lambda: len(node.records("sink", Status.DONE)) == len(accepted))
        check(node, accepted, done, key)
    assert set(answers.values()) == {1}, "each was asked once, however often the asking one was cut"


def check(node: Node, accepted: list[int], done: list[int], key: str | None) -> None:
    lost, phantom = set(accepted) - set(done), set(done) - set(accepted)
    assert (lost, phantom) == (set(), set())
    assert Counter(done) == Counter(accepted), "each came to its end once"
    lines = [done] if key is None else [[n for n in done if n % 4 == line] for line in range(4)]
    assert all(line == sorted(line) for line in lines)


async def note(accepted: list[int], n: int, pending: Any) -> None:
    with contextlib.suppress(JunctorError):
        await pending
        accepted.append(n)
