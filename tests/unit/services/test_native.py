"""From a class to its spec, and from the spec to instances."""

from __future__ import annotations

import abc
import functools
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from junctor.core.policy import Policies, PoolPolicy
from junctor.core.spec import TargetSpec
from junctor.errors import ConfigurationError, SettingError, UnknownTarget
from junctor.services import (
    Service,
    Target,
    action,
    cron,
    delete,
    every,
    get,
    handler,
    patch,
    post,
    put,
    spec_of,
    subscribe,
)
from junctor.settings import Secret, setting
from tests.unit.services.ports import TablePort, build


@dataclass
class Reading:
    value: float


@dataclass
class Reset:
    pass


@dataclass
class Verdict:
    ok: bool


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


class Everything(Service):
    """What a service can have.

    In two paragraphs.
    """

    limit: float = setting(80.0, le=100)
    names: list[str] = setting([])
    token: str = setting("", secret=True)
    out: Target[Reading]
    ask: Target[Reading, Verdict] | None

    def on_start(self) -> None: ...

    async def on_stop(self) -> None: ...

    async def loop(self) -> None: ...

    @handler
    def on_reading(self, reading: Reading, note: str = "") -> Verdict:
        """Judge a reading."""
        return Verdict(reading.value < self.limit)

    @subscribe
    async def on_reset(self, reset: Reset) -> None: ...

    @handler
    async def on_any(self, body: Any) -> Any: ...

    @every("2s", initial="1m")
    @action(name="poll-now")
    async def poll(self) -> None: ...

    @cron("*/5 * * * *", zone="Europe/Vienna")
    def tidy(self) -> None: ...

    @get("/readings/{sensor}")
    @get("/r/{sensor:path}", status=203)
    async def read(self, sensor: str, limit: int = 3) -> list[Reading]:
        return [Reading(limit)]

    @action
    def reset(self) -> str:
        return "done"


# Entries ------------------------------------------------------------------------------------------------------


def test_handlers() -> None:
    reading, reset, anything = spec_of(Everything).handlers
    assert (reading.name, reading.accepts, reading.replies, reading.doc) == (
        "on_reading",
        Reading,
        Verdict,
        "Judge a reading.",
    )
    assert (reading.blocking, reading.subscribes) == (True, False)
    assert (reset.accepts, reset.replies, reset.blocking, reset.subscribes) == (Reset, None, False, True)
    assert (anything.accepts, anything.replies) == (Any, Any)


def test_schedules() -> None:
    poll, tidy = spec_of(Everything).schedules
    assert (poll.name, poll.every, poll.initial, poll.cron, poll.blocking) == ("poll", 2.0, 60.0, None, False)
    assert (tidy.name, tidy.every, tidy.cron, tidy.zone, tidy.blocking) == (
        "tidy",
        None,
        "*/5 * * * *",
        "Europe/Vienna",
        True,
    )


def test_routes_have_a_signature_of_types_without_self() -> None:
    first, second = spec_of(Everything).routes
    assert [(route.method, route.path, route.status) for route in (first, second)] == [
        ("GET", "/readings/{sensor}", 200),
        ("GET", "/r/{sensor:path}", 203),
    ]
    signature = inspect.signature(first.signature)
    assert {name: parameter.annotation for name, parameter in signature.parameters.items()} == {
        "sensor": str,
        "limit": int,
    }
    assert signature.return_annotation == list[Reading]
    assert typing.get_type_hints(first.signature) == {"sensor": str, "limit": int, "return": list[Reading]}


def test_actions_and_combined_marks() -> None:
    poll, reset = spec_of(Everything).actions
    assert (poll.name, poll.blocking) == ("poll-now", False)
    assert (reset.name, reset.blocking) == ("reset", True)
    assert not inspect.signature(reset.signature).parameters


def test_targets_settings_lifecycle_and_the_rest() -> None:
    policies = Policies(pool=PoolPolicy(size=2))
    spec = spec_of(Everything(limit=75), "judge", policies=policies, settings={"names": "a,b", "token": "hunter2"})
    assert spec.targets == (
        TargetSpec(name="out", request=Reading),
        TargetSpec(name="ask", request=Reading, reply=Verdict, optional=True),
    )
    assert spec.settings == {"limit": 75.0, "names": ["a", "b"], "token": Secret("hunter2")}
    assert "hunter2" not in repr(spec)
    assert (spec.name, spec.dialect, spec.policies) == ("judge", "native", policies)
    assert spec.doc == "What a service can have.\n\nIn two paragraphs."
    assert spec.start is not None
    assert spec.stop is not None
    assert spec.main is not None
    assert (spec.start.blocking, spec.stop.blocking, spec.main.blocking) == (True, False, False)
    assert spec.code == f"{__name__}:Everything"
    assert spec.origin.partition(":")[0].endswith("test_native.py")


