"""``Idempotency-Key``: what is carried out once, and what is answered again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from junctor.core.hop import current
from junctor.http import HttpError, Response
from junctor.http import idempotency as module
from junctor.http.access.guard import Guard
from junctor.http.app import Site
from junctor.http.idempotency import Ledger
from junctor.http.listening.listener import Listener
from junctor.http.routes import Routes
from junctor.http.settings import ApiKey, HttpSettings
from junctor.runtime.supervisor import Supervisor
from tests.integration.http.client import Answer, call
from tests.integration.http.small_host import SmallHost, action, route

KEY = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


class Book:
    """Notes in memory, as a transport without a disk keeps them."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self.held.get(name)

    async def entries(self) -> list[tuple[str, bytes]]:
        await asyncio.sleep(0)
        return list(self.held.items())

    async def write(self, name: str, value: bytes | None) -> None:
        await asyncio.sleep(0)
        if value is None:
            self.held.pop(name, None)
        else:
            self.held[name] = value


class Orders:
    def __init__(self) -> None:
        self.count = 0
        self.go_on = asyncio.Event()
        self.entered = asyncio.Event()

    @route("POST", "/orders", 201)
    async def order(self, data: bytes) -> int:
        self.count += 1
        return self.count

    @route("POST", "/other")
    async def other(self, data: bytes) -> int:
        self.count += 1
        return self.count

    @route("PATCH", "/orders/{name}")
    async def change(self, name: str, fail: int = 0) -> Any:
        self.count += 1
        if fail >= 600:
            raise ValueError("inside")
        if fail:
            raise HttpError("as asked", status=fail)
        return Response(f"changed {name} {self.count}", 200, {"x-mine": "yes"}, "text/plain")

    @route("POST", "/slow")
    async def slow(self) -> int:
        self.entered.set()
        await self.go_on.wait()
        self.count += 1
        return self.count

    @route("POST", "/typed")
    async def typed(self, number: int) -> int:
        self.count += 1
        return self.count

    @route("PUT", "/put")
    async def put(self) -> int:
        self.count += 1
        return self.count

    @route("POST", "/large")
    async def large(self) -> bytes:
        self.count += 1
        return b"x" * (module.MAX_ANSWER + 1)

    @action
    async def bump(self, by: int = 1) -> int:
        self.count += by
        return self.count


class Served:
    """A listener whose answers are kept in a book that outlives it."""

    def __init__(
        self, book: Book | None = None, clock: Any = None, settings: HttpSettings | None = None, flow: str = "test"
    ) -> None:
        self.book = book or Book()
        self.orders = Orders()
        self.host = SmallHost(self.orders, flow=flow)
        ledger = Ledger(self.book, clock) if clock else Ledger(self.book)
        self.routes = Routes(ledger=ledger)
        self.routes.attach(self.host, settings or HttpSettings())
        self.supervisor = Supervisor()
        self.listener = Listener(Site(guard=Guard(loopback=True), routes=self.routes), spawn=self.supervisor.start)

    async def __aenter__(self) -> Served:
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.stop(1.0)
        await self.supervisor.aclose()

    async def post(
        self, path: str, body: bytes = b"", headers: dict[str, str] | None = None, method: str = "POST"
    ) -> Answer:
        return await call(self.listener.port, method, path, body, KEY if headers is None else headers)


async def test_a_repetition_gets_the_first_answer() -> None:
    async with Served() as served:
        first = await served.post("/orders", b"a")
        again = await served.post("/orders", b"a")
        assert (first.status, first.json) == (again.status, again.json) == (201, 1)
        assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
        assert again.headers["junctor-session"] == first.headers["junctor-session"]
        assert served.orders.count == 1


async def test_without_the_header_nothing_is_kept() -> None:
    async with Served() as served:
        assert [(await served.post("/orders", b"a", {})).json for _ in range(3)] == [1, 2, 3]
        assert served.book.held == {}


