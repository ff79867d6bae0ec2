"""The gateway: its page is typed line by line; and in one process its link is cut again and again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from junctor.core.records import Query
from junctor.flows import load, wire
from junctor.messages import Status
from junctor.node.node import Node, Plan
from junctor.store.reader import open_archive
from tests.integration.adapters.mqtt.flows import comes
from tests.integration.adapters.mqtt.peer import Peer
from tests.readme.pages import ROOT, Desk

EXAMPLE = ROOT / "examples" / "edge-gateway"


def submitted(store: Path) -> tuple[int, int]:
    """How many readings the service has submitted, and how many of them are done, says the store."""
    with closing(open_archive(store)) as archive:
        records = archive.search(Query(limit=100_000))
    own = [one for one in records if (one.message.source, one.message.target) == ("edge/sensors", "edge/com")]
    return len(own), sum(one.status is Status.DONE for one in own)


@pytest.mark.timeout(120)
def test_every_command_of_its_page_works_and_no_reading_is_lost(short_dir: Path, free_port: int) -> None:
    place = short_dir / "examples" / "edge-gateway"
    shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("__pycache__", ".junctor"))
    with Desk(short_dir, free_port) as desk:
        desk.play(EXAMPLE / "README.md")
    printed = dict(desk.typed)["grep missing cloud.log | tail -n 1"]
    came, missing, twice = map(int, re.findall(r"(\d+) (?:readings|missing|twice)", printed))
    sent, done = submitted(place / ".junctor" / "edge")
    assert sent > 20 and done <= came <= sent
    assert missing == 0 and twice <= 1 and "not in order" not in printed
    trace = (place / "trace.txt").read_text()
    assert "3 hops" in trace and "Alarm" in trace and "Pace" in trace


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Node]:
    node = Node(Plan(flows=[wire(load(str(EXAMPLE)))], directory=folder))
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


def state_of(node: Any, service: str) -> Any:
    return next(one for one in node.status().services if one.service == service)


async def test_a_link_that_is_cut_again_and_again_loses_nothing(
    mosquitto: Any, link: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broker = mosquitto()
    way = link(broker.port)
    values = {"BROKER": f"mqtt://127.0.0.1:{way.port}", "INTERVAL": "0.02", "CPU_LIMIT": "-1"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with Peer(broker.port, "edge/#") as peer:
        async with started(tmp_path) as node:
            for _ in range(3):
                before = len(peer.got)
                await comes(lambda before=before: len(peer.got) > before + 5)
                way.cut()
                await comes(lambda: state_of(node, "com").state == "held" and state_of(node, "com").queued > 5)
                way.heal()
            way.cut_after(600)
            await comes(lambda: state_of(node, "com").state == "held")
            way.heal()
            await comes(lambda: state_of(node, "com").queued == 0)
    bodies = [json.loads(payload) for payload in peer.payloads]
    numbers = list(dict.fromkeys(body["number"] for body in bodies if "number" in body))
    assert len(numbers) > 20 and numbers == list(range(1, len(numbers) + 1))
    assert {body["sensor"] for body in bodies if "alarm" in body} == {"cpu"}
