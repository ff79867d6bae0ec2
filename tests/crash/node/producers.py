"""Clients outside of the node that is killed: each sends one message after the other and notes what became of it."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import asdict
from pathlib import Path

from junctor import connect
from junctor.errors import JunctorError, NodeNotFound, QueueFull, RequestFailed, StoreFull
from junctor.node.control.client import NodeClient
from junctor.node.control.wire import ConnectionLost, NoAnswer
from tests.crash.history import ClientLog
from tests.crash.node.drivers.flow import Order

LINES = 5
REFUSED = (StoreFull, QueueFull)
"""A send that ends so was not accepted. Anything else leaves it open."""


class Producer(threading.Thread):
    """Sends orders until it is told to stop; ``replies`` are the answers to its requests, ``contradicted``
    names what the same HTTP request was answered to in several ways.

    The kinds of sends: with an idempotency key (repeated until told, and sometimes once more), plain, delayed, as a
    request, and over HTTP, there with an Idempotency-Key as well (``http-key``).
    """

    def __init__(
        self,
        name: str,
        store: Path,
        histories: Path,
        seed: int,
        *,
        port: int = 0,
        modes: str = "",
        limit: int = 10**9,
        kinds: str = "",
    ) -> None:
        super().__init__(name=name)
        self.acked = 0
        self.replies: dict[str, int] = {}
        self.contradicted: list[str] = []
        self.error: BaseException | None = None
        self.quit = threading.Event()
        self._store = store
        self._port = port
        self._modes = modes.split() or ["plain"] * 20 + ["fail"] * 2 + ["hold", "park"]
        self._limit = limit
        self._kinds = kinds.split() or (["http"] if port else ["plain", "plain", "key", "key", "request", "delayed"])
        self._chance = random.Random(f"{seed}-{name}")
        self._log = ClientLog(histories / f"{name}.log")
        self._client: NodeClient | None = None

    def run(self) -> None:
        try:
            for number in range(self._limit):
                if self.quit.is_set() or not self._connected():
                    return
                self._one(number)
        except BaseException as error:
            self.error = error
        finally:
            self._hang_up()
            self._log.close()

    # One message ---------------------------------------------------------------------------------------------

    def _one(self, number: int) -> None:
        chance = self._chance
        id = f"{self.name}-{number}"
        kind = chance.choice(self._kinds)
        line = id if kind == "delayed" else f"l{chance.randrange(LINES)}"
        order = Order(id, line, chance.choice(self._modes))
        self._log.note("invoke", id, line)
        if kind == "http-key":
            self._until_answered(order)
        elif kind == "key":
            self._until_told(order)
        elif self._try(kind, order, chance.uniform(0.01, 0.5)):
            self._note("ok", order)

    def _until_told(self, order: Order) -> None:
        """The same send under the same key until its fate is known, and now and then once more."""
        while not self._try("key", order):
            if not self._connected():
                return
        self._note("ok", order)
        if self._chance.random() < 0.3 and self._connected():
            self._try("key", order)

    def _until_answered(self, order: Order) -> None:
        """The same request with the same key, over connections that break, until one of them brings the answer; now
        and then once more, which has to bring the same one."""
        answers: set[str] = set()
        while not self.quit.is_set():
            try:
                answer = self._repeatable(order)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
                continue
            if answer is None:
                continue
            if not answers:
                self._note("ok", order)
            answers.add(answer)
            if self._chance.random() < 0.7:
                break
        if len(answers) > 1:
            self.contradicted.append(order.id)

    def _repeatable(self, order: Order) -> str | None:
        """The answer of one attempt; None where the client did not wait for it, or the node could not give it now."""
        web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"content-type": "application/json", "idempotency-key": order.id}
            web.request("POST", "/orders", json.dumps(asdict(order)), headers)
            if self._chance.random() < 0.3:
                time.sleep(self._chance.choice((0.0, 0.0, 0.002, 0.02)))
                return None
            response = web.getresponse()
            text = response.read().decode()
            if response.status in (409, 503):
                time.sleep(0.01)
                return None
            assert response.status == 200, f"{order.id}: {response.status} {text}"
            return text
        finally:
            web.close()

    def _note(self, op: str, order: Order) -> None:
        self._log.note(op, order.id, order.line)
        self.acked += op == "ok"

    def _try(self, kind: str, order: Order, delay: float = 0.0) -> bool:
        """Whether it is known to be accepted."""
        try:
            return self._over_http(order) if kind == "http" else self._over_the_socket(kind, order, delay)
        except REFUSED:
            self._note("fail", order)
        except RequestFailed:
            return True  # it was accepted, and is parked
        except (JunctorError, OSError, http.client.HTTPException):
            self._hang_up()
        return False

    def _over_the_socket(self, kind: str, order: Order, delay: float) -> bool:
        assert self._client is not None
        body = asdict(order)
        if kind == "request":
            reply = self._client.request("intake", body, type="Order")
            assert reply["id"] == order.id, f"{order.id} got the reply {reply}"
            self.replies[order.id] = reply["number"]
        elif kind == "delayed":
            self._client.send("intake", body, type="Order", delay=delay)
        else:
            self._client.send("intake", body, type="Order", idempotency_key=order.id if kind == "key" else None)
        return True

    def _over_http(self, order: Order) -> bool:
        web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            web.request("POST", "/orders", json.dumps(asdict(order)), {"content-type": "application/json"})
            return web.getresponse().status == 200
        finally:
            web.close()

    # The connection ------------------------------------------------------------------------------------------

    def _connected(self) -> bool:
        """Wait until the node takes connections; False when the producer is to stop first."""
        while self._client is None and not self.quit.is_set():
            try:
                self._client = connect(self._store).open()
            except (NodeNotFound, NoAnswer, ConnectionLost):
                time.sleep(0.01)
        return self._client is not None

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


class Crowd:
    """Eight producers: seven over the control socket, one over HTTP. ``keyed``: how many of the seven go over HTTP as
    well, and repeat themselves under an Idempotency-Key."""

    def __init__(
        self, store: Path, histories: Path, seed: int, port: int, *, count: int = 8, keyed: int = 0, **how: object
    ) -> None:
        histories.mkdir(exist_ok=True)
        ports = [0] * (count - 1 - keyed) + [port] * (keyed + 1)
        kinds = [""] * (count - 1 - keyed) + ["http-key"] * keyed + [""]
        self.producers = [
            Producer(f"p{number}", store, histories, seed, port=ports[number], kinds=kinds[number], **how)  # type: ignore[arg-type]
            for number in range(count)
        ]

    def start(self) -> None:
        for producer in self.producers:
            producer.start()

    @property
    def acked(self) -> int:
        self.check()
        return sum(producer.acked for producer in self.producers)

    @property
    def replies(self) -> dict[str, int]:
        return {id: number for producer in self.producers for id, number in producer.replies.items()}

    @property
    def contradicted(self) -> list[str]:
        return [id for producer in self.producers for id in producer.contradicted]

    def check(self) -> None:
        for producer in self.producers:
            if producer.error is not None:
                raise AssertionError(f"{producer.name}: {producer.error!r}") from producer.error

    def stop(self) -> None:
        """Let each come to the end of its send."""
        for producer in self.producers:
            producer.quit.set()
        for producer in self.producers:
            if producer.ident is not None:
                producer.join()
        self.check()
