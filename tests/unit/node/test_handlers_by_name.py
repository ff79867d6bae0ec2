"""A service that chooses among its handlers by their names refuses who names none: when it is checked, and when it is
sent to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Service, Target, handler
from junctor.core.spec import HandlerSpec, ServiceSpec
from junctor.errors import ConfigurationError, NoHandler, RequestFailed, WiringError
from junctor.flows import wire
from junctor.flows.check.check import check_models
from junctor.flows.check.store import store_findings
from junctor.messages import Message
from junctor.runtime.resendable import handled_by


@dataclass
class Order:
    book: str


def chosen(*names: str) -> ServiceSpec:
    def one(name: str) -> HandlerSpec:
        async def told(body: Any) -> str:
            return f"{name} {body}"

        return HandlerSpec(name=name, accepts=Any, replies=Any, bind=lambda made: told, by_name=True)

    return ServiceSpec(name="books", build=lambda context: object(), handlers=tuple(map(one, names)))


class Shop(Service):
    orders: Target[Order, str]


class Anything(Service):
    orders: Target[Any]


class Caller(Service):
    @handler
    async def ask(self, order: Order) -> str:
        named = self.target("books", Any, Any, handler=order.book or None)
        answer: str = await named.request("x")
        return answer

    @handler
    async def tell(self, text: str) -> int:
        return await self.broadcast([text])


@pytest.mark.parametrize("sender", [Shop, Anything])
def test_a_connection_without_a_name_is_refused(sender: type[Service]) -> None:
    flow = Flow("shop").add(chosen("create", "delete")).add(sender, connect={"orders": "books"})
    report, _ = check_models([flow])
    [error] = [one for one in report.findings if one.level == "error"]
    assert error.what == "books chooses among its handlers by their names: create, delete"
    assert 'self.target("books", handler="create")' in (error.fix or "")


async def test_what_waits_without_a_name_is_told_of_by_a_look_at_the_store(short_dir: Path) -> None:
    class Slow(Service):
        @handler
        async def any(self, body: Any) -> None:
            await self.sleep(60)

    slow = Flow("shop").add(Slow, "books")
    async with slow.running(store=short_dir) as node:
        for _ in range(3):
            await node.target("books", Any).send({"book": "x"})
    renamed = Flow("shop").add(chosen("create", "delete"))
    async with Flow("shop").add(Slow, "other").running(store=short_dir) as node:
        findings, _ = store_findings(node.archive, [wire(renamed)])
    [error] = [one for one in findings if one.level == "error"]
    assert error.code == "no-handler" and "chooses among its handlers by their names: create, delete" in error.what


def test_nothing_is_connected_to_it_by_type() -> None:
    with pytest.raises(ConfigurationError, match="no service handles Order: no other service"):
        wire(Flow("shop").add(chosen("create", "delete")).add(Shop))


async def test_a_send_without_a_name_is_refused() -> None:
    async with Flow("shop").add(chosen("create", "delete")).add(Caller).running(transport="memory") as node:
        with pytest.raises(WiringError, match="by their names: create, delete"):
            node.target("books", Any, Any)
        ask = node.target("caller", Order, str).request
        with pytest.raises(RequestFailed, match="by their names: create, delete"):
            await ask(Order(""))
        assert await ask(Order("delete")) == "delete x"
        assert await node.target("caller", str, int).request("x") == 0, "a broadcast names no handler"
        with pytest.raises(NoHandler, match="by their names: create, delete"):
            handled_by(node.engine.hosts["shop/books"], Message.example(Order("x")))