async def test_another_body_or_query_under_the_same_key() -> None:
    async with Served() as served:
        await served.post("/orders", b"a")
        for path, body in (("/orders", b"b"), ("/orders", b""), ("/orders?x=1", b"a"), ("/orders", b"a" * 2_000_000)):
            answer = await served.post(path, body)
            assert (answer.status, answer.code) == (422, "idempotency-key")
        assert served.orders.count == 1


async def test_another_query_where_no_body_is_read() -> None:
    async with Served() as served:
        first = await served.post("/orders/a?fail=0", method="PATCH")
        again = await served.post("/orders/a?fail=0", method="PATCH")
        assert again.body == first.body and again.headers["idempotency-replayed"] == "true"
        other = await served.post("/orders/a", method="PATCH")
        assert (other.status, other.code) == (422, "idempotency-key")
        assert served.orders.count == 1


@pytest.mark.parametrize("name", ["authorization", "cookie"])
async def test_who_is_known_to_the_service_alone_gets_no_answer_of_another(name: str) -> None:
    async with Served() as served:
        await served.post("/orders", b"x", KEY | {name: "Basic alice"})
        assert "idempotency-replayed" in (await served.post("/orders", b"x", KEY | {name: "Basic alice"})).headers
        for other in ({name: "Basic eve"}, {}):
            answer = await served.post("/orders", b"x", KEY | other)
            assert (answer.status, answer.code) == (422, "idempotency-key")
        assert served.orders.count == 1


async def test_two_listeners_with_the_same_path() -> None:
    book = Book()
    async with Served(book, flow="one") as one, Served(book, flow="other") as other:
        assert (await one.post("/orders", b"x")).json == 1
        answer = await other.post("/orders", b"x")
        assert answer.json == 1 and "idempotency-replayed" not in answer.headers
        assert one.orders.count == other.orders.count == 1


async def test_another_path_method_or_key_is_another_request() -> None:
    async with Served() as served:
        await served.post("/orders", b"a")
        assert (await served.post("/other", b"a")).json == 2
        assert (await served.post("/orders", b"a", {"idempotency-key": "2"})).json == 3
        assert (await served.post("/lab/bump", b"")).json == 4
        assert (await served.post("/lab/bump", b"")).json == 4
        assert (await served.post("/put", method="PUT")).json == 5
        assert (await served.post("/put", method="PUT")).json == 6


async def test_quotes_make_no_difference() -> None:
    async with Served() as served:
        assert (await served.post("/orders", b"a", {"idempotency-key": '"k"'})).json == 1
        assert (await served.post("/orders", b"a", {"idempotency-key": "k"})).json == 1


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "a b", "\xe4", '"' * 1 + "a\tb"])
async def test_what_is_no_key(key: str) -> None:
    async with Served() as served:
        lines = f"POST /orders HTTP/1.1\r\nhost: localhost\r\nidempotency-key: {key}\r\ncontent-length: 0\r\n\r\n"
        from tests.integration.http.client import raw

        answer = await raw(served.listener.port, lines.encode("latin-1"))
        assert (answer.status, answer.code) == (400, "idempotency-key")


async def test_two_keys() -> None:
    async with Served() as served:
        from tests.integration.http.client import raw

        head = b"POST /orders HTTP/1.1\r\nhost: localhost\r\nidempotency-key: a\r\nidempotency-key: b\r\n"
        assert (await raw(served.listener.port, head + b"content-length: 0\r\n\r\n")).status == 400


async def test_the_first_still_runs() -> None:
    async with Served() as served:
        first = asyncio.ensure_future(served.post("/slow"))
        await served.orders.entered.wait()
        second = await served.post("/slow")
        assert (second.status, second.code, second.headers["retry-after"]) == (409, "idempotency-running", "1")
        served.orders.go_on.set()
        assert (await first).json == (await served.post("/slow")).json == 1