def test_a_bare_service_has_none_of_it() -> None:
    class Bare(Service):
        pass

    spec = spec_of(Bare)
    assert (spec.handlers, spec.schedules, spec.routes, spec.actions, spec.targets) == ((), (), (), (), ())
    assert (spec.start, spec.stop, spec.main, spec.doc, spec.code) == (None, None, None, "", "")
    assert spec.stateful is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [("MachineMonitor", "machine-monitor"), ("HTTPGate2", "http-gate2"), ("Cpu", "cpu"), ("_Private", "private")],
)
def test_the_name_comes_from_the_class(name: str, expected: str) -> None:
    assert spec_of(type(name, (Service,), {})).name == expected


@pytest.mark.parametrize("name", ["Alarm", "a b", "1a", "a/b", "é", "a" * 101])
def test_a_name_that_cannot_be_in_an_address_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Everything: .* cannot be a name. Use small letters.*for example"):
        spec_of(Everything, name)


def test_a_union_of_classes_is_a_handler_for_each() -> None:
    class Both(Service):
        @handler
        async def on(self, body: Reading | Reset) -> None: ...

        @handler
        async def plain(self, body: int | str) -> None: ...

    assert [(h.name, h.accepts) for h in spec_of(Both).handlers] == [
        ("on", Reading),
        ("on", Reset),
        ("plain", int | str),
    ]


def test_every_method_of_http() -> None:
    class Web(Service):
        @get("/")
        @post("/")
        @put("/")
        @patch("/")
        @delete("/", status=204)
        def all(self) -> None: ...

    assert [(r.method, r.status) for r in spec_of(Web).routes] == [
        ("GET", 200),
        ("POST", 200),
        ("PUT", 200),
        ("PATCH", 200),
        ("DELETE", 204),
    ]


def test_marks_work_with_parentheses_and_around_other_decorators() -> None:
    class Marked(Service):
        @handler()
        @timed
        async def on_reading(self, reading: Reading) -> None: ...

        @subscribe()
        @timed
        def on_reset(self, reset: Reset) -> None: ...

        @action()
        def reset(self) -> None: ...

    spec = spec_of(Marked)
    assert [(h.accepts, h.blocking, h.subscribes) for h in spec.handlers] == [
        (Reading, False, False),
        (Reset, True, True),
    ]
    assert [a.name for a in spec.actions] == ["reset"]


def test_types_of_a_class_in_a_function_are_found() -> None:
    @dataclass
    class Local:
        x: int

    class Inner(Service):
        out: Target[Local]

        @handler
        def on(self, body: Local) -> Local:
            return body

    spec = spec_of(Inner)
    assert (spec.handlers[0].accepts, spec.targets[0].request) == (Local, Local)


# Inheritance --------------------------------------------------------------------------------------------------


class Base(Service):
    unit: str = setting("percent")
    out: Target[Reading]

    @handler
    def on_reading(self, reading: Reading) -> str:
        return "base"

    @every("1s")
    def poll(self) -> None: ...


def test_a_subclass_has_what_its_bases_have() -> None:
    class Derived(Base):
        limit: float = setting(1.0)

        def on_reading(self, reading: Reading) -> str:
            return f"derived {super().on_reading(reading)}"

        poll = None  # type: ignore[assignment]

    spec = spec_of(Derived(unit="C"))
    assert spec.settings == {"unit": "C", "limit": 1.0}
    assert [target.name for target in spec.targets] == ["out"]
    assert not spec.schedules
    assert spec.handlers[0].bind(build(spec))(Reading(1)) == "derived base"


# Instances ----------------------------------------------------------------------------------------------------


