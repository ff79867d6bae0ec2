"""A flow written as a file: loading it again gives the same plan, and no secret is in it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from junctor.core.policy import HoldPolicy, Policies, PoolPolicy, QueuePolicy, RestartPolicy, RetryPolicy
from junctor.errors import ConfigurationError
from junctor.flows import FlowModel, Overrides, Wiring, load, wire
from junctor.flows.files.written import flow_yaml
from junctor.http.settings import ApiKey, Cors, HttpSettings, Tls
from junctor.settings import Secret
from tests.unit.flows.conftest import Write

TEXTS = [
    "",
    "on",
    "12:30",
    "010",
    "a: b",
    "${X}",
    "$$",
    "$",
    "ä\u2028",
    "# no",
    "'",
    '"',
    "- x",
    "null",
    " x ",
    "a\nb\n",
    "1e3",
]


def told(wiring: Wiring) -> Any:
    """What of a plan a file has to keep."""
    return {
        plan.spec.name: (
            {name: shown(value) for name, value in plan.spec.settings.items()},
            plan.spec.policies,
            [(s.name, s.every, s.cron, s.zone, s.initial) for s in plan.spec.schedules],
            {
                target: [(wire.to, wire.when and wire.when.text) for wire in wires]
                for target, wires in plan.connect.items()
            },
            (plan.spec.isolation, plan.spec.loop, plan.spec.code),
        )
        for plan in wiring.plan.services
    }


def shown(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def again(wiring: Wiring, **overrides: Any) -> Wiring:
    Path("again.yaml").write_text(flow_yaml(wiring))
    return wire(load("again.yaml", Overrides(**overrides)))


def modules(plant: Write) -> tuple[Any, Any]:
    wire(load("flow.yaml"))
    alarm = import_module("alarm")
    monitor = import_module("monitor")

    return monitor, alarm


def test_the_text(plant: Write) -> None:
    monitor, alarm = modules(plant)
    flow = FlowModel("plant").add(monitor.Monitor).add(alarm.Alarm(limit=75), pool=4, key="sensor", timeout="1m")
    assert flow_yaml(wire(flow)) == (
        "flow: plant\n"
        "services:\n"
        "  monitor:\n"
        "    class: monitor:Monitor\n"
        "    connect: {readings: alarm}\n"
        "  alarm:\n"
        "    class: alarm:Alarm\n"
        "    settings: {limit: 75.0}\n"
        "    pool: 4\n"
        "    key: sensor\n"
        "    timeout: 60.0\n"
    )


def test_a_file_comes_back_as_it_is_written(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very-secret-value")
    monkeypatch.setenv("HOOK", "https://hook.example/very-secret-hook")
    plant(
        "some.yaml",
        """
        flow: some
        services:
          monitor:
            class: monitor:Monitor
            connect: {readings: [{to: alarm, when: 'body.sensor == "$$5"'}, other]}
            schedules: {poll: 5s, report: false}
          alarm: {class: alarm:Alarm, settings: {token: "${secret:TOKEN}", limit: "${LIMIT:-75}", label: "$${x}"}}
          other: {class: alarm:Alarm, retry: {backoff: constant}, isolate: worker}
          off: {class: nowhere:Off, settings: {a: "${NOT_SET}"}, enabled: false}
        http: {keys: [{name: a, secret: "${secret:TOKEN}"}]}
        alerts: [{when: {parked: 1}, send: {webhook: "${HOOK}"}}]
        """,
    )
    wiring = wire(load("some.yaml"))
    text = flow_yaml(wiring)
    assert "very-secret" not in text
    for reference in ("${secret:TOKEN}", "${LIMIT:-75}", "${HOOK}", "${NOT_SET}"):
        assert reference in text
    back = again(wiring)
    assert told(back) == told(wiring)
    assert (back.model.http, back.model.alerts[0].send) == (wiring.model.http, wiring.model.alerts[0].send)
    assert list(back.model.disabled) == ["off"]
    assert flow_yaml(back) == text


def test_a_secret_of_python_becomes_a_reference(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor, alarm = modules(plant)
    keys = (ApiKey(name="app", secret="very-secret-of-this-app"),)
    http = HttpSettings(keys=keys, cors=Cors(origins=("*",)), port=80)
    flow = FlowModel("x", http=http).add(alarm.Alarm(token="very-secret-value", key=Secret("very-secret-other")))
    text = flow_yaml(wire(flow))
    assert "very-secret" not in text
    assert text.startswith("# Give the secret ALARM_TOKEN: it is not in this file.\n")
    for name, value in (("ALARM_TOKEN", "value"), ("ALARM_KEY", "other"), ("HTTP_APP", "of-this-app")):
        monkeypatch.setenv(name, f"very-secret-{value}")
    back = again(wire(flow))
    assert told(back) == told(wire(flow))
    assert back.model.http == http


def test_a_script_in_another_folder(plant: Write) -> None:
    head = "from junctor import Service, every, setting\nclass Deep(Service):\n    n: int = setting(1)\n"
    plant("deep/main.py", f"{head}    @every('1s')\n    def go(self): ...")
    plant("deep/funcs.py", "from junctor import every, setting\nn: int = setting(1)\n@every('1s')\ndef go(): ...")
    flow = FlowModel("deep").add(load("deep/main.py").services[0].source, settings={"n": 4})
    flow.add(load("deep/funcs.py").services[0].source, settings={"n": 5})
    text = flow_yaml(wire(flow))
    assert "deep/main.py:Deep" in text and "deep/funcs.py" in text
    assert told(again(wire(flow))) == told(wire(flow))


def test_what_cannot_be_written_says_so(plant: Write) -> None:
    from junctor import Service, every

    class Inside(Service):
        @every("1s")
        def go(self) -> None: ...

    class Made(Service):
        def __init__(self, number: int) -> None:
            super().__init__()

        @every("1s")
        def go(self) -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        flow_yaml(wire(FlowModel().add(Inside).add(Made(3)).add(Inside().__class__(), "x")))
    assert "inside: the class Inside is defined in a function. Define it in a module" in str(caught.value)
    assert "made: Made(...) has a constructor of its own, and a file cannot hold its arguments." in str(caught.value)


# Property -----------------------------------------------------------------------------------------------------


def any_flow(monitor: Any, alarm: Any, dice: random.Random) -> FlowModel:
    flow = FlowModel(dice.choice(["plant", "a-b_c"]))
    names = [f"alarm-{number}" for number in range(dice.randint(1, 4))]
    for name in names:
        service = alarm.Alarm(**any_settings(dice)) if dice.random() < 0.5 else alarm.Alarm
        given = any_settings(dice) if dice.random() < 0.3 else None
        flow.add(service, name, settings=given, enabled=name == names[0] or dice.random() < 0.9, **any_policies(dice))
    on = [item.name for item in flow.services]
    for number in range(dice.randint(0, 2)):
        to = dice.sample(on, dice.randint(1, len(on)))
        wires: list[Any] = [any_wire(dice, name) for name in to]
        schedules = {name: any_schedule(dice) for name in ("poll", "report") if dice.random() < 0.5}
        flow.add(monitor.Monitor, f"m{number}", connect={"readings": wires}, schedules=schedules)
    return flow


def maybe(dice: random.Random, **makers: Callable[[], Any]) -> dict[str, Any]:
    return {name: make() for name, make in makers.items() if dice.random() < 0.4}


def any_settings(dice: random.Random) -> dict[str, Any]:
    return maybe(
        dice,
        limit=lambda: dice.choice([0, 0.1, 99.5, "3", 1e-7]),
        label=lambda: dice.choice(TEXTS),
        wait=lambda: dice.choice([0, 0.25, "1h30m"]),
        mode=lambda: dice.choice(["on", "off", "auto"]),
        file=lambda: dice.choice([None, Path("a b"), "$x"]),
        count=lambda: dice.choice([0, -5, 10**12]),
        loud=lambda: dice.choice([True, False]),
        anything=lambda: dice.choice([None, 1, "on", [1, {"a": None}], {"x": TEXTS}]),
        names=lambda: {text: [text] for text in dice.sample(TEXTS, 2)},
    )


def any_policies(dice: random.Random) -> dict[str, Any]:
    return maybe(
        dice,
        pool=lambda: dice.choice([1, 4, PoolPolicy(size=2, calls=5), {"calls": 3}]),
        key=lambda: "sensor",
        order=lambda: dice.choice(["strict", "skip"]),
        retry=lambda: dice.choice(
            [RetryPolicy(attempts=1, on={"A.b": "park"}), {"backoff": "constant"}, {"max": "1d"}]
        ),
        hold=lambda: HoldPolicy(initial=dice.random()),
        restart=lambda: RestartPolicy(limit=dice.randint(0, 9)),
        queue=lambda: dice.choice([5, QueuePolicy(bytes=7, wait=0), {"limit": 3}]),
        durability=lambda: dice.choice(["fsync", "written"]),
        trace=lambda: dice.choice(["all", "failures", "off"]),
        timeout=lambda: dice.choice([1, "never", 0.5]),
        isolate=lambda: dice.choice(["node", "worker"]),
        loop=lambda: dice.choice(["shared", "own"]),
    )


def any_wire(dice: random.Random, to: str) -> Any:
    conditions = ['body.sensor == "a"', "body.value > 1.0 || true", 'body.sensor == "${x} $$ # :"']
    return to if dice.random() < 0.5 else {"to": to, "when": dice.choice(conditions)}


def any_schedule(dice: random.Random) -> Any:
    cron = {"cron": "0 6 * * 1-5", "zone": "Europe/Berlin"}
    return dice.choice([False, "5s", 0.5, {"every": 3, "initial": "1s"}, {"cron": "* * * * *"}, cron])


@pytest.mark.parametrize("seed", range(40))
def test_any_flow_comes_back(plant: Write, seed: int) -> None:
    wiring = wire(any_flow(*modules(plant), random.Random(seed)))
    back = again(wiring)
    assert told(back) == told(wiring), f"seed {seed}:\n{flow_yaml(wiring)}"
    assert set(back.model.disabled) == set(wiring.model.disabled)
    assert flow_yaml(again(back)) == flow_yaml(back)


def test_defaults_are_left_out(plant: Write) -> None:
    monitor, alarm = modules(plant)
    flow = FlowModel("x").add(alarm.Alarm(limit=80), pool=1, retry=RetryPolicy(), timeout=30)
    assert flow_yaml(wire(flow)) == "flow: x\nservices:\n  alarm: {class: 'alarm:Alarm'}\n"
    assert Policies().timeout != math.inf


def test_sections_of_python_in_the_words_of_a_file(plant: Write) -> None:
    _, alarm = modules(plant)
    rule = {"when": {"parked": 1, "silent": "1m"}, "send": {"webhook": "https://x.example/${a}"}}
    flow = FlowModel("x", http={"port": 80, "body": "1MiB", "cors": {"origins": ["*"]}}, alerts=[rule]).add(alarm.Alarm)
    assert flow.http == HttpSettings(port=80, body=1 << 20, cors=Cors(origins=("*",)))
    back = again(wire(flow)).model
    assert back.http == flow.http
    assert [(one.when, one.send) for one in back.alerts] == [(one.when, one.send) for one in flow.alerts]
    with pytest.raises(ConfigurationError) as caught:
        FlowModel("x", http={"prt": 80}, alerts=[{"when": {"parkd": 1}, "send": {"email": "a@b"}}])
    assert 'http.prt: there is no such word. Did you mean "port"?' in str(caught.value)
    assert 'alerts[0].when.parkd: there is no such word. Did you mean "parked"?' in str(caught.value)


def test_http_of_python(plant: Write) -> None:
    _, alarm = modules(plant)
    http = HttpSettings(path="/a", body=5, tls=Tls(certificate="c", key="k"), hosts=("${x}",), docs=False)
    assert again(wire(FlowModel("x", http=http).add(alarm.Alarm))).model.http == http


RICH = """
    import datetime, enum
    from dataclasses import dataclass, field
    import msgspec
    from junctor import Service, every, setting
    from junctor.settings import Duration, Secret

    class Color(enum.Enum):
        RED = "red"
        ON = "on"

    @dataclass
    class Point:
        x: float
        name: str = "p"
        tags: list[str] = field(default_factory=list)

    class Part(msgspec.Struct, rename="camel"):
        some_name: str
        wait: Duration = 1.0

    class Rich(Service):
        point: Point = setting(Point(1.0))
        points: list[Point] = setting([])
        color: Color = setting(Color.RED)
        delta: datetime.timedelta = setting("1s")
        day: datetime.date | None = setting(None)
        pair: tuple[str, int] = setting(("a", 1))
        many: set[int] = setting({1})
        part: Part | None = setting(None)
        mix: int | str = setting(1)
        by: dict[int, str] = setting({})
        keys: dict[str, Secret] = setting({})

        @every("1s")
        def go(self): ...
