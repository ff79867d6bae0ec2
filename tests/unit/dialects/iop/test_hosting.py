"""Items as services: entries, hooks, settings, adapters, retries, and items that cannot run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from junctor import Flow
from junctor.core.lifecycle import State
from junctor.core.records import Query
from junctor.core.spec import service_name
from junctor.dialects.iop.components import (
    BusinessOperation,
    BusinessService,
    InboundAdapter,
    OutboundAdapter,
    PollingBusinessService,
)
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.hosting.flow import flow_of
from junctor.dialects.iop.messages import Message
from junctor.errors import ConfigurationError, JunctorError, SettingError, SeveralProblems
from junctor.messages import Status
from junctor.node.alerting.outlook import facts_of
from junctor.node.node import Node

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    SEEN.clear()
    yield


@dataclass
class Order(Message):
    number: int = 0
    text: str = None


@dataclass
class Receipt(Message):
    text: str = ""


class Ledger(BusinessOperation):
    path: str = ""
    limit: int = 5

    def on_connected(self):
        SEEN.append(("connected", self.path, self.limit))
        raise OSError("only logged")

    def on_init(self):
        SEEN.append(("init", self.path, self.limit))

    def on_tear_down(self):
        SEEN.append("tear_down")
        raise ValueError("the other is called all the same")

    def on_teardown(self):
        SEEN.append("teardown")

    def on_order(self, order: Order) -> Receipt:
        return Receipt(f"order {order.number} {order.get_iris_id() is not None}")

    def on_message(self, request):
        return Receipt(f"any {type(request).__name__}")


class Front(BusinessService):
    def on_process_input(self, order: Order):
        SEEN.append(order)
        return self.send_request_sync("Demo.Ledger", order, 5, "from the front")


def production(*items: ItemDefinition, **fields: Any) -> ProductionDefinition:
    return ProductionDefinition(name="Demo.Production", items=items, **fields)


def item(cls: type, *settings: SettingValue, **fields: Any) -> ItemDefinition:
    name = f"Demo.{cls.__name__}"
    return ItemDefinition(**{"name": name, "class_name": name, "settings": settings, **fields})


def flow(*items: ItemDefinition, **fields: Any) -> Any:
    def classes(name: str) -> type:
        found = globals().get(name.rpartition(".")[2])
        if found is None:
            raise ConfigurationError(f"no class is registered as {name}", where="namespace USER")
        return found

    return Flow.of(flow_of(production(*items, **fields), classes))


@asynccontextmanager
async def running(*items: ItemDefinition, **fields: Any) -> AsyncIterator[Node]:
    async with flow(*items, **fields).running(transport="memory") as node:
        yield node


async def ask(node: Node, name: str, body: Any) -> Any:
    return await node.target(service_name(name), Any, Any).request(body, timeout=5)


async def test_an_operation_dispatches_by_type_and_answers_anything() -> None:
    async with running(item(Ledger)) as node:
        assert await ask(node, "Demo.Ledger", Order(7)) == Receipt("order 7 True")
        assert await ask(node, "Demo.Ledger", Receipt("x")) == Receipt("any Receipt")
        assert await ask(node, "Demo.Ledger", "") == Receipt("any str")


async def test_hooks_and_settings_in_the_order_of_iris(caplog: pytest.LogCaptureFixture) -> None:
    settings = (SettingValue("path", "/tmp"), SettingValue("limit", "7"), SettingValue("%settings", "path=/x\nmore=1"))
    async with running(item(Ledger, *settings)):
        assert SEEN == [("connected", "/tmp", 7), ("init", "/tmp", 7)]
    assert SEEN[2:] == ["tear_down", "teardown"]
    assert "only logged" in caplog.text


async def test_a_service_is_entered_by_its_action() -> None:
    async with running(item(Ledger), item(Front)) as node:
        reply = await node.call("demo-front", "on_process_input", message_input={"number": 3})
        assert reply == Receipt("order 3 True")
        assert SEEN[-1] == Order(3)
        records = node.archive.search(Query(service="demo-production/demo-ledger"))
        assert records[0].message.headers["description"] == "from the front"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [({"number": "many"}, "Order.number"), ({"numbr": 1}, "numbr"), ({"number": 1, "text": 5}, "Order.text")],
)
async def test_wrong_input_is_the_error_of_the_caller(body: dict[str, Any], wrong: str) -> None:
    async with running(item(Front)) as node:
        with pytest.raises(JunctorError, match=wrong) as caught:
            await node.call("demo-front", "on_process_input", message_input=body)
        assert caught.value.status == 422
        assert SEEN == []


class Failing(BusinessOperation):
    def on_message(self, request: Order):
        SEEN.append(request.number)
        if request.number == 1:
            raise ValueError("one")
        if request.number == 2 and SEEN.count(2) < 3:
            raise ConnectionRefusedError("away")
        if request.number == 3:
            raise ConnectionRefusedError("away for ever")
        if request.number == 4:
            return None
        return {"no": "message"} if request.number == 5 else Receipt("done")


FAST = (SettingValue("RetryInterval", "0.02"), SettingValue("FailureTimeout", "0.06"))


async def status_of(node: Node, name: str = "demo-failing") -> Status:
    while (found := node.archive.search(Query(service=f"demo-production/{name}")))[0].status in (
        Status.READY,
        Status.CLAIMED,
    ):
        await asyncio.sleep(0.01)
    return found[0].status


@pytest.mark.parametrize(
    ("number", "attempts", "error", "settings"),
    [
        (1, 1, "ValueError: one", ()),
        (2, 3, "", ()),
        (3, 3, "away for ever", ()),
        (5, 1, "dict", ()),
        (1, 3, "one", (SettingValue("ReplyCodeActions", "E=R"),)),
        (1, 1, "one", (SettingValue("ReplyCodeActions", "E*two=R"),)),
        (3, 3, "away", (SettingValue("ReplyCodeActions", "E*two=R"),)),
        (3, 1, "away", (SettingValue("ReplyCodeActions", "E=S"),)),
        (4, 1, "it has no reply", (SettingValue("ReplyCodeActions", "X=F"),)),
    ],
)
async def test_what_becomes_of_an_error(number: int, attempts: int, error: str, settings: tuple[Any, ...]) -> None:
    async with running(item(Failing, *FAST, *settings)) as node:
        if not error:
            assert await ask(node, "Demo.Failing", Order(number)) == Receipt("done")
        else:
            with pytest.raises(JunctorError, match=error):
                await ask(node, "Demo.Failing", Order(number))
            assert await status_of(node) is Status.PARKED
        assert SEEN == [number] * attempts


@pytest.mark.parametrize("actions", ["E=C", "E=W", "E=RC"])
async def test_an_error_that_counts_as_done(actions: str, caplog: pytest.LogCaptureFixture) -> None:
    async with running(item(Failing, *FAST, SettingValue("ReplyCodeActions", actions))) as node:
        assert await ask(node, "Demo.Failing", Order(1)) is None
        assert await status_of(node) is Status.DONE
        assert SEEN == [1] * (3 if "R" in actions else 1)
        assert ("counts as done" in caplog.text) is ("W" in actions)


async def test_an_error_that_disables_the_item_keeps_its_message() -> None:
    async with running(item(Failing, SettingValue("ReplyCodeActions", "E*one=D"))) as node:
        target = node.target("demo-failing", Any)
        await target.send(Order(1))
        await target.send(Order(6))
        host = node.engine.hosts["demo-production/demo-failing"]
        while host.lifecycle.state is not State.HELD:
            await asyncio.sleep(0.01)
        assert "disabled by ReplyCodeActions: ValueError: one" in host.lifecycle.reason
        assert SEEN == [1]


async def test_outside_its_schedule_an_item_holds_its_messages() -> None:
    closed = "STOP:2000-01-01T00:00:00,START:2999-01-01T00:00:00"
    until = "outside its schedule until 2999-01-01 00:00:00"
    async with running(item(Failing, schedule=closed), item(Ticking, schedule=closed)) as node:
        shown = {one.service: (one.state, one.reason) for one in node.status().services}
        assert shown == dict.fromkeys(("demo-failing", "demo-ticking"), ("running", until))
        await node.target("demo-failing", Any).send(Order(6))
        host = node.engine.hosts["demo-production/demo-failing"]
        while host.lifecycle.state is not State.HELD:
            await asyncio.sleep(0.01)
        assert host.lifecycle.reason == until
        assert SEEN == []
        assert node.archive.alerts() == [] and facts_of(host).rests, "a pause that is planned alarms nobody"


class Ticking(PollingBusinessService):
    CallInterval = 0.02

    def on_poll(self):
        SEEN.append("poll")
        self.send_request_async("Demo.Ledger", Order(len(SEEN)))


class Timed(BusinessService):
    CallInterval = 0.02

    def get_adapter_type():
        return "Ens.InboundAdapter"

    def on_process_input(self):
        SEEN.append("timed")
        self.log_info(f"call {len(SEEN)}")
        self._wait_for_next_call_interval = SEEN.count("timed") > 2


class Watcher(InboundAdapter):
    folder: str = "none"

    def on_init(self):
        SEEN.append(("adapter", self.folder))

    def on_task(self):
        self.business_host_python.on_process_input(Order(1))
        self.business_host.ProcessInput(Order(2))


class Watched(BusinessService):
    CallInterval = 30

    @staticmethod
    def get_adapter_type():
        return "Demo.Watcher"

    def on_init(self):
        SEEN.append(type(self.adapter).__name__)

    def on_process_input(self, order):
        SEEN.append(order.number)


class Scanner(InboundAdapter):
    """Three files, the last of which cannot be read. What was sent is counted where it would be renamed."""

    def on_task(self):
        for number in (1, 2, 3):
            self.business_host_python.on_process_input(Order(number))
            SEEN.append(("renamed", number))


class Scanned(BusinessService):
    CallInterval = 30

    @staticmethod
    def get_adapter_type():
        return "Demo.Scanner"

    def on_process_input(self, order):
        if order.number == 3:
            raise ValueError("the third cannot be read")
        self.send_request_async("Demo.Booking", order)


class Booking(BusinessOperation):
    def on_message(self, request: Order):
        SEEN.append(("booked", request.number))


class Wire(OutboundAdapter):
    KeepaliveInterval = 0.02

    def on_keepalive(self):
        SEEN.append("alive")


class Wired(BusinessOperation):
    def get_adapter_type(self):
        return "Demo.Wire"

    def on_message(self, request):
        return Receipt(type(self.Adapter).__name__)


class Outer(BusinessService):
    def get_adapter_type():
        return "EnsLib.File.InboundAdapter"


async def seen(what: Any, count: int = 1) -> None:
    while SEEN.count(what) < count:
        await asyncio.sleep(0.01)


async def test_each_poll_begins_a_session() -> None:
    async with running(item(Ticking), item(Ledger)) as node:
        await seen("poll", 3)
        while len(found := node.archive.search(Query(service="demo-production/demo-ledger"))) < 2:
            await asyncio.sleep(0.01)
        assert len({record.message.session for record in found}) == len(found)


async def test_a_service_that_does_not_want_to_wait() -> None:
    """It is called again at once, each time in a session of its own."""
    async with running(item(Timed, SettingValue("CallInterval", "30"))) as node:
        await seen("timed", 3)
        while len(found := node.archive.search(Query(service="demo-production/demo-timed"))) < 3:
            await asyncio.sleep(0.01)
        assert len({record.message.session for record in found}) == len(found) == 3
        await asyncio.sleep(0.05)
        assert SEEN.count("timed") == 3


async def test_an_inbound_adapter_in_python() -> None:
    async with running(item(Watched, SettingValue("folder", "/in", "Adapter"))):
        await seen(2)
        assert SEEN == [("adapter", "/in"), "Watcher", 1, 2]


async def test_what_a_service_has_sent_stays_when_its_tick_fails_later() -> None:
    async with running(item(Scanned), item(Booking)) as node:
        await seen(("booked", 2))
        found = node.archive.search(Query(service="demo-production/demo-scanned"))
        assert [record.message.kind.name for record in found].count("TICK") == 1
        assert len({record.message.session for record in found}) == 1
    assert sorted(SEEN) == [("booked", 1), ("booked", 2), ("renamed", 1), ("renamed", 2)]


async def test_an_outbound_adapter_in_python() -> None:
    async with running(item(Wired)) as node:
        assert await ask(node, "Demo.Wired", "") == Receipt("Wire")
        await seen("alive", 2)


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        (ItemDefinition(name="Demo.Gone", class_name="Demo.Gone"), "no class is registered as Demo.Gone"),
        (item(Outer), "EnsLib.File.InboundAdapter is not offered yet"),
    ],
)
async def test_an_item_that_cannot_run_is_in_error_and_the_others_run(definition: ItemDefinition, reason: str) -> None:
    async with running(definition, item(Ledger)) as node:
        host = node.engine.hosts[f"demo-production/{service_name(definition.name)}"]
        assert host.lifecycle.state is State.FAILED
        assert reason in host.lifecycle.reason
        await node.target(host.service, Any).send(Order(1))
        assert host.depth.count == 1
        assert await ask(node, "Demo.Ledger", Order(7)) == Receipt("order 7 True")


class Starting(BusinessOperation):
    def on_init(self):
        raise RuntimeError("the door is locked")


async def test_an_error_in_on_init_keeps_the_item_from_starting(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with running(item(Starting)) as node:
        host = node.engine.hosts["demo-production/demo-starting"]
        while host.lifecycle.state not in (State.BACKOFF, State.FAILED):
            await asyncio.sleep(0.01)
        assert "the door is locked" in host.last_error


@pytest.mark.parametrize("setting", [("RetryInterval", "soon"), ("PoolSize", "many"), ("FailureTimeout", "-2")])
def test_a_wrong_setting_of_an_item(setting: tuple[str, str]) -> None:
    name, text = setting
    with pytest.raises((SettingError, SeveralProblems), match=rf"{name}"):
        flow(item(Ledger)).change(f"demo-ledger.{name}", text)
        made = flow(item(Ledger))
        made.change(f"demo-ledger.{name}", text)
        made.item("demo-ledger").spec()


def test_settings_over_those_of_the_production() -> None:
    made = flow(item(Failing, *FAST), item(Wired, SettingValue("KeepaliveInterval", "5", "Adapter")))
    made.change("demo-failing.RetryInterval", "2")
    made.change("demo-failing.PoolSize", "3")
    made.change("demo-wired.KeepaliveInterval", "7")
    spec = made.item("demo-failing").spec()
    assert spec.policies.retry.on["ConnectionError"].initial == 2
    assert spec.policies.pool.size == 3
    assert made.item("demo-wired").spec().schedules[0].every == 7
    made.change("demo-failing.pool", "4")
    assert made.item("demo-failing").spec().policies.pool.size == 4


def test_an_unknown_setting_of_a_class_in_a_flow() -> None:
    made = Flow("x").add(Ledger, settings={"pth": "/tmp"})
    with pytest.raises((SettingError, SeveralProblems), match='Did you mean "path"'):
        made.services[0].spec()


async def test_a_disabled_item_keeps_its_messages_until_it_is_resumed() -> None:
    async with running(item(Ledger, enabled=False), item(Front, enabled=False)) as node:
        host = node.engine.hosts["demo-production/demo-ledger"]
        assert (host.lifecycle.state, host.lifecycle.reason) == (State.PAUSED, "disabled in its production")
        await node.target("demo-ledger", Any).send(Order(1))
        assert host.depth.count == 1
        with pytest.raises(JunctorError, match="the service is paused"):
            await node.call("demo-front", "on_process_input", message_input={})
        assert SEEN == []
        await node.switches.resume(host, "somebody")
        assert await ask(node, "Demo.Ledger", Order(7)) == Receipt("order 7 True")
        assert host.depth.count == 0


def test_settings_that_no_class_declares_travel_as_text() -> None:
    """To a worker process, for example, which makes the item from its class and its settings."""
    definition = item(Ledger, SettingValue("extra", "1"), SettingValue("%settings", "more=2\nextra=0"), pool_size=2)
    spec = flow(definition).item("demo-ledger").spec()
    assert spec.settings == {"PoolSize": 2, "%settings": "more=2\nextra=1"}
    again = Flow("x").add(Ledger, "demo-ledger", settings=spec.settings).services[0].spec()
    assert again.settings == spec.settings
