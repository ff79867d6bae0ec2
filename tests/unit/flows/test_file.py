"""Flow files as users write them: what runs, and the same in Python."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor import Flow, when
from junctor.core.condition import Condition
from junctor.core.policy import Policies, PoolPolicy, RetryPolicy
from junctor.core.spec import Wire
from junctor.errors import ConfigurationError
from junctor.flows import FlowModel, Overrides, Wiring, load, wire
from junctor.http.settings import HttpSettings
from junctor.settings import Secret
from tests.unit.flows.conftest import FLOW, Write


def spec(wiring: Wiring, name: str) -> Any:
    return next(plan.spec for plan in wiring.plan.services if plan.spec.name == name)


def flow_with(plant: Write, alarm: str, **overrides: Any) -> Wiring:
    """The flow with these lines for ``alarm``, one a service key."""
    lines = "".join(f"        {line}\n" for line in alarm.strip().splitlines())
    head = "    services:\n      monitor: {class: monitor:Monitor}\n      alarm:\n        class: alarm:Alarm\n"
    plant("some.yaml", head + lines)
    return wire(load("some.yaml", Overrides(**overrides)))


def setting(plant: Write, text: str, name: str, **overrides: Any) -> Any:
    return spec(flow_with(plant, f"settings: {{{text}}}", **overrides), "alarm").settings[name]


def test_the_flow_of_the_design(plant: Write) -> None:
    wiring = wire(load("flow.yaml"))
    alarm = spec(wiring, "alarm")
    assert wiring.plan.name == "machine-monitor"
    assert alarm.settings["limit"] == 75.0
    assert alarm.policies == Policies(
        pool=PoolPolicy(size=4, key="sensor"),
        retry=RetryPolicy(attempts=5, initial=0.2, factor=2.0, max=30.0, on={"ConnectionError": "hold"}),
    )
    assert wiring.explain()[0] == "monitor.readings -> alarm (Reading, by name)"
    assert wiring.model.http == HttpSettings(host="127.0.0.1", port=8080)
    assert wiring.model.alerts[0].when.parked == 1
    webhook = wiring.model.alerts[0].send[0].webhook
    assert webhook is not None and webhook.url == "http://localhost"
    assert wiring.model.source is not None
    assert [file.name for file in wiring.model.source.files] == ["flow.yaml"]


def test_the_same_flow_in_python(plant: Write) -> None:
    from_file = wire(load("flow.yaml"))
    alarm = import_module("alarm")
    monitor = import_module("monitor")

    flow = Flow("machine-monitor", http=HttpSettings(host="127.0.0.1", port=8080))
    flow.add(monitor.Monitor(), connect={"readings": "alarm"})
    retry = {
        "attempts": 5,
        "backoff": "exponential",
        "initial": "200ms",
        "max": "30s",
        "on": {"ConnectionError": "hold"},
    }
    flow.add(alarm.Alarm(limit=75), pool=4, key="sensor", retry=retry)
    made = wire(flow)
    for name in ("monitor", "alarm"):
        mine, theirs = spec(made, name), spec(from_file, name)
        assert (mine.policies, mine.settings) == (theirs.policies, theirs.settings)
    assert [plan.connect for plan in made.plan.services] == [plan.connect for plan in from_file.plan.services]
    assert flow.http == from_file.model.http


@pytest.mark.parametrize("name", ["flow.yaml", "flow.yml"])
def test_a_folder_stands_for_its_flow_file(plant: Write, name: str) -> None:
    Path("flow.yaml").unlink()
    plant(name, FLOW)
    plant("flow.py", "raise SystemExit('not this one')")
    assert load(".").name == "machine-monitor"
    plant("elsewhere/readme", "")
    with pytest.raises(ConfigurationError, match="a flow file is run as a whole"):
        load(f"{name}:alarm")


@pytest.mark.parametrize(
    ("file", "name"),
    [("line-1.yaml", "line-1"), ("flow.yaml", "plant"), ("Line 2.yml", "line-2"), ("3.yaml", "flow-3")],
)
def test_a_file_without_a_name_gives_its_own(plant: Write, file: str, name: str) -> None:
    plant(file, "services: {monitor: {class: monitor:Monitor}}")
    assert load(file).name == name
    assert load(file, Overrides(name="other")).name == "other"


def test_from_file(plant: Write) -> None:
    plant("site.yaml", "services: {alarm: {pool: 2}}")
    flow = Flow.from_file("flow.yaml", overlays=["site.yaml"], set={"alarm.limit": 60})
    assert isinstance(flow, Flow)
    alarm = spec(wire(flow), "alarm")
    assert (alarm.policies.pool.size, alarm.settings["limit"]) == (2, 60.0)


# Classes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["alarm:Alarm", "lib.bells:Bell", "lib/bells.py:Bell", "horn", "alarm.py:Alarm", "made:one"]
)
def test_how_a_class_is_named(plant: Write, text: str) -> None:
    plant("lib/__init__.py", "")
    plant(
        "lib/bells.py",
        "from junctor import Service, every\nclass Bell(Service):\n    @every('1s')\n    def ring(self): ...",
    )
    plant("horn.py", "from junctor import every\n@every('1s')\ndef blow(): ...")
    plant("made.py", "from alarm import Alarm\none = Alarm(limit=7)")
    plant("some.yaml", f"services: {{it: {{class: '{text}'}}}}")
    wiring = wire(load("some.yaml"))
    assert spec(wiring, "it").name == "it"
    if text == "made:one":
        assert spec(wiring, "it").settings["limit"] == 7.0


def test_classes_are_looked_for_in_the_folder_of_the_file_first(plant: Write) -> None:
    plant(
        "deep/below/monitor.py",
        "from junctor import Service, every\nclass Low(Service):\n    @every('1s')\n    def go(self): ...",
    )
    plant("deep/below/low.yaml", "services: {low: {class: monitor:Low}}")
    wire(load("flow.yaml"))
    assert spec(wire(load("deep/below/low.yaml")), "low").schedules[0].name == "go"
    assert spec(wire(load("flow.yaml")), "monitor").schedules[0].name == "poll"


@pytest.mark.parametrize("kind", ["file", "package"])
def test_two_folders_with_modules_of_the_same_names(plant: Write, kind: str) -> None:
    for folder, word in (("a", "first"), ("b", "second"), ("c", "third")):
        inner = f"{folder}/bo/__init__.py" if kind == "package" else f"{folder}/bo.py"
        plant(
            inner,
            "from dataclasses import dataclass\nfrom junctor import Service, handler, setting\nimport common\n"
            "@dataclass\nclass Order:\n    number: int\n"
            f"class Work(Service):\n    word: str = setting('{word}')\n"
            "    @handler\n    def on(self, order: 'Order') -> 'Order': return order\n    said = common.SAID\n",
        )
        plant(f"{folder}/common.py", f"SAID = '{word}'")
        plant(f"{folder}/flow.yaml", f"flow: {folder}\nservices: {{work: {{class: bo:Work}}}}")
    for _ in range(2):  # a second time, what is loaded is found
        wirings = [wire(load(f"{folder}/flow.yaml")) for folder in "abc"]
        for wiring, word in zip(wirings, ("first", "second", "third"), strict=True):
            work = spec(wiring, "work")
            (item,) = wiring.model.services
            assert (work.settings["word"], item.source.said) == (word, word)
            assert work.handlers[0].accepts.__module__ == item.source.__module__
    classes = [wiring.model.services[0].source for wiring in wirings]
    assert len(set(classes)) == 3
    assert [wire(load(f"{folder}/flow.yaml")).model.services[0].source for folder in "abc"] == classes


def test_a_module_is_known_to_workers_by_its_file(plant: Write) -> None:
    for folder in "ab":
        plant(
            f"{folder}/bo.py",
            "from junctor import Service, every\nclass W(Service):\n    @every('1s')\n    def go(self): ...",
        )
        plant(f"{folder}/flow.yaml", "services: {w: {class: bo:W}}")
    for folder in "ab":
        assert spec(wire(load(f"{folder}/flow.yaml")), "w").code == f"{Path(folder, 'bo.py').resolve()}:W"


# Settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("limit: ${OTHER:-75}", "limit", 75.0),
        ("limit: ${NONE:-${LIMIT}}", "limit", 50.0),
        ("limit: '${LIMIT}'", "limit", 50.0),
        ("label: '${HOST}:${PORT:-80}'", "label", "pump:80"),
        ("label: '$$5 and $${LIMIT} $x $'", "label", "$5 and ${LIMIT} $x $"),
        ("label: '${EMPTY:-filled}${EMPTY}'", "label", "filled"),
        ("loud: ${LOUD:-yes}", "loud", True),
        ("loud: on", "loud", True),
        ("count: 1_000", "count", 1000),
        ("count: 0x1F", "count", 31),
        ("limit: 1e1", "limit", 10.0),
        ("wait: 1h30m", "wait", 5400.0),
        ("wait: 5", "wait", 5.0),
        ("mode: 'on'", "mode", "on"),
        ("mode: auto", "mode", "auto"),
        ("file: ~", "file", None),
        ("file: a.txt", "file", Path("a.txt")),
        ("label: 'on'", "label", "on"),
        ("label: !!str 12", "label", "12"),
        ("anything: {a: [1, true, x]}", "anything", {"a": [1, True, "x"]}),
        ("names: {on: [a, b]}", "names", {"on": ["a", "b"]}),
    ],
)
def test_settings(plant: Write, monkeypatch: pytest.MonkeyPatch, text: str, name: str, value: Any) -> None:
    for variable, content in (("LIMIT", "50"), ("HOST", "pump"), ("EMPTY", "")):
        monkeypatch.setenv(variable, content)
    assert spec(flow_with(plant, f"settings:\n  {text}"), "alarm").settings[name] == value


def test_variables_come_from_the_environment_then_from_files(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("one.env", "# remark\nexport LIMIT=10\nCOUNT='1'  # one\nWHO=one\n")
    plant("two.env", 'LIMIT=20 # two\nCOUNT="2"\n')
    plant("flow.env", "LIMIT=30\nWHO=flow\nLAST=flow\n")
    monkeypatch.setenv("COUNT", "3")
    text = "settings: {limit: '${LIMIT}', count: '${COUNT}', label: '${WHO} ${LAST}'}"
    plant("some.yaml", f"env_file: flow.env\nservices: {{alarm: {{class: alarm:Alarm, {text}}}}}")
    wiring = wire(load("some.yaml", Overrides(env_files=("one.env", "two.env"))))
    found = spec(wiring, "alarm").settings
    assert (found["limit"], found["count"], found["label"]) == (20.0, 3, "one flow")
    assert wiring.model.source is not None
    assert [file.name for file in wiring.model.source.files] == ["some.yaml", "flow.env", "one.env", "two.env"]


# Secrets ------------------------------------------------------------------------------------------------------


def test_where_secrets_come_from(plant: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def token() -> str:
        found: Secret = setting(plant, "token: '${secret:db-token}'", "token")
        return found.reveal()

    plant("secrets.env", "db-token=of-the-file\n".replace("db-token", "db_token") + "OTHER=x\n").chmod(0o600)
    with pytest.raises(
        ConfigurationError, match=r"some.yaml:5: there is no secret db-token. Give it as a file db-token"
    ):
        token()
    monkeypatch.setenv("DB_TOKEN", "of-the-environment")
    assert token() == "of-the-environment"
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "db-token").write_text("of-systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert token() == "of-systemd"


def test_the_order_of_the_places_of_secrets(plant: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("credentials", "run-secrets"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "TOKEN").write_text(f"{name}\r\n")
    plant("secrets.env", "TOKEN=file").chmod(0o600)
    monkeypatch.setenv("TOKEN", "environment")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    monkeypatch.setattr("junctor.flows.files.variables.RUN_SECRETS", tmp_path / "run-secrets")
    found = []
    for _ in range(3):
        found.append(setting(plant, "token: '${secret:TOKEN}'", "token").reveal())
        folder = "credentials" if len(found) == 1 else "run-secrets"
        (tmp_path / folder / "TOKEN").unlink(missing_ok=True)
    monkeypatch.delenv("TOKEN")
    found.append(setting(plant, "token: '${secret:TOKEN}'", "token").reveal())
    assert found == ["credentials", "run-secrets", "environment", "file"]
    (tmp_path / "run-secrets" / "TOKEN").mkdir()
    with pytest.raises(ConfigurationError, match=r"some.yaml:5: .*run-secrets/TOKEN: it is not a regular file"):
        setting(plant, "token: '${secret:TOKEN}'", "token")


def test_a_file_of_secrets_is_for_its_owner_only(plant: Write) -> None:
    path = plant("secrets.env", "TOKEN=of-the-file\n")
    path.chmod(0o640)
    with pytest.raises(ConfigurationError) as caught:
        setting(plant, "token: '${secret:TOKEN}'", "token")
    assert str(caught.value) == (
        "some.yaml:5: secrets.env: others may read this file of secrets: its mode is 0640. Run: chmod 600 secrets.env."
    )
    path.chmod(0o600)
    assert setting(plant, "token: '${secret:TOKEN}'", "token").reveal() == "of-the-file"
    assert setting(plant, "key: '${secret:TOKEN}'", "key").reveal() == "of-the-file"


def test_another_file_of_secrets(plant: Write) -> None:
    plant("safe/mine.env", "TOKEN=mine\n").chmod(0o600)
    plant(
        "some.yaml",
        "secrets_file: safe/mine.env\nservices: {a: {class: alarm:Alarm, settings: {token: '${secret:TOKEN}'}}}",
    )
    assert spec(wire(load("some.yaml")), "a").settings["token"].reveal() == "mine"


def test_secrets_do_not_show(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from junctor.observe.secrets import mask

    monkeypatch.setenv("TOKEN", "very-secret-value")
    wiring = flow_with(plant, "settings: {token: 'x${secret:TOKEN}'}")
    assert spec(wiring, "alarm").settings["token"].reveal() == "xvery-secret-value"
    assert "very-secret" not in repr(spec(wiring, "alarm").settings) + repr(wiring.explain())
    assert mask("it is very-secret-value") == "it is ***"
    with pytest.raises(ConfigurationError) as caught:
        flow_with(plant, "settings: {label: '${secret:TOKEN}'}")
    assert "a secret is given to a setting that would show it" in str(caught.value)
    assert "very-secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="a secret cannot be used here"):
        flow_with(plant, "timeout: '${secret:TOKEN}'")


@pytest.mark.parametrize(("header", "warned"), [("Authorization", True), ("Accept", False)])
def test_a_table_with_secrets_is_remarked_where_a_name_tells_and_is_not_shown(
    plant: Write, header: str, warned: bool
) -> None:
    text = f"services: {{a: {{adapter: http-out, settings: {{url: 'http://h/', headers: {{{header}: abcdef}}}}}}}}"
    plant("some.yaml", text)
    wiring = wire(load("some.yaml"))
    assert any("a secret stands in the file as text" in note for note in wiring.notes) == warned
    assert "abcdef" not in repr(spec(wiring, "a").settings["headers"])


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("token: abcdef", True),
        ("key: abcdef", True),
        ("token: '${T:-}'", False),
        ("token: 'sqlite:///abcdef.db'", False),
        ("token: 'postgresql://ann@host:5432/abcdef'", False),
        ("token: 'postgresql://ann:abcdef@host/shop'", True),
        ("token: 'mysql://host/shop?user=ann&password=abcdef'", True),
    ],
)
def test_a_secret_as_text_is_remarked(plant: Write, text: str, warned: bool) -> None:
    notes = flow_with(plant, f"settings: {{{text}}}").notes
    assert any("a secret stands in the file as text; write ${secret:ALARM_" in note for note in notes) == warned
    assert "abcdef" not in repr(notes)


# Connections, schedules, enabled ------------------------------------------------------------------------------


def test_conditions(plant: Write) -> None:
    plant(
        "some.yaml",
        """
        services:
          monitor:
            class: monitor:Monitor
            connect:
              readings:
                - {to: alarm, when: "body.value > ${LIMIT:-80.0}"}
                - other
          alarm: {class: alarm:Alarm}
          other: {class: alarm:Alarm}
        """,
    )
    plan = next(plan for plan in wire(load("some.yaml")).plan.services if plan.spec.name == "monitor")
    assert plan.connect["readings"] == (
        Wire("some/alarm", Condition("body.value > 80.0", "monitor.readings (some.yaml:7)")),
        Wire("some/other"),
    )


def test_conditions_in_python(plant: Write) -> None:
    wire(load("flow.yaml"))
    alarm = import_module("alarm")
    monitor = import_module("monitor")

    wires = (Wire("alarm", Condition("body.value > 80.0")),)
    for to in (when("alarm", "body.value > 80.0"), {"to": "alarm", "when": "body.value > 80.0"}):
        flow = FlowModel().add(monitor.Monitor, connect={"readings": to}).add(alarm.Alarm)
        assert flow.services[0].connect["readings"] == wires


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{poll: 5s}", [("poll", 5.0, None, None, 0.0), ("report", None, "0 6 * * *", None, 0.0)]),
        ("{poll: {every: 5s, initial: 1s}, report: false}", [("poll", 5.0, None, None, 1.0)]),
        ("{poll: 'off', report: 'off'}", []),
        (
            '{report: {cron: "0 6 * * 1-5", zone: Europe/Berlin}}',
            [("poll", 2.0, None, None, 0.0), ("report", None, "0 6 * * 1-5", "Europe/Berlin", 0.0)],
        ),
        (
            '{poll: {cron: "* * * * *"}, report: 1h}',
            [("poll", None, "* * * * *", None, 0.0), ("report", 3600.0, None, None, 0.0)],
        ),
    ],
)
def test_schedules(plant: Write, text: str, expected: list[Any]) -> None:
    plant(
        "some.yaml",
        f"services: {{monitor: {{class: monitor:Monitor, schedules: {text}}}, alarm: {{class: alarm:Alarm}}}}",
    )
    found = spec(wire(load("some.yaml")), "monitor").schedules
    assert [(s.name, s.every, s.cron, s.zone, s.initial) for s in found] == expected


def test_schedules_in_python(plant: Write) -> None:
    wire(load("flow.yaml"))
    monitor = import_module("monitor")

    flow = FlowModel().add(monitor.Monitor, schedules={"poll": "5s", "report": False})
    assert [(s.name, s.every) for s in flow.services[0].spec().schedules] == [("poll", 5.0)]
    flow = FlowModel().add(monitor.Monitor, schedules={"pol": "5s"})
    with pytest.raises(
        ConfigurationError, match=r'monitor.schedules.pol: there is no schedule of this name. Did you .*"poll"'
    ):
        flow.services[0].spec()


def test_a_disabled_service_is_not_there(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(
        "some.yaml",
        """
        services:
          monitor: {class: monitor:Monitor}
          alarm: {class: alarm:Alarm, enabled: true}
          other: {class: not_installed:Other, settings: {x: "${MISSING}"}, enabled: "${OTHER:-false}"}
        """,
    )
    flow = load("some.yaml")
    assert [item.name for item in flow.services] == ["monitor", "alarm"]
    assert list(flow.disabled) == ["other"]
    assert [plan.spec.name for plan in wire(flow).plan.services] == ["monitor", "alarm"]
    monkeypatch.setenv("OTHER", "true")
    with pytest.raises(ConfigurationError, match="there is no module not_installed"):
        load("some.yaml")
    monkeypatch.delenv("OTHER")
    with pytest.raises(ConfigurationError, match="the variable MISSING is not set"):
        load("some.yaml", Overrides(set=("other.enabled=true",)))


def test_a_connection_to_a_disabled_service_says_so(plant: Write) -> None:
    with pytest.raises(ConfigurationError) as caught:
        wire(load("flow.yaml", Overrides(set=("alarm.enabled=false",))))
    assert 'monitor.readings (flow.yaml:4): the service "alarm" is disabled.' in str(caught.value)


def test_enabled_in_python(plant: Write) -> None:
    wire(load("flow.yaml"))
    alarm = import_module("alarm")
    monitor = import_module("monitor")

    flow = FlowModel().add(monitor.Monitor, enabled=False).add(alarm.Alarm)
    assert [plan.spec.name for plan in wire(flow).plan.services] == ["alarm"]


@pytest.mark.parametrize(("text", "isolation"), [("isolate: worker", "worker"), ("isolate: node", "node")])
def test_isolation(plant: Write, text: str, isolation: str) -> None:
    assert spec(flow_with(plant, f"{text}\nloop: own"), "alarm").isolation == isolation
    assert spec(flow_with(plant, f"{text}\nloop: own"), "alarm").loop == "own"


# Several files ------------------------------------------------------------------------------------------------


def test_include(plant: Write) -> None:
    plant(
        "lines/press.py",
        "from junctor import Service, every\nclass Press(Service):\n    @every('1s')\n    def go(self): ...",
    )
    plant(
        "lines/one.yaml",
        "services: {press: {class: press:Press}}\nhttp: {port: 1}\nalerts: [{when: {held: 1}, send: {email: a@b}}]",
    )
    plant("some.yaml", "include: [lines/one.yaml, flow.yaml]\nservices: {extra: {class: alarm:Alarm}}")
    wiring = wire(load("some.yaml", Overrides(set=("monitor.connect.readings=extra",))))
    assert [plan.spec.name for plan in wiring.plan.services] == ["monitor", "alarm", "press", "extra"]
    assert "lines/one.yaml:2: http of an included file does not count" in wiring.notes
    assert wiring.model.http is None
    assert len(wiring.model.alerts) == 2
    assert wiring.model.source is not None
    assert [file.name for file in wiring.model.source.files] == ["some.yaml", "one.yaml", "flow.yaml"]


def test_overlay(plant: Write) -> None:
    plant(
        "site.yaml",
        """
        flow: berlin
        services:
          alarm:
            settings: {label: berlin}
            retry: {max: 5s, attempts: null}
            pool: null
            key: null
          second: {class: alarm:Alarm, settings: {limit: 200}}
        http: {port: 9000}
        """,
    )
    plant("more.yaml", "services: {second: null, alarm: {settings: {limit: 60}}}\nalerts: null")
    wiring = wire(load("flow.yaml", Overrides(overlays=("site.yaml", "more.yaml"))))
    alarm = spec(wiring, "alarm")
    assert wiring.plan.name == "berlin"
    assert (alarm.settings["limit"], alarm.settings["label"]) == (60.0, "berlin")
    assert alarm.policies.pool == PoolPolicy()
    assert alarm.policies.retry == RetryPolicy(attempts=5, initial=0.2, max=5.0, on={"ConnectionError": "hold"})
    assert wiring.model.http == HttpSettings(host="127.0.0.1", port=9000)
    assert (wiring.model.alerts, wiring.model.name) == ((), "berlin")


def test_a_value_remembers_the_file_where_it_was_finally_written(plant: Write) -> None:
    plant("site.yaml", "services:\n  alarm:\n    settings:\n      limit: 200\n")
    with pytest.raises(ConfigurationError, match=r"alarm.limit \(site.yaml:4\): 200.0 is above the maximum of 100"):
        wire(load("flow.yaml", Overrides(overlays=("site.yaml",))))


def test_anchors_merge_keys_and_own_keys(plant: Write) -> None:
    plant(
        "some.yaml",
        """
        x-common: &common
          retry: &retry {attempts: 3, on: {OSError: hold}}
          pool: 2
        services:
          monitor: {class: monitor:Monitor, connect: {readings: [one, two]}}
          one: {<<: *common, class: alarm:Alarm, pool: 3}
          two: {class: alarm:Alarm, retry: {<<: [{max: 9s}, *retry], attempts: 7}}
        """,
    )
    wiring = wire(load("some.yaml"))
    one, two = spec(wiring, "one").policies, spec(wiring, "two").policies
    assert (one.pool.size, one.retry.attempts) == (3, 3)
    assert two.retry == RetryPolicy(attempts=7, max=9.0, on={"OSError": "hold"})


# Changes from outside -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("alarm.limit=90", lambda s: s.settings["limit"] == 90.0),
        ("alarm.settings.limit=90", lambda s: s.settings["limit"] == 90.0),
        ("alarm.pool=4", lambda s: s.policies.pool.size == 4),
        ("alarm.pool.calls=9", lambda s: (s.policies.pool.calls, s.policies.pool.size) == (9, 4)),
        ("alarm.retry.attempts=3", lambda s: (s.policies.retry.attempts, s.policies.retry.max) == (3, 30.0)),
        ("alarm.retry.on.OSError=park", lambda s: s.policies.retry.on == {"OSError": "park"}),
        ("alarm.queue=7", lambda s: s.policies.queue.limit == 7),
        ("alarm.queue.bytes=1MiB", lambda s: s.policies.queue.bytes == 1 << 20),
        ("alarm.timeout=never", lambda s: s.policies.timeout == float("inf")),
        ("alarm.durability=written", lambda s: s.policies.durability == "written"),
        ("alarm.trace=off", lambda s: s.policies.trace == "off"),
        ("alarm.isolate=worker", lambda s: s.isolation == "worker"),
        ("alarm.enabled=yes", lambda s: True),
        ("alarm.key=secret", lambda s: s.settings["key"].reveal() == "secret"),  # a setting and a policy: the setting
    ],
)
def test_set(plant: Write, change: str, told: Any) -> None:
    assert told(spec(wire(load("flow.yaml", Overrides(set=(change,)))), "alarm"))


def test_set_schedules_and_connections(plant: Write) -> None:
    changes = ("monitor.schedules.poll=9s", "monitor.schedules.report=5 5 * * *", "monitor.connect.readings=alarm")
    found = spec(wire(load("flow.yaml", Overrides(set=changes))), "monitor").schedules
    assert [(s.name, s.every, s.cron) for s in found] == [("poll", 9.0, None), ("report", None, "5 5 * * *")]


def test_the_environment_sets_too_and_the_command_line_wins(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("flow.yaml", FLOW.replace("alarm:\n", "the-alarm:\n").replace("readings: alarm", "readings: the-alarm"))
    plant("more.env", "JUNCTOR_SET_THE_ALARM__COUNT=5\n")
    monkeypatch.setenv("JUNCTOR_SET_THE_ALARM__LIMIT", "10")
    monkeypatch.setenv("JUNCTOR_SET_THE_ALARM__LABEL", "env")
    monkeypatch.setenv("JUNCTOR_SET_THE_ALARM__RETRY__ATTEMPTS", "2")
    monkeypatch.setenv("JUNCTOR_SET_THE_ALRM__LIMIT", "1")
    wiring = wire(load("flow.yaml", Overrides(set=("the-alarm.limit=20",), env_files=("more.env",))))
    alarm = spec(wiring, "the-alarm")
    assert (alarm.settings["limit"], alarm.settings["label"], alarm.settings["count"]) == (20.0, "env", 5)
    assert alarm.policies.retry.attempts == 2
    assert any(note.startswith("JUNCTOR_SET_THE_ALRM__LIMIT has no effect here") for note in wiring.notes)
    monkeypatch.setenv("JUNCTOR_SET_THE_ALARM__LIMT", "1")
    with pytest.raises(
        ConfigurationError, match=r"the-alarm.limt \(JUNCTOR_SET_THE_ALARM__LIMT\): there is no such setting"
    ):
        wire(load("flow.yaml"))


def test_the_environment_sets_python_flows_too(plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(
        "both.py",
        "import alarm, monitor\nfrom junctor import Flow\nflow = Flow('b').add(monitor.Monitor).add(alarm.Alarm)",
    )
    monkeypatch.setenv("JUNCTOR_SET_ALARM__LIMIT", "10")
    assert spec(wire(load("both.py")), "alarm").settings["limit"] == 10.0
    with pytest.raises(ConfigurationError, match="an overlay is for a flow file, and this is Python"):
        load("both.py", Overrides(overlays=("site.yaml",)))


def test_http_is_read_by_its_types(plant: Write) -> None:
    plant(
        "some.yaml",
        """
        services: {alarm: {class: alarm:Alarm}}
        http:
          path: /plant
          body: 2MiB
          docs: false
          hosts: [a.example, b.example]
          cors: {origins: [https://a.example], max_age: 10m}
          keys: [{name: one, secret: "${secret:KEY}", paths: [/a]}, {name: two, secret: plain-and-long-enough}]
          tls: {certificate: a.pem, key: b.pem}
          admin: {port: 9}
          limits: {receive: 5s}
        """,
    )
    plant("secrets.env", "KEY=of-the-file-with-secrets").chmod(0o600)
    wiring = wire(load("some.yaml"))
    http = wiring.model.http
    assert http is not None
    assert (http.path, http.body, http.docs, http.hosts) == ("/plant", 2 << 20, False, ("a.example", "b.example"))
    assert http.cors is not None and http.cors.max_age == 600.0
    assert [key.secret for key in http.keys] == ["of-the-file-with-secrets", "plain-and-long-enough"]
    assert http.limits.receive == 5.0
    assert "some.yaml:9: an API key stands in the file as text; write ${secret:NAME} or sha256:HEX" in wiring.notes
    assert msgspec.structs.asdict(HttpSettings()).keys() == msgspec.structs.asdict(http).keys()


def test_a_change_where_there_are_several_flows(plant: Write) -> None:
    from junctor.cli.options import FlowArguments

    plant("a.yaml", "services: {alarm: {class: alarm:Alarm}, one: {class: alarm:Alarm}}")
    plant("b.yaml", "services: {alarm: {class: alarm:Alarm}}")

    def limits(*changes: str) -> list[float]:
        flows = FlowArguments(("a.yaml", "b.yaml"), Overrides(set=changes)).load()
        return [plan.spec.settings["limit"] for flow in flows for plan in wire(flow).plan.services]

    assert limits("alarm.limit=1") == [1.0, 80.0, 1.0]
    assert limits("b/alarm.limit=1", "one.limit=2") == [80.0, 2.0, 1.0]
    for wrong in ("two.limit=1", "c/alarm.limit=1", "b/one.limit=1"):
        with pytest.raises(ConfigurationError, match='no flow has a service "'):
            limits(wrong)
