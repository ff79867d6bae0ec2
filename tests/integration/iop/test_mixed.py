"""Items of the dialect and native services in one flow file: one node, one session, one trace, both ways."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.core.records import Query
from junctor.messages import Kind, Status
from tests.integration.node.conftest import PATIENCE, Junctor, Running
from tests.integration.node.conftest import junctor as junctor
from tests.integration.node.conftest import make_junctor as make_junctor

MSG = """
from dataclasses import dataclass
from junctor.dialects.iop import Message


@dataclass
class Order(Message):
    number: int = 0
    note: str = None


@dataclass
class Receipt(Message):
    text: str = ""
"""

BO = """
import os
from junctor.dialects.iop import BusinessOperation, BusinessProcess, BusinessService
from msg import Order, Receipt


class Printer(BusinessOperation):
    prefix: str = "printed"

    def on_init(self):
        self.process = os.getpid()

    def on_order(self, order: Order):
        self.log_info(f"prints {order.number}")
        if order.number == 13:
            raise ValueError("thirteen")
        self.send_request_async("audit", order)
        here = "" if self.process == int(os.environ["NODE_PID"]) else " in a worker"
        return Receipt(f"{self.prefix} {order.number}{here}")


class Desk(BusinessProcess):
    def on_message(self, order: Order):
        self.send_request_async("Printer", order, completion_key="p")

    def on_response(self, request, response, call_request, call_response, completion_key):
        return Receipt(f"desk: {call_response.text}")


class Counter(BusinessService):
    def on_process_input(self, order: Order):
        return self.send_request_sync("Desk", order)
"""

NATIVE = """
from junctor import Service, Target, action, handler
from msg import Order, Receipt


class Front(Service):
    desk: Target[Order, Receipt]

    @action
    async def order(self, number: int) -> str:
        reply = await self.desk.request(Order(number))
        assert type(reply) is Receipt
        return reply.text


class Audit(Service):
    @handler
    async def on_order(self, order: Order) -> None:
        self.log.info("audit %s %s", order.number, type(order).__name__)
"""

FLOW = """
flow: shop
services:
  front: {class: native:Front, connect: {desk: desk}}
  audit: {class: native:Audit}
  desk: {class: bo:Desk}
  counter: {class: bo:Counter}
  printer: {class: bo:Printer, settings: {prefix: done}, isolate: node}
"""


@pytest.fixture
def shop(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODE_PID", str(os.getpid()))
    write(short_dir)
    return short_dir


def write(folder: Path) -> None:
    for name, text in (("msg.py", MSG), ("bo.py", BO), ("native.py", NATIVE), ("flow.yaml", FLOW)):
        (folder / name).write_text(text)


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
@pytest.mark.parametrize(("isolate", "where"), [("node", ""), ("worker", " in a worker")])
async def test_one_session_through_both(shop: Path, transport: str, isolate: str, where: str) -> None:
    flow = Flow.from_file(shop / "flow.yaml", set={"printer.isolate": isolate, "printer.prefix": "set"})
    async with flow.running(transport=transport, store=shop / "store") as node:
        assert await node.call("front", "order", number=3) == f"desk: set 3{where}"
        reply = await node.call("counter", "on_process_input", message_input={"number": 4})
        assert reply.text == f"desk: set 4{where}"
        sessions = {record.message.session for record in node.archive.search(Query(service="shop/printer"))}
        assert len(sessions) == 2
        for session in sessions:
            records = node.archive.session(session)
            types = {record.message.type for record in records if record.message.kind is Kind.REQUEST}
            assert types == {"msg.Order"}
            assert {line.line.text.split()[0] for line in node.archive.logs(session)} == {"prints", "audit"}


async def test_an_error_comes_back_through_both_and_its_message_is_parked(shop: Path) -> None:
    async with Flow.from_file(shop / "flow.yaml").running(transport="memory") as node:
        with pytest.raises(Exception, match="thirteen"):
            await node.call("front", "order", number=13)
        found = node.archive.search(Query(service="shop/printer"))
        (parked,) = [record for record in found if record.message.target == "shop/printer"]
        assert parked.status is Status.PARKED
        assert parked.failure is not None
        assert parked.failure.type == "ValueError"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"printer.prefx": "1"}, 'Did you mean "prefix"'),
        ({"printer.RetryInterval": "soon"}, "expected float"),
        ({"printer.Schedule": "always"}, "no event of a schedule"),
        ({"printer.ReplyCodeActions": "E=Q"}, "no reply code"),
    ],
)
def test_check_tells_what_is_wrong_with_a_setting(shop: Path, changes: dict[str, str], wrong: str) -> None:
    text = Junctor(shop).here("check", "flow.yaml", *options(changes), code=78)
    assert wrong in text


def options(changes: dict[str, str]) -> list[str]:
    return [word for name, value in changes.items() for word in ("--set", f"{name}={value}")]


def test_check_graph_and_schema(shop: Path) -> None:
    here = Junctor(shop).here
    assert "all is well" in here("check", "flow.yaml")
    graph = here("graph", "flow.yaml")
    assert "desk <=> desk  msg.Order => msg.Receipt" in graph
    assert "takes msg.Order" in graph
    schema = here("schema", "flow.yaml")
    assert all(word in schema for word in ('"prefix"', '"RetryInterval"', '"ReplyCodeActions"'))
    text = here("graph", "flow.yaml", "--yaml")
    assert "printer:\n    class: bo:Printer\n    settings: {prefix: done}\n" in text
    (shop / "again.yaml").write_text(text)
    assert here("graph", "again.yaml", "--yaml") == text


def test_the_text_of_a_flow_is_the_same_whatever_else_the_process_has_loaded(shop: Path, tmp_path: Path) -> None:
    write(tmp_path)
    Junctor(tmp_path).here("check", "flow.yaml")  # its bo.py is the module bo now, and that of the shop another
    text = Junctor(shop).here("graph", "flow.yaml", "--yaml")
    assert "class: bo:Printer\n" in text
    assert "class: native:Front\n" in text


SETTINGS = """
import bo

