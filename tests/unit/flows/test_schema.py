"""The JSON Schema of flow files: it takes what the loader takes, and refuses what an editor can tell to be wrong."""

from __future__ import annotations

import json
import random
import textwrap
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner

from junctor.cli.schema import command
from junctor.flows import load, wire
from junctor.flows.files.document import parse_document
from junctor.flows.files.schema import flow_schema
from junctor.flows.files.written import flow_yaml
from junctor.settings.written import plain
from tests.unit.flows.conftest import FLOW, Write
from tests.unit.flows.test_written import any_flow, modules

GOOD = [
    FLOW,
    """
    x-retry: &retry {attempts: 3}
    services:
      monitor:
        class: monitor:Monitor
        connect: {readings: [{to: alarm, when: "body.value > 80.0"}, other]}
        schedules: {poll: {every: 5s, initial: 1s}, report: {cron: "0 6 * * 1-5", zone: Europe/Berlin}}
      alarm:
        class: alarm:Alarm
        enabled: ${DEV:-true}
        settings: {limit: "${LIMIT:-75}", wait: 1h30m, mode: "on", names: {a: [b]}, file: null, token: "${secret:T}"}
        pool: {size: 2, calls: 9}
        retry: {<<: *retry, max: 1m, backoff: constant}
        queue: {limit: 10, bytes: 64MiB}
        timeout: never
        isolate: worker
      other:
        {class: alarm:Alarm, schedules: {}, pool: "${POOL:-4}", queue: 5, order: skip, durability: written,
         trace: failures}
    http: {body: 2MiB, cors: {origins: ["*"], max_age: 10m}, keys: [{name: a, secret: b}], limits: {receive: 5s}}
    include: []
    env_file: a.env
    secrets_file: b.env
    """,
]

BAD = [
    ("flow: machine-monitor", "flows: x"),
    ("flow: machine-monitor", "flow: Machine Monitor"),
    ("pool: 4", "poool: 4"),
    ("pool: 4", "pool: many"),
    ("pool: 4", "pool: {sizes: 4}"),
    ("pool: 4", "pool: on"),
    ("key: sensor", "key: 5"),
    ("key: sensor", "order: any"),
    ("attempts: 5", "attempts: 2.5"),
    ("attempts: 5", "attemps: 5"),
    ("max: 30s", "max: soon"),
    ("backoff: exponential", "backoff: linear"),
    ("{ConnectionError: hold}", "{ConnectionError: wait}"),
    ("port: 8080", "prt: 8080"),
    ("port: 8080", "port: web"),
    ("parked: 1", "parkd: 1"),
    ("{parked: 1}", "{}"),
    ("when: {parked: 1}, ", ""),
    ("{readings: alarm}", "alarm"),
    ("{readings: alarm}", "{readings: []}"),
    ("{readings: alarm}", "{readings: {when: x}}"),
    ("class: alarm:Alarm", "class: [a]"),
    ("connect: {readings: alarm}", "schedules: {poll: off}, pool: off"),
    ("connect: {readings: alarm}", "schedules: {poll: {every: 1s, cron: '* * * * *'}}"),
]

BAD_SETTINGS = [
    "limt: 5",
    "limit: high",
    "limit: 101",
    "mode: loud",
    "loud: maybe",
    "names: 5",
    "count: 1.5",
    "wait: soon",
]


def checker(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.Draft202012Validator(schema)


def content(text: str) -> Any:
    return plain(parse_document(textwrap.dedent(text), "flow.yaml"))


@pytest.fixture
def known(plant: Write) -> jsonschema_rs.Draft202012Validator:
    """The schema with the services of the flow."""
    return checker(flow_schema([load("flow.yaml")]))


@pytest.mark.parametrize("text", GOOD)
def test_good_files_fit(text: str, known: jsonschema_rs.Draft202012Validator, monkeypatch: pytest.MonkeyPatch) -> None:
    for schema in (checker(flow_schema()), known):
        assert [error.message for error in schema.iter_errors(content(text))] == []


@pytest.mark.parametrize(("old", "new"), BAD)
def test_bad_files_do_not(old: str, new: str) -> None:
    assert old in FLOW
    assert not checker(flow_schema()).is_valid(content(FLOW.replace(old, new, 1)))


@pytest.mark.parametrize("text", BAD_SETTINGS)
def test_settings_of_known_services(text: str, known: jsonschema_rs.Draft202012Validator) -> None:
    bad = content(FLOW.replace("limit: 75", text))
    assert checker(flow_schema()).is_valid(bad), "without the class nobody can tell"
    assert not known.is_valid(bad)


@pytest.mark.parametrize("new", ["connect: {reading: alarm}", "schedules: {pol: 5s}"])
def test_targets_and_schedules_of_known_services(new: str, known: jsonschema_rs.Draft202012Validator) -> None:
    assert not known.is_valid(content(FLOW.replace("connect: {readings: alarm}", new)))


@pytest.mark.parametrize("seed", range(10))
def test_what_is_written_fits(plant: Write, seed: int) -> None:
    wiring = wire(any_flow(*modules(plant), random.Random(seed)))
    schema = checker(flow_schema([wiring.model]))
    text = flow_yaml(wiring)
    assert [error.message for error in schema.iter_errors(content(text))] == [], text


def test_what_an_editor_shows(plant: Write) -> None:
    schema = flow_schema([load("flow.yaml")])
    limit = schema["properties"]["services"]["properties"]["alarm"]["properties"]["settings"]["properties"]["limit"]
    assert limit["description"] == "When to tell, in percent, float."
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (0, 100, 80.0)
    assert "handler raised" in schema["$defs"]["retry"]["description"]
    token = schema["properties"]["services"]["properties"]["alarm"]["properties"]["settings"]["properties"]["token"]
    assert "default" not in token


def test_the_command(plant: Write) -> None:
    for arguments in ([], ["flow.yaml"]):
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Path("flow.schema.json").write_text(done.output)
