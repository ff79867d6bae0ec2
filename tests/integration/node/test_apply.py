"""``junctor apply``, SIGHUP, pause, resume and restart on a node in a process of its own."""

from __future__ import annotations

import getpass
import json
import os
import pty
import re
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import junctor as public
from junctor.errors import JunctorError
from tests.integration.node.conftest import PATIENCE, Junctor, Running

ANY_PORT = ("--port", "0")

PLANT = """
from junctor import Flow, Service, Target, action, every, get
from bodies import Reading
from sink import Sink


class Monitor(Service):
    readings: Target[Reading]
    ticks = 0

    @every("20ms")
    async def poll(self):
        self.ticks += 1

    @action
    async def count(self) -> int:
        return self.ticks


flow = Flow("plant").add(Monitor()).add(Sink(step=1))
"""
BODIES = """
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    n: int
"""
SINK = """
from junctor import Service, action, get, handler, setting
from bodies import Reading


class Sink(Service):
    step: int = setting(1)
    key: str = setting("", secret=True)

    @handler
    async def on_reading(self, reading: Reading) -> int:
        with open("got.txt", "a") as got:
            got.write(f"{reading.n}\\n")
        return reading.n * self.step

    @get("/step")
    async def read(self) -> int:
        return self.step
"""
KEEPER = """
from junctor import Flow

flow = Flow("second").add(Sink(), name="keeper")
"""
SIREN = """
from junctor import Flow, Service, Target, action, handler
from junctor.core.spec import Wire
import dataclasses


@dataclasses.dataclass(frozen=True)
class Reading:
    n: int


class Siren(Service):
    out: Target[Reading, int]

    @action
    async def pull(self, n: int) -> int:
        return await self.out.request(Reading(n))


flow = Flow("alarms").add(Siren(), connect={"out": "plant/sink"})
"""


@pytest.fixture
def plant(short_dir: Path, make_junctor: Callable[[Path], Junctor]) -> Junctor:
    for name, text in (("plant", PLANT), ("bodies", BODIES), ("sink", SINK), ("siren", SIREN)):
        (short_dir / f"{name}.py").write_text(text)
    return make_junctor(short_dir)