def test_each_instance_is_its_own() -> None:
    spec = spec_of(Everything(limit=75, names=["a"], token="hunter2"))
    port = TablePort({"out": ["alarm"]})
    first, second = build(spec, port), build(spec, port, slot=1)
    assert type(first) is Everything
    assert (first.limit, first.token, first.name) == (75.0, "hunter2", "everything")
    first.names.append("b")
    assert second.names == ["a"]
    assert first.ask is None
    first.out.send(Reading(1))
    assert port.handed == [("flow/alarm", Reading(1), {})]
    assert spec.handlers[0].bind(first)(Reading(1)) == Verdict(True)
    assert first.log is port.log
    assert first.target("other", Reading).addresses == ("flow/other",)
    with pytest.raises(UnknownTarget):
        first.target("nobody", Reading)


def test_a_blueprint_is_not_touched_and_its_later_values_count() -> None:
    blueprint = Everything()
    blueprint.limit = 50.0
    spec = spec_of(blueprint)
    assert build(spec).limit == 50.0
    blueprint.limit = 500.0
    with pytest.raises(SettingError, match=r"everything.limit: 500.0 is above the maximum of 100"):
        spec_of(blueprint)


def test_a_setting_given_by_the_flow_wins_and_names_its_line() -> None:
    assert spec_of(Everything(limit=75), settings={"limit": "60"}).settings["limit"] == 60.0
    with pytest.raises(SettingError, match=r'judge.limit \(flow.yaml:12\): expected float, got "high"'):
        spec_of(Everything, "judge", settings={"limit": "high"}, places={"limit": "flow.yaml:12"})


def test_a_constructor_of_ones_own_runs_for_each_instance_when_all_is_in_place() -> None:
    class Own(Service):
        limit: float = setting(80.0)
        out: Target[Reading]

        def __init__(self, start: int, **settings: Any) -> None:
            super().__init__(**settings)
            self.seen = [start, self.limit]
            self.leads = self.out.addresses if hasattr(self.out, "addresses") else ()

    spec = spec_of(Own(5, limit=3), settings={"limit": 4})
    made = build(spec, TablePort({"out": ["a"]}))
    assert made.seen == [5, 4.0]
    assert made.leads == ("flow/a",)
    with pytest.raises(
        ConfigurationError, match=r"Own.__init__ \(test_native.py:\d+\): .*'start'.*Own\(...\), not the"
    ):
        spec_of(Own)


def test_a_class_is_not_constructed_to_look_at_it() -> None:
    class Effect(Service):
        def __init__(self) -> None:
            raise AssertionError("constructed")

    assert spec_of(Effect).name == "effect"


# State --------------------------------------------------------------------------------------------------------


class InMethod(Service):
    @handler
    def on(self, body: Reading) -> None:
        self.state["n"] = 1


class InLambda(Service):
    def helper(self) -> Any:
        return [lambda: self.state.get("n")]


class InBase(InMethod):
    pass


class OfAnother(Service):
    machine: Any = None

    @handler
    def on(self, body: Reading) -> None:
        self.machine.state = 1
        print(self.machine.state)


@pytest.mark.parametrize(("cls", "stateful"), [(InMethod, True), (InLambda, True), (InBase, True), (OfAnother, False)])
def test_a_spec_tells_whether_state_is_used(cls: type[Service], stateful: bool) -> None:
    assert spec_of(cls).stateful is stateful


# Wrong use ----------------------------------------------------------------------------------------------------


def service(**members: Any) -> type[Service]:
    return type("Alarm", (Service,), members)