async def test_a_client_that_went_away_finds_its_answer() -> None:
    async with Served() as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.listener.port)
        head = f"POST /slow HTTP/1.1\r\nhost: localhost\r\nidempotency-key: {KEY['idempotency-key']}\r\n"
        writer.write(f"{head}content-length: 0\r\n\r\n".encode())
        await served.orders.entered.wait()
        writer.transport.abort()
        served.orders.go_on.set()
        while not served.book.held:
            await asyncio.sleep(0.01)
        assert (await served.post("/slow")).json == 1 == served.orders.count


@pytest.mark.parametrize(("fail", "kept"), [(404, True), (409, False), (429, False), (503, False), (600, False)])
async def test_which_refusals_are_kept(fail: int, kept: bool) -> None:
    async with Served() as served:
        for _ in range(2):
            answer = await served.post(f"/orders/x?fail={fail}", method="PATCH")
            assert answer.status == (fail if fail < 600 else 500)
        assert served.orders.count == (1 if kept else 2)


async def test_what_never_reached_the_service_is_not_kept() -> None:
    async with Served() as served:
        assert (await served.post("/typed?number=x")).status == 422
        assert (await served.post("/typed?number=1")).json == 1


async def test_a_response_of_the_routes_own_making() -> None:
    async with Served() as served:
        first, again = [await served.post("/orders/x", method="PATCH") for _ in range(2)]
        assert first.body == again.body == b"changed x 1"
        assert again.headers["x-mine"] == "yes" and again.headers["content-type"] == "text/plain; charset=utf-8"


async def test_too_large_to_be_kept() -> None:
    async with Served() as served:
        await served.post("/large")
        await served.post("/large")
        assert served.orders.count == 2 and served.book.held == {}


async def test_callers_do_not_share_keys() -> None:
    keys = (ApiKey(name="a", secret="a" * 16), ApiKey(name="b", secret="b" * 16))
    async with Served(settings=HttpSettings(keys=keys)) as served:
        found = [
            (await served.post("/orders", b"x", KEY | {"x-api-key": letter * 16})).json
            for letter in ("a", "b", "a", "b")
        ]
        assert found == [1, 2, 1, 2]
        assert (await served.post("/orders", b"x", KEY)).status == 401


async def test_answers_outlive_the_listener() -> None:
    async with Served() as served:
        await served.post("/orders", b"a")
    async with Served(served.book) as later:
        assert (await later.post("/orders", b"a")).headers["idempotency-replayed"] == "true"
        assert later.orders.count == 0


async def test_many_first_requests_at_once_after_a_start() -> None:
    async with Served() as served:
        await served.post("/orders", b"a")
    async with Served(served.book) as later:
        answers = await asyncio.gather(*(later.post("/orders", b"a") for _ in range(10)))
        assert {answer.status for answer in answers} <= {201, 409} and later.orders.count == 0


async def test_a_day_later() -> None:
    now = [1000.0]
    async with Served(clock=lambda: now[0]) as served:
        await served.post("/orders", b"a")
        now[0] += module.KEPT - 1
        assert (await served.post("/orders", b"a")).json == 1
        now[0] += 2
        assert (await served.post("/orders", b"a")).json == 2
        now[0] += module.KEPT + 1
        await served.post("/orders", b"a", {"idempotency-key": "new"})
        assert len(served.book.held) == 1  # what is too old is forgotten


async def test_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWERS", 3)
    async with Served() as served:
        for number in range(6):
            await served.post("/orders", b"a", {"idempotency-key": str(number)})
        assert len(served.book.held) == 3
        assert (await served.post("/orders", b"a", {"idempotency-key": "5"})).json == 6
        assert (await served.post("/orders", b"a", {"idempotency-key": "0"})).json == 7


async def test_damaged_notes_are_no_answer() -> None:
    async with Served() as served:
        await served.post("/orders", b"a")
        served.book.held = dict.fromkeys(served.book.held, b"nonsense")
    async with Served(served.book) as later:
        assert (await later.post("/orders", b"a")).json == 1


# In a node -----------------------------------------------------------------------------------------------------

