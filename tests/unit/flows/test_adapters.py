"""Adapters by name: found where they are installed, named in flow files like classes."""

from __future__ import annotations

import sys
from pathlib import Path

import jsonschema_rs
import pytest

from junctor import Flow
from junctor.errors import ConfigurationError, ImportFailed
from junctor.flows import Overrides, load, wire
from junctor.flows.adapters import adapter, adapter_name, adapter_names, owner
from junctor.flows.comparison import compare
from junctor.flows.files.document import parse_document
from junctor.flows.files.schema import flow_schema
from junctor.flows.files.written import flow_yaml
from junctor.settings.written import plain
from tests.unit.flows.conftest import Write
from tests.unit.flows.distributions import install

HEART = """
    flow: ward
    services:
      heart: {adapter: pulse, settings: {text: tick, count: 2}, connect: {out: bell}}
      bell: {adapter: bell, pool: 3}
"""


@pytest.fixture
def outside(plant: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distribution ``pulse``, installed beside the folder of the flow."""
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    return folder


def wrong(text: str) -> str:
    with pytest.raises(ConfigurationError) as told:
        load(text)
    return str(told.value)


# The registry -----------------------------------------------------------------------------------------------


def test_our_own_and_those_of_others_are_known_by_name(outside: Path) -> None:
    assert {"file-in", "http-out", "mapping", "pulse", "bell"} <= set(adapter_names())
    assert owner("pulse") == "pulse 1.2"
    assert owner("file-in").startswith("junctor ")


def test_one_is_loaded_when_it_is_named(outside: Path) -> None:
    assert "pulse" in adapter_names()
    assert "pulse_adapters" not in sys.modules
    assert adapter("pulse") is sys.modules["pulse_adapters"].Pulse


def test_the_name_of_a_class(outside: Path, plant: Write) -> None:
    assert adapter_name(adapter("pulse")) == "pulse"
    own = type("Pulse", (adapter("pulse"),), {})
    assert adapter_name(own) == ""
    assert adapter_name(int) == ""


def test_an_adapter_that_is_installed_later_is_found(outside: Path, tmp_path: Path) -> None:
    assert "late" not in adapter_names()
    install(tmp_path / "site", "late", "1", adapters={"late": "late_adapters:Pulse"})
    assert adapter("late").__name__ == "Pulse"


def test_a_name_twice_names_both_distributions(outside: Path, tmp_path: Path) -> None:
    install(tmp_path / "site", "beat", "0.9", adapters={"pulse": "beat_adapters:Pulse"})
    with pytest.raises(ConfigurationError) as told:
        adapter("pulse")
    assert "beat 0.9" in told.value.what
    assert "pulse 1.2" in told.value.what
    assert adapter("bell").__name__ == "Bell"  # the rest of both can be used
    own = sys.modules["pulse_adapters"].Pulse
    assert adapter_name(own) == ""  # a name that means two is not written


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import no_such_client", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_client'"),
        ("1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
        ("pass", "cannot be loaded: AttributeError: module 'odd_adapters' has no attribute 'Odd'"),
        ("Odd = 5", "odd_adapters:Odd of odd 2 is not a class derived from Service"),
        ("class Odd: ...", "odd_adapters:Odd of odd 2 is not a class derived from Service"),
    ],
)
def test_one_that_cannot_be_used_names_its_distribution(outside: Path, plant: Write, code: str, told: str) -> None:
    install(outside, "odd", "2", code, {"odd": "odd_adapters:Odd"})
    plant("odd.yaml", "services: {one: {adapter: odd}}")
    text = wrong("odd.yaml")
    assert text.startswith("one.adapter (odd.yaml:1): odd_adapters:Odd of odd 2 ")
    assert told in text


# In flow files ----------------------------------------------------------------------------------------------


def test_a_flow_file_names_it(outside: Path, plant: Write) -> None:
    plant("ward.yaml", HEART)
    flow = load("ward.yaml")
    heart, bell = flow.services
    assert heart.source is adapter("pulse")
    assert heart.spec().settings["text"] == "tick"
    assert heart.spec().settings["count"] == 2
    assert bell.policies.pool.size == 3
    assert [(one.source, one.to) for one in wire(flow).connections] == [("heart", "bell")]


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("{adapter: pulze}", 'one.adapter (one.yaml:1): there is no adapter "pulze". Did you mean "pulse"?'),
        ("{adapter: file}", 'one.adapter (one.yaml:1): there is no adapter "file". Did you mean "file-in"?'),
        ("{adapter: x}", "`junctor adapters` tells what each does."),
        ("{adapter: [pulse]}", "one.adapter (one.yaml:1): expected the name of an adapter, got a list."),
        ("{adapter: ''}", "one.adapter (one.yaml:1): expected the name of an adapter"),
        ("{adapter: 'pulse_adapters:Pulse'}", "Write class: pulse_adapters:Pulse."),
        (
            "{class: pulse}",
            "one.class (one.yaml:1): there is no module pulse. This is an adapter: write adapter:",
        ),
        ("{class: file-in}", "This is an adapter: write adapter: file-in."),
        ("{adaptr: pulse}", 'there is no such word. Did you mean "adapter"?'),
        (
            "{settings: {}}",
            '"class" is missing. Write class: module:Class, for example class: alarm:Alarm, or ',
        ),
        ("{adapter: pulse, class: 'a:B'}", "one.adapter (one.yaml:1): there is a class, too, at one.yaml:1. Keep one"),
        ("{adapter: pulse}", "one.text: is missing and has no default."),
        (
            "{adapter: pulse, settings: {txt: a}}",
            'one.txt (one.yaml:1): there is no such setting. Did you mean "text"',
        ),
        ("{adapter: pulse, settings: {text: a, count: 10}}", "one.count (one.yaml:1): 10 is above the maximum of 9"),
    ],
)
def test_what_is_wrong_has_its_place(outside: Path, plant: Write, service: str, told: str) -> None:
    plant("one.yaml", f"services: {{one: {service}}}")
    with pytest.raises(ConfigurationError) as error:
        wire(load("one.yaml"))
    assert told in str(error.value)


def test_one_that_is_switched_off_is_not_loaded(outside: Path, plant: Write) -> None:
    plant("ward.yaml", HEART.replace("{adapter: pulse,", "{adapter: no-such-adapter, enabled: false,"))
    flow = load("ward.yaml")
    assert [item.name for item in flow.services] == ["bell"]
    written = flow_yaml(wire(flow))
    assert "adapter: no-such-adapter" in written
    plant("ward.yaml", HEART.replace("bell: {", "bell: {enabled: false, "))
    on = load("ward.yaml", Overrides(set=("bell.enabled=true", "heart.enabled=off", "heart.count=5")))
    assert [item.name for item in on.services] == ["bell"]


def test_changes_from_outside(outside: Path, plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("ward.yaml", HEART)
    monkeypatch.setenv("JUNCTOR_SET_HEART__TEXT", "tock")
    flow = load("ward.yaml", Overrides(set=("heart.count=5", "heart.schedules.beat=3s", "bell.pool=2")))
    heart = flow.services[0].spec()
    assert heart.settings["count"] == 5
    assert heart.settings["text"] == "tock"
    assert [schedule.every for schedule in heart.schedules] == [3]


def test_the_name_may_be_a_variable(outside: Path, plant: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("ward.yaml", HEART.replace("adapter: bell", "adapter: '${BELL:-bell}'"))
    assert load("ward.yaml").services[1].source is adapter("bell")
    monkeypatch.setenv("BELL", "horn")
    assert 'there is no adapter "horn"' in wrong("ward.yaml")


def test_an_overlay_changes_and_replaces_it(outside: Path, plant: Write) -> None:
    plant("ward.yaml", HEART)
    plant(
        "over.yaml",
        """
        services:
          heart: {settings: {count: 3}}
          bell: {class: alarm:Alarm}
          second: {adapter: bell}
        """,
    )
    flow = load("ward.yaml", Overrides(overlays=("over.yaml",)))
    sources = {item.name: item.source for item in flow.services}
    assert sources["heart"] is adapter("pulse")
    assert sources["second"] is adapter("bell")
    assert sources["bell"].__name__ == "Alarm"
    assert flow.services[0].spec().settings["count"] == 3
    plant("back.yaml", "services: {bell: {adapter: bell}}")
    back = load("ward.yaml", Overrides(overlays=("over.yaml", "back.yaml")))
    assert back.item("bell").source is adapter("bell")  # type: ignore[union-attr]
    plant("both.yaml", "services: {bell: {adapter: bell, class: alarm:Alarm}}")
    with pytest.raises(ConfigurationError, match="there is a class, too, at both.yaml:1"):
        load("ward.yaml", Overrides(overlays=("both.yaml",)))


def test_it_is_included_like_any_service(outside: Path, plant: Write) -> None:
    plant("lines/ward.yaml", HEART)
    plant("all.yaml", "include: [lines/ward.yaml]\nservices: {second: {adapter: bell}}")
    assert [item.name for item in load("all.yaml").services] == ["heart", "bell", "second"]


@pytest.mark.parametrize(
    ("retry", "on"),
    [
        ("{}", {"ConnectionError": "hold"}),
        ("{on: {BellError: park}}", {"ConnectionError": "hold", "BellError": "park"}),
        ("{on: {ConnectionError: retry}}", {"ConnectionError": "retry"}),
        ("{on: {}}", {"ConnectionError": "hold"}),
    ],
)
def test_its_reactions_stay_where_the_flow_says_nothing(
    outside: Path, plant: Write, retry: str, on: dict[str, str]
) -> None:
    plant("ward.yaml", HEART.replace("pool: 3", f"retry: {retry}"))
    flow = load("ward.yaml")
    policies = wire(flow).plan.services[1].spec.policies
    assert (policies.retry.attempts, policies.retry.on) == (7, on)
    plant("again.yaml", flow_yaml(wire(flow)))
    assert wire(load("again.yaml")).plan.services[1].spec.policies == policies
    changed = wire(load("ward.yaml", Overrides(set=("bell.retry.on.OSError=park",))))
    assert changed.plan.services[1].spec.policies.retry.on == {"ConnectionError": "hold", "OSError": "park"}


def test_its_own_policies_are_not_written(outside: Path, plant: Write) -> None:
    plant("ward.yaml", HEART)
    assert "retry" not in flow_yaml(wire(load("ward.yaml")))


def test_a_secret_in_the_file_is_remarked(outside: Path, plant: Write) -> None:
    plant("ward.yaml", HEART.replace("text: tick,", "text: tick, token: abc,"))
    assert any("heart.token" in note and "${secret:HEART_TOKEN}" in note for note in load("ward.yaml").notes)


# Written, compared, described -------------------------------------------------------------------------------


def test_a_flow_in_python_is_written_with_names(outside: Path, plant: Write) -> None:
    flow = Flow("ward").add(adapter("pulse")(text="tick"), "heart", connect={"out": "bell"}).add(adapter("bell"))
    written = flow_yaml(wire(flow))
    assert "adapter: pulse" in written
    assert "class:" not in written
    plant("ward.yaml", written)
    assert flow_yaml(wire(load("ward.yaml"))) == written


def test_a_class_that_is_an_adapter_is_the_same_service(outside: Path, plant: Write) -> None:
    plant("ward.yaml", HEART)
    plant("named.yaml", HEART.replace("adapter: pulse", "class: 'pulse_adapters:Pulse'"))
    before, after = wire(load("ward.yaml")), wire(load("named.yaml"))
    assert flow_yaml(before) == flow_yaml(after)
    assert compare(before, after).kind == "same"  # nothing restarts when one is applied over the other


def test_the_schema_knows_names_and_settings_without_a_flow(outside: Path, plant: Write) -> None:
    schema = flow_schema()
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)

    def fits(service: str) -> bool:
        return validator.is_valid(plain(parse_document(f"services: {{one: {service}}}", "one.yaml")))

    assert fits("{adapter: pulse, settings: {text: a, count: 2}}")
    assert fits("{adapter: '${KIND}', settings: {any: 2}}")
    assert fits("{class: 'a:B', settings: {any: 2}}")
    assert not fits("{adapter: pulse, settings: {txt: a}}")
    assert not fits("{adapter: pulse, settings: {text: a, count: 10}}")
    assert not fits("{adapter: puls}")
    assert not fits("{adapter: pulse, class: 'a:B'}")
    count = schema["$defs"]["settings-of-pulse"]["properties"]["count"]
    assert count["default"] == 1
    assert count["description"] == "How many come at once, in beats, int."


def test_one_that_cannot_be_loaded_does_not_hide_the_others_from_the_schema(outside: Path) -> None:
    install(outside, "odd", "2", "import no_such_client", {"odd": "odd_adapters:Odd"})
    schema = flow_schema()
    assert "odd" in schema["$defs"]["service"]["properties"]["adapter"]["anyOf"][0]["enum"]
    assert "properties" not in schema["$defs"]["settings-of-odd"]
    assert "count" in schema["$defs"]["settings-of-pulse"]["properties"]


def test_import_failed_keeps_its_cause(outside: Path) -> None:
    install(outside, "odd", "2", "import no_such_client", {"odd": "odd_adapters:Odd"})
    with pytest.raises(ImportFailed) as told:
        adapter("odd")
    assert isinstance(told.value.__cause__, ModuleNotFoundError)