def no_type(self: Any, reading) -> None: ...  # type: ignore[no-untyped-def]
def no_body(self: Any) -> None: ...
def two_bodies(self: Any, a: Reading, b: Reset) -> None: ...
def keyword(self: Any, *, body: Reading) -> None: ...
def unknown_type(self: Any, reading: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
def good(self: Any, reading: Reading) -> None: ...
def parts(self: Any, reading: Reading) -> Any:
    yield 1


def f(function: Any) -> Any:
    """A copy: marks stay on what they mark."""
    copy = types.FunctionType(function.__code__, function.__globals__, function.__name__)
    copy.__annotations__ = dict(function.__annotations__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@pytest.mark.parametrize(
    ("members", "texts"),
    [
        (
            {"on": handler(f(no_type))},
            ["no_type (test_native.py:", "reading has no type", "Write for example def on(self, "],
        ),
        ({"on": handler(f(no_body))}, ["no_body (", "exactly one parameter, the body, and this one takes none"]),
        (
            {"on": handler(f(two_bodies))},
            ["two_bodies (", "this one takes a, b", "Write def on(self, reading: Reading)."],
        ),
        ({"on": handler(f(keyword))}, ["keyword (", "exactly one parameter"]),
        (
            {"on": handler(f(unknown_type))},
            ["unknown_type (", "'Nowhere' cannot be read", "outside `if TYPE_CHECKING:`"],
        ),
        ({"on": handler(f(parts))}, ["parts (", "`yield`", "send each part to a target"]),
        ({"a": handler(f(good)), "b": handler(f(good))}, ["good (", "a handles Reading already", "Keep one handler"]),
        ({"on": staticmethod(handler(f(no_body)))}, ["Alarm.on: marks are for plain methods", "with self"]),
        (
            {"poll": every("soon")(f(no_body))},
            ["no_body (", "@every: 'soon' is not a duration", 'Write for example @every("2s")'],
        ),
        ({"poll": every(0)(f(no_body))}, ["no_body (", "needs time between two calls, got 0"]),
        ({"poll": every("2s", initial="later")(f(no_body))}, ["no_body (", "initial=: 'later' is not a duration"]),
        ({"poll": every("2s")(f(good))}, ["good (", "called without arguments, and this method needs reading"]),
        (
            {"poll": cron("* * *")(f(no_body))},
            ["no_body (", "'* * *' is not a schedule", 'for example @cron("*/5 * * * *")'],
        ),
        ({"poll": cron("0 0 30 2 *")(f(no_body))}, ["no_body (", "is not a schedule"]),
        (
            {"poll": cron("* * * * *", zone="Mars/Base")(f(no_body))},
            ["'Mars/Base' is not a time zone", 'zone="Europe/Vienna"'],
        ),
        ({"read": get("/a/{sensor}")(f(no_body))}, ["no_body (", "{sensor}", "Add the parameter sensor: str."]),
        ({"a": get("/x")(f(no_body)), "b": get("/x")(f(no_body))}, ["a answers GET /x already", "another path"]),
        (
            {"a": action(name="x")(f(no_body)), "b": action(name="x")(f(no_body))},
            ['an action "x" already', "another name"],
        ),
        ({"loop": good}, ["good (", "called without arguments", "Write def loop(self)."]),
        ({"on_start": parts}, ["parts (", "called without arguments"]),
    ],
)
def test_a_wrong_use_names_the_method_and_the_way_out(members: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        spec_of(service(**members))
    for text in texts:
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("use", "texts"),
    [
        (lambda: handler(Reading), ["@handler marks a function, got <class", "line above `def`"]),
        (lambda: handler(staticmethod(no_body)), ["@handler marks a function, got <staticmethod"]),
        (lambda: every(no_body), ["no_body (test_native.py:", "@every needs an interval, got nothing", '@every("2s")']),
        (lambda: every(None), ["@every needs an interval, got None"]),
        (lambda: cron(no_body), ["no_body (", "@cron needs five fields"]),
        (lambda: cron(5), ["@cron needs five fields, got 5"]),
        (lambda: get(no_body), ["no_body (", "@get needs a path that begins with /", '@get("/alarms/{sensor}")']),
        (lambda: post("alarms"), ["@post needs a path that begins with /, got 'alarms'"]),
        (lambda: action("reset"), ["@action('reset') is not clear", 'Write @action(name="reset")']),
    ],
)
def test_a_mark_that_cannot_be_meant_is_refused_where_it_stands(use: Callable[[], Any], texts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        use()
    for text in texts:
        assert text in str(caught.value)


def test_the_envelope_is_no_body() -> None:
    from junctor.messages import Message

    def on(self: Any, message: Message) -> None: ...

    on.__annotations__["message"] = Message
    with pytest.raises(ConfigurationError, match="Message is the envelope.*self.message"):
        spec_of(service(on=handler(on)))


def test_a_target_whose_type_is_for_checkers_only() -> None:
    class Broken(Service):
        out: Target[Nowhere]  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(ConfigurationError, match=r"Broken.out: the annotation 'Target\[Nowhere\]' cannot be read"):
        spec_of(Broken)


def test_an_abstract_class_can_be_looked_at() -> None:
    class Abstract(Service, abc.ABC):
        @handler
        @abc.abstractmethod
        def on(self, body: Reading) -> None: ...

    assert spec_of(Abstract).handlers[0].accepts is Reading
