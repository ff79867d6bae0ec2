"""Alerts of items: what is told to Ens.Alert, when, and lines of trace()."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from junctor import Flow
from junctor.dialects.iop.components import BusinessOperation, BusinessProcess, BusinessService, handler
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition, SettingValue
from junctor.dialects.iop.hosting.alerts import is_told
from junctor.dialects.iop.hosting.flow import flow_of
from junctor.dialects.iop.messages import Message
from junctor.errors import JunctorError

TOLD: list[Any] = []


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    TOLD.clear()
    yield


@dataclass
class Job(Message):
    what: str = ""


@dataclass
class Other(Message):
    what: str = ""


class Worker(BusinessOperation):
    def on_message(self, request: Job):
        self.trace("a trace")
        if request.what == "alert":
            self.log_alert("look at this")
        elif request.what == "away":
            raise ConnectionRefusedError("away")
        elif request.what:
            raise ValueError(request.what)


class Pager(BusinessOperation):
    def on_message(self, request):
        TOLD.append((request.SourceConfigName, request.AlertText, bool(request.AlertTime), len(request.SessionId)))


class ByMark(BusinessOperation):
    @handler("iris.Ens.AlertRequest")
    def alerted(self, request):
        TOLD.append(("by mark", request.AlertText))


class ByTable(BusinessOperation):
    DISPATCH = [("iris.Ens.AlertRequest", "alerted")]

    def alerted(self, request):
        TOLD.append(("by table", request.AlertText))


class ByAnnotation(BusinessOperation):
    def alerted(self, request: iris.Ens.AlertRequest):  # noqa: F821
        TOLD.append(("by annotation", request.AlertText))


def flow(*settings: SettingValue, processor: str = "Pager", **fields: Any) -> Flow:
    items = [ItemDefinition(name="Demo.Worker", class_name="Worker", settings=settings, **fields)]
    if processor:
        items.append(ItemDefinition(name="Ens.Alert", class_name=processor))
    production = ProductionDefinition(name="Demo", items=tuple(items))
    return Flow.of(flow_of(production, lambda name: globals()[name]))


async def told(count: int) -> None:
    while len(TOLD) < count:
        await asyncio.sleep(0.01)


async def test_log_alert_is_told_at_once() -> None:
    async with flow().running(transport="memory") as node:
        await node.target("demo-worker", Any).send(Job("alert"))
        await told(1)
    assert TOLD == [("Demo.Worker", "look at this", True, 32)]


@pytest.mark.parametrize("processor", ["ByMark", "ByTable", "ByAnnotation"])
async def test_the_alert_has_the_name_that_it_has_in_iris(processor: str, caplog: pytest.LogCaptureFixture) -> None:
    async with flow(processor=processor).running(transport="memory") as node:
        await node.target("demo-worker", Any).send(Job("alert"))
        await told(1)
    assert [text for _, text in TOLD] == ["look at this"]
    assert "there is no iris" not in caplog.text


class Typed(BusinessOperation):
    def on_other(self, request: Other):
        return request


class TypedProcess(BusinessProcess):
    def on_other(self, request: Other):
        return request


@pytest.mark.parametrize("cls", ["Typed", "TypedProcess"])
async def test_a_message_that_no_method_takes_is_told_and_answered_with_none(
    cls: str, caplog: pytest.LogCaptureFixture
) -> None:
    production = ProductionDefinition(name="Demo", items=(ItemDefinition(name="Demo.Typed", class_name=cls),))
    async with Flow.of(flow_of(production, lambda name: globals()[name])).running(transport="memory") as node:
        assert await node.target("demo-typed", Any, Any).request(Other("x")) == Other("x")
        assert "takes" not in caplog.text
        assert await node.target("demo-typed", Any, Any).request(Job("x")) is None
    (record,) = (record for record in caplog.records if "takes" in record.message)
    assert (record.levelname, record.service) == ("WARNING", "demo/demo-typed")  # type: ignore[attr-defined]
    assert f"no method of {__name__}.{cls} takes {__name__}.Job: the answer is None" in record.message


async def test_an_error_is_told_where_it_is_asked_for() -> None:
    async with flow(SettingValue("AlertOnError", "1")).running(transport="memory") as node:
        with pytest.raises(JunctorError, match="broken"):
            await node.target("demo-worker", Any, Any).request(Job("broken"))
        await told(1)
    assert TOLD == [("Demo.Worker", "ValueError: broken", True, 32)]


class Entrance(BusinessService):
    def on_process_input(self, message_input: Job):
        raise ValueError(message_input.what)


class Asking(BusinessProcess):
    def on_message(self, request: Job):
        self.send_request_async("Demo.Worker", request)


async def test_each_item_on_the_way_tells_of_an_error() -> None:
    on_error = (SettingValue("AlertOnError", "1"),)
    items = (
        ItemDefinition(name="Demo.Asking", class_name="Asking", settings=on_error),
        ItemDefinition(name="Demo.Worker", class_name="Worker", settings=on_error),
        ItemDefinition(name="Ens.Alert", class_name="Pager"),
    )
    production = ProductionDefinition(name="Demo", items=items)
    async with Flow.of(flow_of(production, lambda name: globals()[name])).running(transport="memory") as node:
        with pytest.raises(JunctorError, match="broken"):
            await node.target("demo-asking", Any, Any).request(Job("broken"))
        await told(2)
    assert [source for source, *_ in TOLD] == ["Demo.Worker", "Demo.Asking"]
    assert all("broken" in text and length == 32 for _, text, _, length in TOLD)


async def test_an_alert_of_a_service_names_its_session() -> None:
    on_error = (SettingValue("AlertOnError", "1"),)
    items = (
        ItemDefinition(name="Demo.Entrance", class_name="Entrance", settings=on_error),
        ItemDefinition(name="Ens.Alert", class_name="Pager"),
    )
    production = ProductionDefinition(name="Demo", items=items)
    async with Flow.of(flow_of(production, lambda name: globals()[name])).running(transport="memory") as node:
        with pytest.raises(JunctorError, match="closed"):
            await node.call("demo-entrance", "on_process_input", message_input={"what": "closed"})
        await told(1)
    assert TOLD == [("Demo.Entrance", "ValueError: closed", True, 32)]


async def test_an_error_that_is_tried_again_is_told_once() -> None:
    settings = (("AlertOnError", "1"), ("RetryInterval", "0.02"), ("FailureTimeout", "0.08"))
    async with flow(*(SettingValue(*one) for one in settings)).running(transport="memory") as node:
        with pytest.raises(JunctorError, match="away"):
            await node.target("demo-worker", Any, Any).request(Job("away"))
        await told(1)
    assert len(TOLD) == 1


@pytest.mark.parametrize(
    ("grace", "attempts", "expected"),
    [(0, 3, [True, False, False]), (5, 3, [False, True, False]), (8, 3, [False, False, True]), (99, 2, [False, True])],
)
def test_the_grace_period(grace: float, attempts: int, expected: list[bool]) -> None:
    """Attempts every five seconds; the last one is told in any case, if nothing was before."""
    numbers = range(1, attempts + 1)
    assert [is_told(number, number == attempts, 5, grace) for number in numbers] == expected


async def test_without_the_item_nobody_is_told() -> None:
    async with flow(SettingValue("AlertOnError", "1"), processor="").running(transport="memory") as node:
        await node.target("demo-worker", Any, Any).request(Job("alert"))
        with pytest.raises(JunctorError, match="broken"):
            await node.target("demo-worker", Any, Any).request(Job("broken"))


def test_settings_that_are_rules_of_the_flow() -> None:
    settings = (("QueueCountAlert", "5"), ("QueueWaitAlert", "60"), ("InactivityTimeout", "3600"))
    rules = flow(*(SettingValue(*one) for one in settings)).alerts
    assert [(rule.name, rule.when.queue, rule.when.age, rule.when.silent) for rule in rules] == [
        ("demo-worker-queue-count", 5, None, None),
        ("demo-worker-queue-wait", None, 60.0, None),
        ("demo-worker-inactive", None, None, 3600.0),
    ]
    assert {send.service for rule in rules for send in rule.send} == {"ens-alert"}
    assert all(rule.when.service == ("demo-worker",) for rule in rules)


async def test_a_rule_tells_the_item(caplog: pytest.LogCaptureFixture) -> None:
    schedule = "STOP:2000-01-01T00:00:00"
    async with flow(SettingValue("QueueCountAlert", "2"), schedule=schedule).running(transport="memory") as node:
        for _ in range(3):
            await node.target("demo-worker", Any).send(Job())
        await node.call("junctor/alerts", "look")
        await told(1)
    source, text, *_ = TOLD[0]
    assert source == "Demo.Worker"
    assert "3 messages" in text
    (line,) = (record for record in caplog.records if getattr(record, "event", "") == "alert")
    assert line.service == "demo/demo-worker"  # type: ignore[attr-defined]


async def test_failures_are_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    settings = SettingValue("RetryInterval", "0.01"), SettingValue("FailureTimeout", "0.02")
    async with flow(*settings, processor="").running(transport="memory") as node:
        for what in ("broken", "away"):
            with pytest.raises(JunctorError):
                await node.target("demo-worker", Any, Any).request(Job(what))
    told = [(getattr(record, "event", ""), "parked" in record.message) for record in caplog.records]
    assert [event for event, parked in told if parked] == ["failure", "failure"]
    assert ("failure", False) not in told


@pytest.mark.parametrize("kept", [True, False])
async def test_lines_of_trace(kept: bool) -> None:
    async with flow(log_trace_events=kept).running(transport="memory") as node:
        await node.target("demo-worker", Any, Any).request(Job())
        lines = [line.line.text for session in sessions(node) for line in node.archive.logs(session)]
    assert ("a trace" in lines) is kept


def sessions(node: Any) -> set[int]:
    from junctor.core.records import Query

    return {record.message.session for record in node.archive.search(Query(service="demo/demo-worker"))}
