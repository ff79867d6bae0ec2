"""A service with everything that a service can have, for a worker process; what it does it sends to a notebook."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junctor import Service, Target, action, every, get, handler, setting
from junctor.http import HttpError
from tests.integration.workers.many import Entry


@dataclass
class Line:
    text: str


@dataclass
class Named:
    name: str
    pid: int


@dataclass
class Place:
    city: str


class Living(Service):
    book: Target[Line]
    ask: Target[Place, Any]

    def on_start(self) -> None:
        self.seen: list[str] = []
        self.book.send(Line("started"))

    def on_stop(self) -> None:
        self.book.send(Line("stopped"))

    @handler
    def on(self, line: Line) -> None:
        self.seen.append(line.text)
        print("printed", line.text)
        self.book.send(Line(f"handled {line.text}"))

    @every("1h", initial="1h")
    def tick(self) -> None:
        self.state["ticks"] = self.state.get("ticks", 0) + 1
        self.book.send(Line(f"tick {self.state['ticks']}"))

    @action
    def tell(self, place: Place, times: int = 1) -> list[Place]:
        self.log.info("told")
        self.book.send(Line(f"action {place.city}"))
        return [place] * times

    @action
    async def refuse(self) -> None:
        raise HttpError("not here", status=409)

    @action
    async def fail(self) -> None:
        raise ValueError("as asked")

    @action
    async def die(self) -> None:
        os._exit(9)

    @action
    def memory(self) -> list[str]:
        return self.seen

    @action
    def other_state(self, key: str) -> dict[str, Any]:
        return dict(self.state.of(key))

    @action
    async def asked(self, city: str) -> str:
        answer = await self.ask.request(Place(city))
        return f"{type(answer).__name__} {answer}"

    @get("/who/{name}")
    async def who(self, name: str) -> Named:
        return Named(name, os.getpid())


class Keyed(Service):
    """State under a key, read by a route under any."""

    @handler
    def on(self, entry: Entry) -> int:
        self.state["count"] = self.state.get("count", 0) + entry.number
        return int(self.state["count"])

    @action
    def total(self, key: str) -> int:
        return int(self.state.of(key).get("count", 0))


class Looping(Service):
    book: Target[Line]
    rounds = 0

    def loop(self) -> None:
        self.rounds += 1
        self.book.send(Line(f"round {self.rounds} in {os.getpid()}")).result()
        while not self.stopping:
            self.sleep(60)


class Broken(Service):
    def on_start(self) -> None:
        raise RuntimeError("no such device")

    @handler
    def on(self, line: Line) -> None: ...


class Book(Service):
    @handler
    async def keep(self, line: Line) -> None:
        self.state[line.text] = True


class Ask(Service):
    @handler
    async def on(self, place: Place) -> Place:
        return Place(place.city.upper())


class Counting(Service):
    """Counts in a handler and in ``loop()``, in threads."""

    def remark(self) -> str:
        raise AssertionError("it is in another process")

    @handler
    def on(self, line: Line) -> None:
        for _ in range(1000):
            self.__junctor__.port.count("lines")
        self.__junctor__.port.count("bytes", 70_000)

    def loop(self) -> None:
        self.__junctor__.port.count("turns")
        while not self.sleep(60):
            pass
        self.__junctor__.port.count("ends")


class Reaching(Service):
    """Its ``loop()`` and its tick use a line that lies where the folder of the test says."""

    def _use(self, line: str) -> None:
        if not Path(self.folder, line).exists():
            raise ConnectionRefusedError(f"no {line}")

    folder: str = setting()

    @every("50ms")
    def poll(self) -> None:
        self._use("tick-line")

    async def loop(self) -> None:
        self._use("loop-line")
        self.__junctor__.port.reached()
        await self.sleep(60)