"""


def test_settings_of_many_types(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("riches.py", RICH)
    plant(
        "some.yaml",
        """
        services:
          rich:
            class: riches:Rich
            settings:
              point: {x: 2, name: "on", tags: ["no"]}
              points: [{x: "3"}, {x: 4.5}]
              color: "ON"
              delta: 1m
              day: 2026-01-02
              pair: [b, 2]
              many: "1, 2"
              part: {someName: x, wait: 2s}
              mix: "5"
              by: {1: a}
        """,
    )
    monkeypatch.setenv("MADE_KEYS_1", "very-secret-value")
    wiring = wire(load("some.yaml"))
    rich = import_module("riches")
    made = wiring.plan.services[0].spec.settings
    assert (made["point"], made["points"][0]) == (rich.Point(2.0, "on", ["no"]), rich.Point(3.0))
    assert (made["color"], made["pair"], made["many"], made["mix"]) == (rich.Color.ON, ("b", 2), {1, 2}, "5")
    assert made["part"] == rich.Part("x", 2.0)
    flow = FlowModel("x").add(rich.Rich(**{**made, "keys": {"a": "very-secret-value"}}), "made")
    text = flow_yaml(wire(flow))
    assert "very-secret" not in text and "a: ${secret:MADE_KEYS_1}" in text.replace("'", "")
    for one in (wiring, wire(flow)):
        assert again(one).plan.services[0].spec.settings == one.plan.services[0].spec.settings


def test_quotes_are_asked_for_inside_of_settings_too(plant: Write) -> None:
    plant("riches.py", RICH)
    for text, word in (("point: {x: 1, name: on}", "on"), ("points: [{x: 1, tags: [no]}]", "no"), ("by: {1: 5}", "5")):
        plant("bad.yaml", f"services: {{rich: {{class: riches:Rich, settings: {{{text}}}}}}}")
        with pytest.raises(ConfigurationError, match=f'Put it in quotes: "{word}".'):
            wire(load("bad.yaml"))
