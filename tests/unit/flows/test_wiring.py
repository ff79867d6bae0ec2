"""Wiring: by type, by name, with every problem reported at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from junctor.adapters import SqlOut
from junctor.core.policy import Policies, PoolPolicy, RetryPolicy
from junctor.core.spec import ServiceSpec
from junctor.errors import ConfigurationError, SettingError, SeveralProblems, TypeClash, WiringError
from junctor.flows import FlowModel, Wiring, wire
from junctor.services import Service, Target, every, handler, spec_of
from junctor.settings import setting


@dataclasses.dataclass
class Reading:
    sensor: str
    value: float


@dataclasses.dataclass
class Verdict:
    ok: bool


class Monitor(Service):
    readings: Target[Reading]

    @every("2s")
    async def poll(self) -> None: ...


class Alarm(Service):
    limit: float = setting(80.0)

    @handler
    def on_reading(self, reading: Reading) -> None: ...


class Judge(Service):
    @handler
    async def judge(self, reading: Reading) -> Verdict:
        return Verdict(True)


class Log(Service):
    @handler
    async def on_any(self, body: Any) -> None: ...


class Asker(Service):
    judge: Target[Reading, Verdict]


class Counter(Service):
    @handler
    async def on(self, reading: Reading) -> None:
        self.state["n"] = 1


def flow(*services: Any, **options: Any) -> FlowModel:
    """The first service with the options, then the others."""
    model = FlowModel("plant")
    for index, service in enumerate(services):
        model.add(service, **options if index == 0 else {})
    return model


def problem(model: FlowModel, kind: type[ConfigurationError] = WiringError) -> str:
    with pytest.raises(kind) as caught:
        wire(model)
    assert type(caught.value) is kind
    return str(caught.value)


def connect(wiring: Wiring, service: str) -> dict[str, tuple[str, ...]]:
    plan = next(plan for plan in wiring.plan.services if plan.spec.name == service)
    return {name: tuple(wire.to for wire in wires) for name, wires in plan.connect.items()}


# The model ----------------------------------------------------------------------------------------------------


def test_a_flow_is_data() -> None:
    model = flow(Monitor, Alarm(limit=75)).add(Log, "audit", pool=2, retry={"attempts": 1})
    assert [item.name for item in model.services] == ["monitor", "alarm", "audit"]
    assert repr(model) == "<FlowModel plant: monitor, alarm, audit>"
    spec = model.services[2].spec()
    assert (spec.name, spec.policies.pool.size, spec.policies.retry) == ("audit", 2, RetryPolicy(attempts=1))


def test_a_finished_spec_can_be_added_under_another_name() -> None:
    policies = Policies(pool=PoolPolicy(size=3))
    spec = spec_of(Alarm(limit=75), policies=policies)
    made = FlowModel("plant").add(spec, "second", timeout=5, isolate="worker", loop="own").services[0].spec()
    assert (made.name, made.policies.pool.size, made.policies.timeout) == ("second", 3, 5.0)
    assert (made.isolation, made.loop, made.settings) == ("worker", "own", {"limit": 75.0})
    with pytest.raises(ConfigurationError, match="alarm: a spec has its settings already"):
        FlowModel("plant").add(spec, settings={"limit": 1})


@pytest.mark.parametrize(
    ("add", "text"),
    [
        (
            lambda f: f.add(Alarm),
            'plant: there is a service "alarm" already. Give one of them another name: add(..., name="alarm-2")',
        ),
        (
            lambda f: f.add(Alarm, "Big Alarm"),
            "plant: 'Big Alarm' cannot be a name. Use small letters, digits, - and _",
        ),
        (lambda f: f.add(Service), "is not a service. Add an object or class derived from Service"),
        (lambda f: f.add(dict), "is not a service"),
        (lambda f: f.add("alarm.py"), "'alarm.py' is not a service"),
        (lambda f: f.add(Log, pool=-1), "log.pool: pool is -1."),
        (lambda f: FlowModel("My Flow"), "flow: 'My Flow' cannot be a name. Use small letters"),
    ],
)
def test_a_wrong_add_is_refused_at_once(add: Any, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        add(flow(Alarm))
    assert text in str(caught.value)


# By type ------------------------------------------------------------------------------------------------------


def test_the_one_service_that_handles_the_type_is_connected() -> None:
    wiring = wire(flow(Monitor, Alarm))
    assert wiring.explain() == ["monitor.readings -> alarm (Reading, by type)"]
    assert connect(wiring, "monitor") == {"readings": ("plant/alarm",)}
    assert connect(wiring, "alarm") == {}
    assert wiring.plan.name == "plant"
    assert wiring.plan.types.named("Reading") is not None


def test_a_service_that_takes_everything_is_not_connected_by_type() -> None:
    assert connect(wire(flow(Monitor, Alarm, Log)), "monitor") == {"readings": ("plant/alarm",)}
    text = problem(flow(Monitor, Log))
    assert text == (
        "monitor.readings: no service handles Reading by type. "
        'To use one that takes everything, name it: connect={"readings": "log"}.'
    )


def test_several_services_are_a_question() -> None:
    assert problem(flow(Monitor, Alarm, Judge)) == (
        'monitor.readings: 2 services handle Reading: alarm, judge. Name the one: connect={"readings": "alarm"}.'
    )


def test_no_service_is_a_question_too() -> None:
    class Other(Service):
        @handler
        async def on(self, verdict: Verdict) -> None: ...

    assert problem(flow(Monitor, Other)) == (
        "monitor.readings: no service handles Reading; handled are: Verdict. "
        "Add a service with a @handler for Reading, or make the target optional: Target[Reading] | None."
    )


def test_where_nobody_handles_anything_this_is_said() -> None:
    class Other(Service):
        def loop(self) -> None: ...

    assert problem(flow(Monitor, Other)).startswith(
        "monitor.readings: no service handles Reading: no other service of the flow has a handler. Add a service with"
    )


def test_a_wrong_argument_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r'poool=...\): there is no argument "poool". Did you mean "pool"'):
        flow().add(Alarm, poool=3)  # type: ignore[call-arg]


def test_a_service_does_not_connect_to_itself() -> None:
    class Echo(Service):
        out: Target[Reading]

        @handler
        async def on(self, reading: Reading) -> None: ...

    assert "no service handles Reading" in problem(flow(Echo))
    assert connect(wire(flow(Echo, Alarm)), "echo") == {"out": ("plant/alarm",)}
    assert connect(wire(flow(Echo, connect={"out": "echo"})), "echo") == {"out": ("plant/echo",)}


def test_an_optional_target_may_stay_open_but_not_unclear() -> None:
    class Maybe(Service):
        out: Target[Reading] | None

    wiring = wire(flow(Maybe))
    assert connect(wiring, "maybe") == {}
    assert wiring.explain() == ["note: maybe.out is not connected; it is optional"]
    assert connect(wire(flow(Maybe, Alarm)), "maybe") == {"out": ("plant/alarm",)}
    assert "2 services handle Reading" in problem(flow(Maybe, Alarm, Judge))


def test_a_target_of_several_types_needs_one_that_handles_all() -> None:
    class Both(Service):
        out: Target[Reading | Verdict]

    class Takes(Service):
        @handler
        async def on(self, body: Reading | Verdict) -> None: ...

    wiring = wire(flow(Both, Alarm, Takes))
    assert connect(wiring, "both") == {"out": ("plant/takes",)}
    assert [target.request for target in wiring.plan.services[0].spec.targets] == [Any]
    assert wiring.plan.types.named("Verdict") is not None
    assert "alarm does not handle Verdict; it handles Reading" in problem(flow(Both, Alarm, connect={"out": "alarm"}))


def test_a_target_of_any_type_is_connected_by_name_only() -> None:
    class Sends(Service):
        out: Target[Any]

    assert "no service handles Any" in problem(flow(Sends, Alarm))
    assert connect(wire(flow(Sends, Alarm, connect={"out": "alarm"})), "sends") == {"out": ("plant/alarm",)}


# By name ------------------------------------------------------------------------------------------------------


def test_names_win_over_types_and_may_be_several() -> None:
    wiring = wire(flow(Monitor, Alarm, Judge, Log, connect={"readings": ["judge", "log"]}))
    assert connect(wiring, "monitor") == {"readings": ("plant/judge", "plant/log")}
    assert wiring.explain() == [
        "monitor.readings -> judge (Reading, by name)",
        "monitor.readings -> log (Reading, by name)",
    ]


def test_a_service_of_another_flow_is_left_to_the_node() -> None:
    wiring = wire(flow(Monitor, connect={"readings": "other/alarm"}))
    assert connect(wiring, "monitor") == {"readings": ("other/alarm",)}
    assert wiring.notes == ("monitor.readings leads to other/alarm, which is checked when the node starts",)


@pytest.mark.parametrize(
    ("connect", "text"),
    [
        ({"readings": "alrm"}, 'monitor.readings: there is no service "alrm". Did you mean "alarm"?'),
        ({"readings": "xyz"}, 'monitor.readings: there is no service "xyz". There is: alarm, monitor.'),
        ({"reading": "alarm"}, 'monitor.reading: monitor has no target of this name. Did you mean "readings"?'),
    ],
)
def test_a_wrong_name_answers_with_the_right_one(connect: dict[str, str], text: str) -> None:
    assert problem(flow(Monitor, Alarm, connect=connect)) == text


def test_a_connection_must_fit_the_types() -> None:
    class Other(Service):
        @handler
        async def on(self, verdict: Verdict) -> None: ...

    assert problem(flow(Monitor, Other, connect={"readings": "other"})) == (
        "monitor.readings: other does not handle Reading; it handles Verdict. "
        "Add a @handler for it to other, or connect the target to another service."
    )
    assert "monitor does not handle Reading; it handles nothing" in problem(
        flow(Monitor, connect={"readings": "monitor"})
    )


@pytest.mark.parametrize("options", [{}, {"connect": {"judge": "alarm"}}])
def test_a_reply_must_be_the_expected_one(options: dict[str, Any]) -> None:
    assert problem(flow(Asker, Alarm, **options)) == (
        "asker.judge: expects the reply Verdict, and alarm.on_reading replies nothing. "
        "Declare the target as Target[Reading], or change the handler."
    )


def test_replies_that_fit() -> None:
    class Unsure(Service):
        @handler
        async def judge(self, reading: Reading) -> Verdict | None: ...

    class Accepts(Service):
        judge: Target[Reading, Verdict | None]

    class Anything(Service):
        @handler
        async def judge(self, reading: Reading) -> Any: ...

    for asks, answers in [(Asker, Judge), (Accepts, Judge), (Accepts, Unsure), (Asker, Anything), (Monitor, Judge)]:
        wire(flow(asks, answers))
    assert "Declare the target as Target[Reading, Verdict | None]" in problem(flow(Asker, Unsure))


def test_a_target_with_a_reply_leads_to_one_service() -> None:
    model = flow(Asker, Judge, connect={"judge": ["judge", "second"]}).add(Judge, "second")
    assert "asker.judge: a target with a reply leads to several services" in problem(model)


def test_the_place_in_a_file_is_told() -> None:
    model = flow(Monitor, Alarm, connect={"readings": "alrm"}, places={"connect.readings": "flow.yaml:7"})
    assert problem(model).startswith('monitor.readings (flow.yaml:7): there is no service "alrm".')


# All at once --------------------------------------------------------------------------------------------------


def test_every_problem_is_reported() -> None:
    model = flow(Monitor, Asker, connect={"reading": "alarm"}).add(Alarm, settings={"limit": "high"})
    model.add(Counter, pool=4)
    with pytest.raises(SeveralProblems) as caught:
        wire(model)
    lines = str(caught.value).splitlines()
    assert lines[0] == "flow plant: 4 problems"
    assert [line.strip().partition(":")[0] for line in lines[1:5]] == [
        "alarm.limit",
        "monitor.reading",
        "asker.judge",
        "counter",
    ]
    assert lines[5] == "Correct each of them and start again."
    assert [type(error) for error in caught.value.problems] == [
        SettingError,
        WiringError,
        WiringError,
        ConfigurationError,
    ]


def test_a_service_that_fails_by_itself_causes_no_further_complaints() -> None:
    assert problem(flow(Alarm, Monitor, settings={"limit": "high"}), SettingError).startswith("alarm.limit: expected")


def test_an_empty_flow() -> None:
    assert problem(FlowModel("plant"), ConfigurationError) == "flow plant: it has no service. Add one: flow.add(...)."


def test_two_types_of_one_name() -> None:
    other = dataclasses.make_dataclass("Reading", [("x", int)])

    class Takes(Service):
        @handler
        async def on(self, body: other) -> None: ...  # type: ignore[valid-type]

    text = problem(flow(Alarm, Takes), TypeClash)
    assert 'are both called "Reading"' in text
    assert "takes.on" in text
    assert "@message(name=" in text


def test_a_body_that_cannot_be_carried_names_its_handler() -> None:
    class Takes(Service):
        @handler
        async def on(self, body: dict[bytes, set[bytes] | list[int]]) -> None: ...

    assert problem(flow(Takes), ConfigurationError).startswith("takes.on: ")


# Pools and circles --------------------------------------------------------------------------------------------


def test_state_with_a_pool_needs_a_key() -> None:
    assert problem(flow(Counter, pool=4), ConfigurationError) == (
        "counter: it uses self.state with a pool of 4 and no key. "
        'Give a key, a field of the body: key="sensor"; or use pool=1.'
    )
    wire(flow(Counter, pool=4, key="sensor"))


def test_a_key_is_a_field_of_a_body_or_given_by_senders() -> None:
    assert problem(flow(Alarm, pool=2, key="senor"), ConfigurationError) == (
        'alarm.key: no type that it handles has the field "senor". '
        'Did you mean "sensor"? For keys that senders give with key=, write key="key".'
    )
    for key in ("sensor", "key", "sensor.name"):
        wire(flow(Alarm, key=key))
    wire(flow(Log, key="anything"))
    wire(flow(Monitor, Alarm, key="anything"))


def test_blocking_handlers_in_a_pool_are_told() -> None:
    wiring = wire(flow(Alarm, pool=4))
    assert wiring.explain() == [
        "note: alarm: on_reading runs in threads; with a pool of 4 "
        "there are 4 instances, each with attributes of its own"
    ]
    assert not wire(flow(Judge, pool=4)).notes
    adapter = SqlOut(url="sqlite:///a.db", statement="insert into a values (:id)")
    assert "threads" not in str(wire(FlowModel("shop").add(adapter, pool=4)).notes)


def test_requests_in_a_circle_are_told() -> None:
    @dataclasses.dataclass
    class Back:
        x: int

    class First(Service):
        second: Target[Reading, Verdict]

        @handler
        async def on(self, back: Back) -> Verdict: ...

    class Second(Service):
        first: Target[Back, Verdict]

        @handler
        async def on(self, reading: Reading) -> Verdict: ...

    (note,) = wire(flow(First, Second)).notes
    assert note.startswith("requests can go in a circle: first -> second -> first; with a pool of 1")
    assert isinstance(wire(flow(First, Second)).plan.services[0].spec, ServiceSpec)