CLASSES = {"Shop.Printer": bo.Printer, "Shop.Desk": bo.Desk}
PRODUCTIONS = [{"Shop.Production": {"Item": [
    {"@Name": "Printer", "@ClassName": "Shop.Printer", "@PoolSize": "2",
     "Setting": {"@Target": "Host", "@Name": "prefix", "#text": "settings"}},
    {"@Name": "Desk", "@ClassName": "Shop.Desk"},
    {"@Name": "Audit", "@ClassName": "Shop.Printer", "@Enabled": "false"},
    {"@Name": "Gone", "@ClassName": "Shop.Gone"},
]}}]
"""


async def test_a_settings_file_is_run_as_it_is(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    (shop / "settings.py").write_text(SETTINGS)
    flow = Flow.from_file(shop / "settings.py", set={"desk.ThrottleDelay": "1"})
    assert (flow.name, len(flow.services)) == ("shop-production", 4)
    assert any("gone is in error" in note for note in flow.notes)
    async with flow.running(transport="memory") as node:
        import msg

        reply = await node.target("desk", msg.Order, msg.Receipt).request(msg.Order(5))
        assert reply.text == "desk: settings 5"
        assert node.engine.hosts["shop-production/audit"].depth.count == 1  # it is disabled: its messages wait


def test_several_productions_in_a_file(shop: Path) -> None:
    (shop / "settings.py").write_text('PRODUCTIONS = [{"Demo.A": {"Item": []}}, {"Demo.B": {"Item": []}}]\n')
    text = Junctor(shop).here("check", "settings.py", code=78)
    assert "junctor run iop:Demo.A" in text
    assert "junctor run iop:Demo.B" in text


def test_reload_and_apply_when_the_code_changes(junctor: Junctor) -> None:
    write(junctor.folder)
    running = junctor.start("flow.yaml", "--store", "store", "--reload", "--port", "0", env={"NODE_PID": "0"})
    assert order(junctor, 1) == "desk: done 1 in a worker\n"
    (junctor.folder / "bo.py").write_text(BO.replace("{self.prefix} {order.number}", "new {order.number}"))
    wait_until(lambda: order(junctor, 2) == "desk: new 2 in a worker\n", running)
    (junctor.folder / "flow.yaml").write_text(FLOW.replace("prefix: done", "prefix: done, RetryInterval: 2"))
    wait_until(lambda: "RetryInterval = 2" in junctor.here("services", "--node", "store"), running)


def order(junctor: Junctor, number: int) -> str:
    return junctor.here("call", "front", "order", f"number={number}", "--node", "store")


def wait_until(true: Callable[[], Any], running: Running) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, running.said
        time.sleep(0.2)


DISABLED = """
import bo

PRODUCTIONS = [{"Shop": {"Item": [
    {"@Name": "Printer", "@ClassName": bo.Printer, "@Enabled": "0"},
    {"@Name": "Audit", "@ClassName": bo.Desk, "@Enabled": "0"},
]}}]
"""


def test_a_disabled_item_is_resumed_by_its_name(junctor: Junctor) -> None:
    write(junctor.folder)
    (junctor.folder / "settings.py").write_text(DISABLED)
    running = junctor.start("settings.py", "--store", "store", "--port", "0", env={"NODE_PID": "0"})
    junctor.here("send", "printer", '{"number": 1}', "--type", "msg.Order", "--node", "store")
    assert "disabled in its production" in junctor.here("status", "--node", "store")
    assert "no service is paused or held" in junctor.here("resume", "--all", "--node", "store")
    junctor.here("resume", "printer", "--node", "store")
    wait_until(lambda: "prints 1" in running.said, running)
    assert junctor.here("status", "--node", "store").count("disabled in its production") == 1
