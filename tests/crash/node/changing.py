"""An operator who does not let a node rest: changes its flow, edits its code, pauses and restarts its services."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from junctor import connect
from junctor.errors import JunctorError, NodeNotFound, NotRunning, UnknownTarget
from junctor.node.control.wire import ConnectionLost, NoAnswer
from tests.crash.node.node import FLOW, Node, until

GONE = (NodeNotFound, ConnectionLost, NoAnswer, NotRunning)
"""What the operator is told when the node is killed, or stops, under his hands."""

RESTING = ("audit", "sink", "watch", "beat")
"""Services that are paused: no other has to wait for their replies before it can end in time."""

CONDITION = "body.mode != 'unheard' && (body.mode != 'odd' || int(body.mode) > 0)"
"""False for the unheard; what is odd is no number."""

AT_MOST = 2.0
"""Seconds until a paused service has begun what was handed to it before."""

OFTEN = {"attempts": 100, "initial": 0.01, "max": 0.05}


class Plant:
    """The files of the flow in a folder of their own; ``knobs`` are what is turned while it runs."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self._chance = chance
        self._edition = 0
        self.skipping: set[str] = set()
        self.knobs: dict[str, Any] = {
            "pool": 4,
            "key": "line",
            "order": "strict",
            "pricing": 3,
            "edition": 0,
            "watch": True,
            "max": 0.05,
        }
        shutil.copy(FLOW, folder / "chain.py")
        shutil.copy(FLOW.with_name("watching.py"), folder)
        self.write()

    @property
    def file(self) -> Path:
        return self.folder / "flow.yaml"

    def turn(self) -> None:
        """One to three knobs, and the file says so."""
        chance = self._chance
        choices: dict[str, tuple[Any, ...]] = {
            "pool": (1, 2, 4, 8),
            "key": ("line", "id"),
            "order": ("strict", "skip"),
            "pricing": (1, 3, 5),
            "edition": (0, 1, 2, 3),
            "watch": (True, False),
            "max": (0.05, 0.1),
        }
        for name in chance.sample(sorted(choices), chance.randint(1, 3)):
            self.knobs[name] = chance.choice([value for value in choices[name] if value != self.knobs[name]])
        self.write()

    def settle(self) -> None:
        """All services are there again."""
        self.knobs["watch"] = True
        self.write()

    def edit(self, name: str) -> None:
        """The code of a module becomes other code that does the same."""
        self._edition += 1
        file = self.folder / f"{name}.py"
        text = file.read_text().partition("\nEDITION")[0].rstrip()
        file.write_text(f"{text}\n\nEDITION = {self._edition}\n")

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        """What nobody can load, for a while."""
        file = self._chance.choice([self.file, self.folder / "watching.py"] if self.knobs["watch"] else [self.file])
        text = file.read_text()
        file.write_text(text.replace("Pricing", "Pricign") if file == self.file else text + "\nthis is nothing\n")
        try:
            yield
        finally:
            file.write_text(text)

    def write(self) -> None:
        knobs, often = self.knobs, OFTEN | {"max": self.knobs["max"]}
        if knobs["order"] == "skip":
            self.skipping.add("intake")
        copies: list[Any] = [{"to": "audit", "when": CONDITION}]
        effects = ["sink"]
        services: dict[str, dict[str, Any]] = {
            "door": {"class": "chain:Door"},
            "intake": {
                "class": "chain:Intake",
                "pool": knobs["pool"],
                "key": knobs["key"],
                "order": knobs["order"],
                "queue": {"limit": 300, "wait": "60s"},
                "connect": {"copies": copies, "effects": effects},
            },
            "audit": {"class": "chain:Audit"},
            "pricing": {
                "class": "chain:Pricing",
                "pool": knobs["pricing"],
                "key": "line",
                "settings": {"edition": knobs["edition"]},
            },
            "beat": {"class": "chain:Beat"},
            "sink": {"class": "chain:Sink"},
        }
        if knobs["watch"]:
            copies.append("watch")
            effects.append("watch")
            services["watch"] = {"class": "watching:Watch"}
        for name in ("audit", "pricing", "beat"):
            services[name]["connect"] = {"effects": "sink"}
        for service in services.values():
            service |= {"retry": often, "timeout": 600}
        self.file.write_text(json.dumps({"flow": "chain", "services": services}, indent=1))


