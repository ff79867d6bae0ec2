"""``junctor health``: what a container or a script learns from its exit code."""

from __future__ import annotations

import json
import signal
import time

import junctor as public
from tests.integration.node.conftest import Junctor

ANY_PORT = ("--port", "0")
PEOPLE = """
import asyncio, os
from junctor import Hold, Service, action, handler


class Good(Service):
    @action
    async def go(self): ...


class Away(Service):
    @handler
    async def on(self, body: str) -> None:
        raise Hold("the other side is away")


class Bad(Service):
    async def on_start(self):
        if os.environ.get("BAD"):
            raise ValueError("no luck")

    @action
    async def go(self): ...


class Slow(Service):
    async def on_start(self):
        if os.environ.get("SLOW"):
            print("slow start", flush=True)
            await asyncio.sleep(60)

    @action
    async def go(self): ...
"""


def people(junctor: Junctor) -> None:
    (junctor.folder / "people.py").write_text(PEOPLE)


def test_well_is_0_and_says_so(junctor: Junctor) -> None:
    people(junctor)
    junctor.start("people.py", *ANY_PORT)
    assert junctor("health") == "well\n"
    assert junctor("health", "--ready") == "well\n"
    found = junctor.json("health")
    assert (found["state"], found["well"], found["ready"], found["reasons"]) == ("running", True, True, [])


def test_no_node_is_2(junctor: Junctor) -> None:
    people(junctor)
    assert "no node was found" in junctor.here("health", code=2)
    node = junctor.start("people.py", *ANY_PORT)
    node.process.kill()
    node.process.wait()
    assert "the node does not run" in junctor.here("health", code=2)
    assert json.loads(junctor.here("health", "--json", code=2))["state"] == "down"


def test_a_service_that_failed_is_1_and_named(junctor: Junctor) -> None:
    people(junctor)
    junctor.start("people.py", *ANY_PORT, env={"BAD": "1"})
    assert junctor.here("health", code=1) == "not well: people/bad is backoff: ValueError: no luck\n"
    assert "no luck" in junctor.here("health", "--ready", code=1)


def test_a_held_service_is_named_and_the_node_is_well(junctor: Junctor) -> None:
    people(junctor)
    junctor.start("people.py", *ANY_PORT)
    junctor.here("send", "away", '"x"')
    until = time.monotonic() + 10
    while (said := junctor.here("health")) == "well\n" and time.monotonic() < until:
        time.sleep(0.02)
    assert said.startswith("well: people/away is held: ")
    assert junctor.here("health", "--ready") == said


def test_a_node_that_starts_is_well_and_not_ready(junctor: Junctor) -> None:
    people(junctor)
    node = junctor.launch("people.py", *ANY_PORT, env={"SLOW": "1"})
    node.wait_for("slow start")
    assert "the node is starting" in junctor.here("health")
    assert "not well: the node is starting" in junctor.here("health", "--ready", code=1)


def test_a_blocked_loop_is_1_when_the_time_is_over(junctor: Junctor) -> None:
    node = junctor.start("machine.py", *ANY_PORT)
    with public.connect(junctor.folder) as client:
        client.send("alarm", {"text": "block"}, type="Note")
    node.wait_for("is blocked for")
    assert "the node does not answer" in junctor.here("health", "--timeout", "0.1", code=1)
    node.signal(signal.SIGKILL)