def edit(plant: Junctor, file: str, old: str, new: str) -> None:
    path = plant.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def got(plant: Junctor) -> list[int]:
    path = plant.folder / "got.txt"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def until(true: Callable[[], Any], node: Running | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, node.said if node is not None else "still not"
        time.sleep(0.02)


def states(plant: Junctor) -> dict[str, str]:
    return {f"{one['flow']}/{one['service']}": one["state"] for one in plant.json("status")["services"]}


def test_it_says_what_changes_and_touches_nothing_else(plant: Junctor) -> None:
    plant.start("plant.py", *ANY_PORT)
    assert plant.here("apply").splitlines() == ["flow plant", "  = monitor, sink untouched", "nothing to change"]
    ticks = int(plant.here("call", "monitor", "count"))
    wish = ("apply", "--set", "sink.step=10")
    assert plant.here(*wish, "--dry-run").splitlines() == [
        "flow plant",
        "  ~ sink: step 1 -> 10  (restarts)",
        "  = monitor untouched",
        "nothing was changed: --dry-run",
    ]
    assert plant.here("request", "sink", '{"n": 3}').strip() == "3"
    assert plant.here(*wish).splitlines()[-1] == "applied"
    assert plant.here("request", "sink", '{"n": 3}').strip() == "30"
    assert int(plant.here("call", "monitor", "count")) >= ticks
    assert plant.here("apply").splitlines()[-1] == "nothing to change"
    (alert,) = [one for one in plant.json("alerts")["history"] if one["kind"] == "applied"]
    assert alert["text"].startswith(f"{getpass.getuser()} applied flow plant; ~ sink: step 1 -> 10")
    changes = json.loads(plant.here("apply", "plant.py", "--json"))
    assert changes[0]["services"][1] == {"service": "sink", "kind": "changed", "details": ["step 10 -> 1"]}


def test_code_is_loaded_again_and_only_its_service_starts_anew(plant: Junctor) -> None:
    plant.start("plant.py", *ANY_PORT)
    edit(plant, "plant.py", "from sink import Sink", "import sink")
    edit(plant, "plant.py", "Sink(step=1)", "sink.Sink(step=1)")
    plant.here("apply")
    edit(plant, "sink.py", "reading.n * self.step", "reading.n * 7")
    plant.here("apply", "plant.py")
    assert plant.here("request", "sink", '{"n": 3}').strip() == "21"


def test_what_cannot_be_used_changes_nothing(plant: Junctor) -> None:
    plant.start("plant.py", *ANY_PORT)
    edit(plant, "sink.py", "reading.n * self.step", "reading.n *")
    assert "sink.py:14: SyntaxError" in plant.here("apply", code=78)
    edit(plant, "sink.py", "reading.n *\n", "reading.n * 9\n")
    edit(
        plant,
        "sink.py",
        "class Sink(Service):",
        "class Sink(Service):\n    def __init__(self, **more):\n        1 / 0\n",
    )
    assert "ZeroDivisionError" in plant.here("apply", code=78)
    (plant.folder / "sink.py").write_text(SINK)
    assert "limit" in plant.here("apply", "--set", "sink.limit=9", code=78)
    assert "there is no such file" in plant.here("apply", "nope.py", code=78)
    assert 'no flow "plnt". Did you mean "plant"?' in plant.here("apply", "--remove", "plnt", code=78)
    assert "no flow would be left" in plant.here("apply", "--remove", "plant", code=78)
    edit(plant, "plant.py", "async def count", '@get("/step")\n    async def count')
    assert "/step" in plant.here("apply", code=78)
    assert plant.here("request", "sink", '{"n": 3}').strip() == "3"
    assert set(states(plant).values()) == {"running"}


def test_a_secret_is_not_shown(plant: Junctor) -> None:
    plant.start("plant.py", *ANY_PORT)
    said = plant.here("apply", "--set", "sink.key=correct-horse")
    assert "sink: key (secret)" in said
    assert "correct-horse" not in said + plant.here("alerts", "--json")


def test_flows_come_and_go_and_reach_each_other(plant: Junctor) -> None:
    plant.start("plant.py", *ANY_PORT)
    said = plant.here("apply", "siren.py").splitlines()
    assert said[:4] == ["flow plant", "  = monitor, sink untouched", "flow alarms (new)", "  + siren"]
    assert plant.here("call", "siren", "pull", "n=5").strip() == "5"
    assert plant.here("apply", "plant.py", "--set", "sink.step=2").splitlines()[-1] == "applied"
    assert plant.here("call", "alarms/siren", "pull", "n=5").strip() == "10"
    assert "Name the TARGET" in plant.here("apply", "--set", "sink.step=3", code=78)
    refused = plant.here("apply", "--remove", "plant", code=78)
    assert 'there is no flow "plant" beside this one' in refused
    assert plant.here("apply", "--remove", "alarms").splitlines()[-1] == "applied"
    assert list(states(plant)) == ["plant/monitor", "plant/sink"]
    assert "siren" in plant.here("call", "siren", "pull", "n=5", code=1)


def test_a_hangup_loads_again_and_tells_line_by_line(plant: Junctor) -> None:
    node = plant.start("plant.py", *ANY_PORT)
    edit(plant, "plant.py", "step=1", "step=4")
    node.signal(signal.SIGHUP)
    node.wait_for("sink: step 1 -> 4")
    assert plant.here("request", "sink", '{"n": 3}').strip() == "12"
    edit(plant, "plant.py", "step=4", "step=")
    node.signal(signal.SIGHUP)
    node.wait_for("nothing was changed")
    assert plant.here("request", "sink", '{"n": 3}').strip() == "12"


def test_a_closed_terminal_is_a_clean_stop(plant: Junctor) -> None:
    """Also where SIGHUP otherwise means to load again."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(plant.folder)
        os.execve(sys.executable, [sys.executable, "-m", "junctor", "run", "plant.py", *ANY_PORT], plant.env)
    said = b""
    while b"Ctrl-C" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    plant.start("plant.py", *ANY_PORT)


class Sender(threading.Thread):
    """Sends numbers one after the other as fast as they are accepted; ``accepted`` are those that were."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.accepted: list[int] = []
        self.enough = threading.Event()
        self.error: Exception | None = None

    def await_more(self, count: int) -> None:
        """Until so many more are accepted."""
        wanted = len(self.accepted) + count
        until(lambda: len(self.accepted) >= wanted)

    def run(self) -> None:
        number = 0
        try:
            with public.connect(self.folder) as client:
                while not self.enough.is_set():
                    client.send("sink", {"n": number})
                    self.accepted.append(number)
                    number += 1
        except JunctorError as error:
            self.error = error


def test_nothing_is_lost_or_doubled_while_it_changes(plant: Junctor) -> None:
    node = plant.start("plant.py", *ANY_PORT)
    sender = Sender(plant.folder)
    sender.start()
    for number in range(20):
        assert plant.here("apply", "plant.py", "--set", f"sink.step={number + 2}").splitlines()[-1] == "applied"
        sender.await_more(10)
    sender.enough.set()
    sender.join()
    assert sender.error is None
    assert len(sender.accepted) >= 200
    until(lambda: len(got(plant)) >= len(sender.accepted), node)
    assert got(plant) == sender.accepted
    service = next(one for one in plant.json("status")["services"] if one["service"] == "sink")
    assert service["done"] == len(sender.accepted)


def test_http_callers_wait_for_the_new_one(plant: Junctor) -> None:
    """Of a service that is replaced again and again, no answer is an error."""
    node = plant.start("plant.py", *ANY_PORT)
    url = re.search(r"http://\S+", node.said)
    assert url is not None
    steps: list[int] = []
    errors: list[OSError] = []
    enough = threading.Event()

    def ask() -> None:
        try:
            while not enough.is_set():
                with urllib.request.urlopen(f"{url[0]}/step", timeout=PATIENCE) as answer:
                    steps.append(int(answer.read()))
        except OSError as error:
            errors.append(error)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    with public.connect(plant.folder) as client:
        for number in range(2, 12):
            named = {"text": "plant.py", "folder": str(plant.folder), "set": [f"sink.step={number}"]}
            client.ask("apply", targets=[named])
            until(partial(steps.__contains__, number), node)
    enough.set()
    for thread in asking:
        thread.join()
    assert not errors
    assert set(range(2, 12)) <= set(steps)
    assert len(steps) > 20


def test_a_kill_in_the_middle_loses_nothing(plant: Junctor) -> None:
    node = plant.start("plant.py", *ANY_PORT)
    sender = Sender(plant.folder)
    sender.start()
    killer = threading.Timer(0.7, node.process.kill)
    killer.start()
    with public.connect(plant.folder) as client:
        for number in range(1000):
            named = {"text": "plant.py", "folder": str(plant.folder), "set": [f"sink.step={number + 2}"]}
            try:
                client.ask("apply", targets=[named])
            except JunctorError:
                break
    node.process.wait()
    sender.join()
    assert sender.accepted
    again = plant.start("plant.py", *ANY_PORT)
    until(lambda: set(got(plant)) >= set(sender.accepted), again)
    first = list(dict.fromkeys(got(plant)))
    assert first == sorted(first)
    until(lambda: not plant.json("messages", "--status", "open"), again)


def test_a_pause_is_kept_with_who_and_why(plant: Junctor) -> None:
    node = plant.start("plant.py", *ANY_PORT)
    assert plant.here("pause", "sink", "--reason", "pump repair").strip() == "plant/sink is paused"
    plant.here("send", "sink", '{"n": 1}')
    for _ in range(2):
        status = next(one for one in plant.json("status")["services"] if one["service"] == "sink")
        assert (status["state"], status["queued"]) == ("paused", 1)
        assert (status["paused"]["who"], status["paused"]["reason"]) == (getpass.getuser(), "pump repair")
        assert "pump repair" in plant.here("status")
        node.process.kill()
        node.process.wait()
        node = plant.start("plant.py", *ANY_PORT)
    plant.here("apply", "plant.py", "--set", "sink.step=3")
    assert states(plant)["plant/sink"] == "paused"
    assert got(plant) == []
    assert plant.here("resume", "sink").strip() == "plant/sink goes on"
    until(lambda: got(plant) == [1])
    assert plant.here("resume", "sink").strip() == "sink is neither paused nor held"
    kinds = [one["kind"] for one in plant.json("alerts")["history"]]
    assert "paused" in kinds and "resumed" in kinds
    assert "Did you mean" in plant.here("pause", "snik", code=1)
    assert "--all" in plant.here("pause", code=2)
    plant.here("pause", "--all")
    assert set(states(plant).values()) == {"paused"}
    plant.here("resume", "--all")
    assert set(states(plant).values()) == {"running"}


def test_what_waits_for_a_removed_service_is_listed_running_or_not(plant: Junctor) -> None:
    (plant.folder / "second.py").write_text(SINK.replace('"/step"', '"/second"') + KEEPER)
    plant.start("plant.py", *ANY_PORT)
    plant.here("apply", "second.py")
    plant.here("pause", "keeper", "--reason", "pump repair")
    plant.here("send", "keeper", '{"n": 1}')
    plant.here("apply", "--remove", "second")
    for _ in range(2):  # as it was removed, and as it is found at a start
        (removed,) = [one for one in plant.json("status")["services"] if one["state"] == "removed"]
        assert (removed["flow"], removed["service"], removed["queued"]) == ("second", "keeper", 1)
        assert removed["paused"]["reason"] == "pump repair"
        text = plant.here("status")
        assert "second/keeper" in text and "plant/sink" in text
        assert "this node has no such service now; paused by" in text
        plant.here("stop")
        (down,) = [one for one in plant.json("status")["services"] if one["service"] == "keeper"]
        assert (down["state"], down["queued"], down["paused"]["reason"]) == ("unknown", 1, "pump repair")
        assert "paused by" in plant.here("status")
        plant.start("plant.py", *ANY_PORT)
    plant.here("apply", "second.py")
    plant.here("resume", "keeper")
    until(lambda: got(plant) == [1])
    plant.here("apply", "--remove", "second")
    assert list(states(plant)) == ["plant/monitor", "plant/sink"]


def test_a_failed_service_starts_again_when_asked_to(plant: Junctor) -> None:
    edit(plant, "sink.py", "    @get", "    def on_start(self):\n        open('ready').close()\n\n    @get")
    edit(plant, "plant.py", "Sink(step=1))", "Sink(step=1), restart={'limit': 0})")
    plant.start("plant.py", *ANY_PORT)
    until(lambda: states(plant)["plant/sink"] == "failed")
    assert "last error" not in plant.here("status") or "ago" in plant.here("status")
    assert "it did not start: FileNotFoundError" in plant.here("restart", "sink", code=1)
    (plant.folder / "ready").touch()
    assert plant.here("restart", "sink").strip() == "plant/sink is running"
    assert plant.here("request", "sink", '{"n": 3}').strip() == "3"


def test_two_flows_on_one_node(plant: Junctor) -> None:
    second = PLANT.replace('Flow("plant")', 'Flow("second", http=HttpSettings(path="/second"))')
    second = "from junctor.http.settings import HttpSettings\n" + second.replace("step=1", "step=9")
    (plant.folder / "second.py").write_text(second)
    node = plant.start("plant.py", "second.py", "siren.py", *ANY_PORT)
    assert f"store {plant.folder}/.junctor/plant" in node.said
    assert "second/sink" in node.said or "flow second" in node.said
    assert plant.here("request", "plant/sink", '{"n": 3}').strip() == "3"
    assert plant.here("request", "second/sink", '{"n": 3}').strip() == "27"
    ambiguous = plant.here("request", "sink", '{"n": 3}', code=1)
    assert "plant/sink" in ambiguous and "second/sink" in ambiguous
    assert plant.here("call", "siren", "pull", "n=4").strip() == "4"
    listed = plant.here("status")
    assert "second/sink" in listed and "plant/sink" in listed
    assert "alarms/siren" in plant.here("services")
    assert {one["target"] for one in plant.json("messages")} == {"plant/sink", "second/sink", "alarms/siren"}
    seq = next(one["seq"] for one in plant.json("messages") if one["target"] == "second/sink")
    assert "second/sink" in plant.here("trace", str(seq), "--tree")


def test_a_second_node_in_the_folder_is_refused(plant: Junctor) -> None:
    plant.start("plant.py", *ANY_PORT)
    said = plant("run", "plant.py", *ANY_PORT, code=70)
    assert "in use by pid" in said and "Stop the other node" in said


def test_routes_that_clash_in_two_flows_are_refused(plant: Junctor) -> None:
    (plant.folder / "second.py").write_text(PLANT.replace('Flow("plant")', 'Flow("second")'))
    said = plant("run", "plant.py", "second.py", *ANY_PORT, code=78)
    assert "is wanted by plant/" in said and "by second/" in said