class Operator:
    """Acts on a node at random moments, and notes which services were paused when."""

    def __init__(self, node: Node, plant: Plant, chance: random.Random) -> None:
        self.node = node
        self.plant = plant
        self.reloading = False
        self.actions: dict[str, int] = {}
        self._chance = chance
        self._notes = node.folder / "history" / "pauses"
        self._paused: set[str] = set()

    # What he does --------------------------------------------------------------------------------------------

    def act(self) -> None:
        """One thing, whatever it is."""
        chance = self._chance
        act = chance.choice([self.change, self.change, self.edit, self.fail, self.pause, self.restart, self.both])
        if self._paused and chance.random() < 0.4:
            act = self.resume
        self._do(act)

    def both(self) -> None:
        """A change of everything, and in the midst of it a pause, or the end of one."""
        delay = self._chance.uniform(0.0, 0.3)
        changing = _Beside(lambda: self.edit("chain"))
        time.sleep(delay)
        try:
            self.resume() if self._paused else self.pause()
        finally:
            changing.end()

    def act_under(self, blow: Callable[[], object]) -> None:
        """The same, and the node is struck meanwhile."""
        act = self._chance.choice([self.change, self.change, self.pause, self.restart])
        delay = self._chance.uniform(0.0, 0.4)
        doing = _Beside(lambda: self._do(act))
        time.sleep(delay)
        blow()
        try:
            doing.end()
        except Exception as error:
            raise AssertionError(f"{act.__name__}: {error!r}\n{self.node.said}") from error

    def _do(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(*GONE):
            act()
            self.actions[act.__name__] = self.actions.get(act.__name__, 0) + 1

    def change(self) -> None:
        """Other settings, policies, services."""
        self.plant.turn()
        self._load()

    def edit(self, module: str = "") -> None:
        """Other code."""
        self.plant.edit(module or self._chance.choice(["chain", "watching"]))
        self._load()

    def fail(self) -> None:
        """A change that is refused, and nothing of it is to be seen."""
        with self.plant.broken():
            if self.reloading:
                time.sleep(self._chance.uniform(0.0, 0.8))
                return
            try:
                self._ask("apply", over={})
            except GONE:
                raise
            except JunctorError:
                return
        raise AssertionError("the node took a flow that nobody can load")

    def pause(self) -> None:
        self.pause_and_wait(self._chance.choice([n for n in RESTING if n != "watch" or self.plant.knobs["watch"]]))

    def pause_and_wait(self, service: str) -> None:
        """From when it rests it is noted as resting."""
        try:
            self._ask("pause", service=service, reason="to rest")
        except UnknownTarget:
            return  # the watch, where the change that brings it was not taken yet
        self._paused.add(service)
        end = time.monotonic() + AT_MOST
        until(lambda: self._is_done(service) or time.monotonic() > end, "")
        self._note("paused", service)

    def resume(self) -> None:
        service = self._chance.choice(sorted(self._paused))
        self._note("resumed", service)
        try:
            self._ask("resume", service=service)
        except UnknownTarget:
            return  # taken out meanwhile; it comes back as it went
        self._paused.discard(service)

    def restart(self) -> None:
        self._ask("restart", service=self._chance.choice(["intake", "audit", "pricing", "sink", "beat", "door"]))

    def settle(self) -> None:
        """Everything is there and goes on, as the files say."""
        self.plant.settle()
        self._ask("apply", over={})
        for service in RESTING:
            self._note("resumed", service)
        self._ask("resume")
        self._paused.clear()

    # How -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        if self.reloading:
            time.sleep(self._chance.uniform(0.0, 1.0))
        elif self._chance.random() < 0.3:
            assert self.node.process is not None
            self.node.process.send_signal(signal.SIGHUP)
        else:
            self._ask("apply", over={})

    def _ask(self, operation: str, **arguments: Any) -> Any:
        with connect(self.node.store) as client:
            return client.ask(operation, patience=60.0, **arguments)

    def _is_done(self, service: str) -> bool:
        services = self._ask("status")["services"]
        return not any(each.get("in_flight") for each in services if each["service"] == service)

    def _note(self, what: str, service: str) -> None:
        with self._notes.open("a") as file:
            file.write(f"{what} {service} {time.monotonic_ns()}\n")


class _Beside(threading.Thread):
    """Something that is done while something else is done."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._act()
        except BaseException as error:
            self._error = error

    def end(self) -> None:
        """Wait for it; raises what it raised."""
        self.join()
        if self._error is not None:
            raise self._error


# What was seen -----------------------------------------------------------------------------------------------


def rests(notes: Path) -> list[tuple[str, int, int]]:
    """The services that rested, from when to when."""
    found, since = [], {}
    for line in notes.read_text().splitlines() if notes.exists() else ():
        what, service, moment = line.split()
        if what == "paused":
            since.setdefault(service, int(moment))
        elif service in since:
            found.append((service, since.pop(service), int(moment)))
    return found


def untimely(notes: Path, begun: Path) -> list[str]:
    """Deliveries that began at a service while it rested. A line without its end was cut by the kill."""
    intervals = rests(notes)
    found = []
    for line in begun.read_text().splitlines(keepends=True) if begun.exists() else ():
        if line.endswith("\n") and line.count(" ") == 2:
            service, name, moment = line.split()
            if any(who == service and begin < int(moment) < end for who, begin, end in intervals):
                found.append(f"{service}:{name}")
    return found