PROGRAM = """
import asyncio, os, signal
from dataclasses import dataclass
from typing import Annotated
from junctor import Flow, Service, Target, get, handler, post, run
from junctor.http import Body

@dataclass(frozen=True)
class Line:
    text: str

class Till(Service):
    lines: Target[Line]

    @post("/sales")
    async def sell(self, lines: Annotated[list[str], Body]) -> int:
        await asyncio.gather(*(self.lines.send(Line(text)) for text in lines))
        if os.path.exists("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        return len(lines)

class Ledger(Service):
    @handler
    async def on_line(self, line: Line) -> None:
        self.state["lines"] = [*self.state.get("lines", []), line.text]  # once inside, whatever was delivered twice

    @get("/lines")
    async def lines(self) -> list[str]:
        return self.state.get("lines", [])

if __name__ == "__main__":
    run(Till(), Ledger(), port=0)
"""


class Process:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        env = {name: value for name, value in os.environ.items() if not name.startswith("JUNCTOR_") and name != "PORT"}
        self.process = subprocess.Popen(
            [sys.executable, "till.py"],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("http "):
                self.port = int(line.strip().rpartition(":")[2])
            if "Ctrl-C" in line:
                break

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(15)
        assert self.process.stdout is not None
        self.process.stdout.close()


async def handled(node: Process) -> list[str]:
    """What the second service made of the messages, when it has them all."""
    async with asyncio.timeout(15):
        while len(found := (await call(node.port, "GET", "/lines")).json) < 3:
            await asyncio.sleep(0.02)
    return sorted(found)


async def test_killed_between_the_sends_and_the_answer(tmp_path: Path) -> None:
    """The repetition is carried out, because there is no answer; what was sent is not sent again."""
    (tmp_path / "till.py").write_text(textwrap.dedent(PROGRAM))
    (tmp_path / "die").touch()
    body = b'["apple", "pear", "apple"]'
    with contextlib.closing(Process(tmp_path)) as node:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await call(node.port, "POST", "/sales", body, KEY)
    (tmp_path / "die").unlink()
    with contextlib.closing(Process(tmp_path)) as node:
        answer = await call(node.port, "POST", "/sales", body, KEY)
        assert answer.json == 3 and "idempotency-replayed" not in answer.headers
        assert await handled(node) == ["apple", "apple", "pear"]
    with contextlib.closing(Process(tmp_path)) as node:
        answer = await call(node.port, "POST", "/sales", body, KEY)
        assert answer.json == 3 and answer.headers["idempotency-replayed"] == "true"
        assert (await call(node.port, "POST", "/sales", b'["plum"]', KEY)).status == 422
        assert await handled(node) == ["apple", "apple", "pear"]


async def test_what_is_known_of_a_request_does_not_reach_the_next_one() -> None:
    """Tasks of one connection inherit from each other where nobody looks."""
    seen: list[str] = []

    class Look:
        @route("POST", "/look")
        async def look(self, data: bytes) -> None:
            from junctor.core.hop import asking

            known = asking.get()
            assert current.get() is not None
            seen.append(known.caller if known else "")

    keyed = SmallHost(Look(), flow="a")
    open_ = SmallHost(Look(), name="open", flow="b")
    routes = Routes()
    routes.attach(keyed, HttpSettings(keys=(ApiKey(name="a", secret="a" * 16),)))
    routes.attach(open_, HttpSettings(path="/b"))
    supervisor = Supervisor()
    listener = Listener(Site(routes=routes), spawn=supervisor.start)
    await listener.start()
    body = b"x" * 200_000  # large enough that reading is paused and resumed inside the first request
    head = f"host: localhost\r\nx-api-key: {'a' * 16}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    for path in (b"/look", b"/b/look", b"/look", b"/b/look"):
        writer.write(b"POST " + path + b" HTTP/1.1\r\n" + head + body)
        await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await listener.stop(1.0)
    await supervisor.aclose()
    assert seen == ["a", "", "a", ""]
