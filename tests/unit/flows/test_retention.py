"""The ``retention:`` section: read, refused, written again, compared."""

from __future__ import annotations

import math
from pathlib import Path

import jsonschema_rs
import pytest

from junctor import Flow, Retention, Service, handler
from junctor.core.retention import DAY
from junctor.errors import ConfigurationError
from junctor.flows import load, wire
from junctor.flows.comparison import compare
from junctor.flows.files.document import parse_document
from junctor.flows.files.schema import flow_schema
from junctor.flows.files.written import flow_yaml
from junctor.settings.written import plain
from tests.unit.flows.conftest import FLOW, Write


class Sink(Service):
    @handler
    def on(self, number: int) -> None: ...


def read(plant: Write, section: str) -> Retention | None:
    return load(str(plant("flow.yaml", f"{FLOW.rstrip()}\n    retention: {section}\n"))).retention


def test_ages_and_sizes_are_written_as_elsewhere(plant: Write) -> None:
    found = read(plant, "{done: 36h, failures: 90d, keys: never, disk: 5GB}")
    assert found == Retention(done=1.5 * DAY, failures=90 * DAY, keys=math.inf, disk=5_000_000_000)


def test_what_is_not_written_is_as_by_default(plant: Write) -> None:
    assert read(plant, "{done: 1d}") == Retention(done=DAY)
    assert load(str(plant("flow.yaml", FLOW))).retention is None
    assert wire(Flow("f").add(Sink())).plan.retention == Retention()


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("{dome: 7d}", r'retention.dome \(flow.yaml:\d+\): there is no such word. Did you mean "done"'),
        ("{done: soon}", r"retention.done \(flow.yaml:\d+\): .*soon"),
        ("{done: -1}", r"retention.done.* is -1"),
        ("{disk: 1MB}", r"retention.disk is 1000000. Give at least 32MiB"),
        ("{disk: never}", r"retention.disk \(flow.yaml:\d+\): expected a whole number"),
        ("7d", r"retention \(flow.yaml:\d+\): expected a mapping"),
    ],
)
def test_what_is_wrong_has_its_line_and_the_fix(plant: Write, section: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        read(plant, section)


def test_in_python_it_is_an_object_or_the_words_of_a_file() -> None:
    words = Flow("f", retention={"done": "7d", "keys": "never", "disk": "64MiB"}).retention
    assert words == Flow("f", retention=Retention(done=7 * DAY, keys=math.inf, disk=64 << 20)).retention
    with pytest.raises(ConfigurationError, match='Did you mean "failures"'):
        Flow("f", retention={"failure": "7d"})


def test_it_is_written_and_read_again(plant: Write) -> None:
    given = Retention(done=math.inf, failures=math.inf, disk=64 << 20)
    model = load(str(plant("flow.yaml", f"{FLOW.rstrip()}\n    retention: {{done: 3d, disk: 64MiB}}\n")))
    text = flow_yaml(wire(model))
    assert "retention: {done: 3d, disk: 64MiB}" in text
    model.retention, model.sections = given, {}
    text = flow_yaml(wire(model))
    assert load(str(plant("again.yaml", text))).retention == given


def test_the_schema_takes_what_the_loader_takes() -> None:
    check = jsonschema_rs.validator_for(flow_schema())
    for section, good in (
        ("{done: 7d, failures: never, keys: 3600, disk: 5GB}", True),
        ('{disk: "${DISK:-1GB}"}', True),
        ("{dome: 7d}", False),
        ("{done: soon}", False),
        ("7d", False),
    ):
        written = plain(parse_document(f"services: {{}}\nretention: {section}\n", "flow.yaml"))
        assert check.is_valid(written) is good, section


def test_a_change_of_it_is_told_and_touches_no_service(tmp_path: Path) -> None:
    before, after = (wire(Flow("f", retention={"done": age}).add(Sink())) for age in ("7d", "3d"))
    found = compare(before, after)
    assert found.kind == "changed" and found.retention == ("done 604800.0 -> 259200.0",)
    assert [service.kind for service in found.services] == ["same"]
    assert any("retention: done" in line for line in found.lines())
