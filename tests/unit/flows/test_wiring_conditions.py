"""Wiring with conditions, with services that are disabled, and across the flows of one node."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from junctor.core.condition import Condition
from junctor.core.spec import Wire
from junctor.errors import ConfigurationError, SeveralProblems, WiringError
from junctor.flows import FlowModel, examine, wire, wire_all
from junctor.flows.check.check import check_models
from junctor.flows.comparison import compare
from junctor.flows.wires import when
from junctor.services import Service, Target, handler


@dataclasses.dataclass
class Reading:
    sensor: str
    value: float


class Renamed(msgspec.Struct, rename="camel"):
    first_name: str


@dataclasses.dataclass
class Verdict:
    ok: bool


class Monitor(Service):
    readings: Target[Reading]


class Either(Service):
    out: Target[Reading | Renamed]


class Anything(Service):
    out: Target[Any]


class Asker(Service):
    judge: Target[Reading, Verdict]


class Alarm(Service):
    @handler
    def on_reading(self, reading: Reading) -> None: ...


class Judge(Service):
    @handler
    async def judge(self, reading: Reading) -> Verdict:
        return Verdict(True)


class All(Service):
    @handler
    async def on_any(self, body: Any) -> None: ...


def model(name: str = "plant", /, **services: Any) -> FlowModel:
    """A flow of classes, or of pairs of a class and its connections."""
    flow = FlowModel(name)
    for service, made in services.items():
        cls, connect = made if isinstance(made, tuple) else (made, {})
        flow.add(cls, service, connect=connect)
    return flow


def problem(*models: FlowModel) -> str:
    with pytest.raises(ConfigurationError) as caught:
        wire_all(models)
    return str(caught.value)


# Conditions -------------------------------------------------------------------------------------------------


def test_a_condition_is_part_of_the_wiring() -> None:
    ways = [when("a", "body.value > 80"), {"to": "b", "when": "body.sensor ==\n 'cpu'"}, "c"]
    wiring = wire(model(monitor=(Monitor, {"readings": ways}), a=Alarm, b=Alarm, c=Alarm))
    assert wiring.explain() == [
        "monitor.readings -> a (Reading, by name, when body.value > 80)",
        "monitor.readings -> b (Reading, by name, when body.sensor == 'cpu')",
        "monitor.readings -> c (Reading, by name)",
    ]
    first, _, last = wiring.plan.services[0].connect["readings"]
    assert first == Wire("plant/a", Condition("body.value > 80", "monitor.readings")) and last == Wire("plant/c")


@pytest.mark.parametrize(
    ("service", "target", "text", "fix"),
    [
        (Monitor, "readings", "body.valu > 1", 'Did you mean "value"?'),
        (Monitor, "readings", "body.value.deep > 1", None),
        (Either, "out", "body.firstNam == 'a'", 'Did you mean "firstName"?'),
        (Either, "out", "body.sensor == 'a' || body.firstName == 'a'", None),
        (Anything, "out", "body.whatever == 1", None),
    ],
)
def test_fields_are_those_that_travel(service: type[Service], target: str, text: str, fix: str | None) -> None:
    flow = model(source=(service, {target: when("all", text)}), all=All)
    if fix is None:
        wire(flow)
    else:
        assert problem(flow).startswith(f"source.{target}: the body has no field") and fix in problem(flow)


def test_every_condition_is_checked() -> None:
    ways = [when("alarm", "body.valu > 1"), when("alarm", "body.value >"), when("alarm", "bod.value > 1")]
    flow = model(monitor=(Monitor, {"readings": ways}), alarm=Alarm)
    (examined,) = examine([flow])
    assert len(examined.problems) == 3
    assert isinstance(SeveralProblems.of(examined.problems, "x"), SeveralProblems)


def test_requests_may_lead_to_several_services_by_their_content() -> None:
    judges: dict[str, Any] = {"a": Judge, "b": Judge}
    wire(model(asker=(Asker, {"judge": [when("a", "body.value > 1"), "b"]}), **judges))
    wire(model(asker=(Asker, {"judge": [when("a", "body.value > 1"), when("b", "body.value > 0")]}), **judges))
    for ways in (["a", "b"], ["a", when("b", "body.value > 1")]):
        said = problem(model(asker=(Asker, {"judge": ways}), **judges))
        assert "a target with a reply leads to several services" in said and "all but the last a condition" in said


def test_a_condition_that_moved_to_another_line_is_the_same() -> None:
    before, moved, other = (
        wire(model(monitor=(Monitor, {"readings": Wire("alarm", Condition(text, place))}), alarm=Alarm))
        for text, place in (("body.value > 1", "f:7"), ("body.value > 1", "f:9"), ("body.value > 2", "f:7"))
    )
    assert compare(before, moved).of("changed") == []
    assert [change.service for change in compare(before, other).of("changed")] == ["monitor"]


# Disabled services ------------------------------------------------------------------------------------------


def test_one_of_several_connections_may_lead_to_a_disabled_service() -> None:
    flow = model(monitor=(Monitor, {"readings": ["alarm", "archive"]}), alarm=Alarm)
    flow.add(Alarm, "archive", enabled=False)
    assert wire(flow).explain() == [
        "monitor.readings -> alarm (Reading, by name)",
        "note: monitor.readings does not lead to archive, which is disabled",
    ]


def test_a_target_that_leads_only_to_a_disabled_service_is_wrong() -> None:
    flow = model(monitor=(Monitor, {"readings": "alarm"}))
    flow.add(Alarm, enabled=False)
    assert problem(flow).startswith('monitor.readings: the service "alarm" is disabled. Set enabled: true')


def test_a_disabled_service_is_nobody_for_connections_by_type() -> None:
    flow = model(monitor=Monitor, alarm=Alarm)
    flow.add(Alarm, "other", enabled=False)
    assert wire(flow).explain() == ["monitor.readings -> alarm (Reading, by type)"]


# Flows of one node ------------------------------------------------------------------------------------------


def test_a_connection_to_another_flow_is_checked_with_it() -> None:
    here = model("here", monitor=(Monitor, {"readings": "there/alarm"}))
    one, other = wire_all([here, model("there", alarm=Alarm)])
    assert one.explain() == ["monitor.readings -> there/alarm (Reading, by name)"]
    assert one.plan.services[0].connect == {"readings": (Wire("there/alarm"),)}
    assert other.explain() == []


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("there/alrm", 'there is no service "alrm" in there. Did you mean "alarm"?'),
        (
            "ther/alarm",
            'there is no flow "ther" beside this one. Did you mean "there"? '
            "Name the file of that flow on the command line too.",
        ),
        ("there/renamed", "there/renamed does not handle Reading; it handles Renamed"),
    ],
)
def test_what_is_wrong_in_the_other_flow_is_said(to: str, says: str) -> None:
    class OnRenamed(Service):
        @handler
        async def on(self, body: Renamed) -> None: ...

    there = model("there", alarm=Alarm, renamed=OnRenamed)
    assert says in problem(model("here", monitor=(Monitor, {"readings": to})), there)


def test_between_flows_a_type_is_known_by_its_name_and_check_compares_the_fields() -> None:
    here = model("here", monitor=(Monitor, {"readings": "there/twin"}))
    same = dataclasses.make_dataclass("Reading", [("sensor", str), ("value", float)])
    wire_all([here, model("there", twin=taking(same))])
    assert [one.code for one in check_models([here, model("there", twin=taking(same))])[0].findings] == ["empty"]
    more = dataclasses.make_dataclass("Reading", [("sensor", str), ("level", int)])
    report, _ = check_models([here, model("there", twin=taking(more))])
    (finding,) = [one for one in report.findings if one.code == "other-class"]
    assert finding.what == "there/twin has a Reading of its own, with a field that is not sent: level"


def taking(cls: type) -> type[Service]:
    """A service with a handler for a class that is made in a test."""

    async def on(self: Service, reading: Any) -> None: ...

    on.__annotations__["reading"] = cls
    return type("Taking", (Service,), {"on": handler(on), "__module__": __name__})


def test_the_flow_may_name_itself() -> None:
    flow = model("here", monitor=(Monitor, {"readings": "here/alarm"}), alarm=Alarm)
    assert wire(flow).plan.services[0].connect == {"readings": (Wire("here/alarm"),)}


def test_a_reply_is_compared_across_flows_too() -> None:
    said = problem(model("here", asker=(Asker, {"judge": "there/alarm"})), model("there", alarm=Alarm))
    assert "expects the reply Verdict, and there/alarm.on_reading replies nothing" in said


def test_two_flows_of_one_name_are_refused() -> None:
    assert "another flow of the node has this name" in problem(model("one", a=Alarm), model("one", b=Alarm))


def test_an_error_of_one_service_makes_no_echo_in_another_flow() -> None:
    class Broken(Service):
        limit: float = 3.0

        @handler
        async def on(self, first: Reading, second: Reading) -> None: ...

    (here, there) = examine([model("here", monitor=(Monitor, {"readings": "there/b"})), model("there", b=Broken)])
    assert here.problems == () and len(there.problems) == 1
    assert not isinstance(there.problems[0], WiringError)
