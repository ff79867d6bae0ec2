"""junctor check: each kind of finding with its place and fix, and nothing about a flow that is well."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from junctor.cli.main import main
from junctor.flows import FlowModel, Overrides
from junctor.flows.check.check import check, check_models, never
from junctor.flows.check.findings import Finding, Report
from junctor.services import Service, cron, spec_of

Write = Callable[..., Path]

ROOMS = """\
from dataclasses import dataclass
from typing import Any
from junctor import Service, Target, action, cron, every, get, handler, post, setting


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


@dataclass(frozen=True)
class Note:
    text: str


@dataclass(frozen=True)
class Verdict:
    high: bool


class Monitor(Service):
    readings: Target[Reading]

    @every("2s")
    async def poll(self): ...


class Alarm(Service):
    limit: float = setting(80.0)

    @handler
    def on_reading(self, reading: Reading): ...


class Judge(Service):
    @handler
    async def judge(self, reading: Reading) -> Verdict: ...


class Asker(Service):
    judge: Target[Reading, Verdict]

    @every("1s")
    async def poll(self): ...


class Notes(Service):
    @handler
    async def on_note(self, note: Note): ...


class Both(Service):
    @handler
    async def on_note(self, note: Note): ...

    @handler
    async def on_reading(self, reading: Reading): ...


class Self(Service):
    back: Target[Reading, Verdict]

    @handler
    async def judge(self, reading: Reading) -> Verdict:
        return await self.back.request(reading)


class SelfByRoute(Service):
    back: Target[Reading, Verdict]

    @handler
    async def judge(self, reading: Reading) -> Verdict: ...

    @get("/judge")
    async def ask(self) -> Verdict:
        return await self.back.request(Reading("x", 1))


class Ring(Service):
    following: Target[Note, Note]

    @handler
    async def on_note(self, note: Note) -> Note:
        return await self.following.request(note)


class Teller(Service):
    @every("1s")
    async def tell(self):
        await self.broadcast(Note("all"))


class Finder(Service):
    @every("1s")
    async def find(self):
        await self.target("notes", Note).send(Note("found"))


class Doors(Service):
    @get("/door/{name}")
    async def door(self, name: str) -> str: ...

    @post("/docs/x")
    async def reserved(self) -> str: ...

    @get("/metrics")
    async def metrics(self) -> str: ...


class Door(Service):
    @get("/door/{number}")
    async def door(self, number: str) -> str: ...
"""


class Ticking(Service):
    @cron("0 6 * * *")
    async def tick(self) -> None: ...


@pytest.fixture
def flow(plant: Write) -> Callable[..., Report]:
    """Checks a flow file: the text below ``services:``."""
    plant("rooms.py", ROOMS)

    def checked(services: str, *more: str) -> Report:
        plant("flow.yaml", f"flow: plant\nservices:\n{services}")
        for number, other in enumerate(more):
            plant(f"flow{number}.yaml", f"flow: other{number}\nservices:\n{other}")
        files = ["flow.yaml", *(f"flow{number}.yaml" for number in range(len(more)))]
        return check(files, Overrides())[0]

    return checked


def line_of(text: str) -> int:
    """The line of ``rooms.py`` that begins with this."""
    return next(number for number, line in enumerate(ROOMS.splitlines(), 1) if line.strip().startswith(text))


def only(report: Report, level: str = "error") -> Finding:
    found = [finding for finding in report.findings if finding.level == level]
    assert len(found) == 1, report.findings
    return found[0]


def codes(report: Report) -> list[str]:
    return sorted(finding.code for finding in report.findings)


def test_a_flow_that_is_well_has_no_findings(flow: Callable[..., Report]) -> None:
    report = flow("  monitor: {class: 'rooms:Monitor'}\n  alarm: {class: 'rooms:Alarm'}\n")
    assert report.findings == ()
    assert (report.flows, report.services, report.connections) == (1, 2, 1)


def test_all_errors_come_at_once_and_by_line(flow: Callable[..., Report]) -> None:
    report = flow(
        "  monitor: {class: 'rooms:Monitr'}\n"
        "  alarm:\n    class: rooms:Alarm\n    settings: {limit: high, limt: 3}\n    pol: 3\n"
        "  asker: {class: 'rooms:Asker', connect: {judge: nobody}}\n"
    )
    assert [(finding.file, finding.line) for finding in report.findings] == sorted(
        (finding.file, finding.line) for finding in report.findings
    )
    assert {finding.place for finding in report.findings} >= {"flow.yaml:3", "flow.yaml:6", "flow.yaml:7"}
    said = {finding.what: finding.fix for finding in report.findings}
    assert any('Did you mean "Monitor"?' in fix for fix in said.values())
    assert any('Did you mean "limit"?' in fix for fix in said.values())
    assert any('Did you mean "pool"?' in fix for fix in said.values())
    assert any("expected float" in what for what in said)


def test_a_mismatch_names_both_sides_with_their_places(flow: Callable[..., Report]) -> None:
    finding = only(
        flow("  monitor: {class: 'rooms:Monitor', connect: {readings: notes}}\n  notes: {class: 'rooms:Notes'}\n")
    )
    assert (finding.where, finding.place) == ("monitor.readings", "flow.yaml:3")
    assert finding.what == "notes does not handle Reading; it handles Note"
    assert finding.see == (
        f"monitor.readings is Target[Reading]: rooms.py:{line_of('readings: Target')}",
        f"notes.on_note takes Note: rooms.py:{line_of('class Notes') + 1}",
    )


def test_a_reply_that_does_not_fit_names_the_handler(flow: Callable[..., Report]) -> None:
    finding = only(flow("  asker: {class: 'rooms:Asker', connect: {judge: alarm}}\n  alarm: {class: 'rooms:Alarm'}\n"))
    assert finding.what == "expects the reply Verdict, and alarm.on_reading replies nothing"
    assert finding.see[-1].startswith("alarm.on_reading takes Reading: rooms.py:")


def test_an_unconnected_target_says_how_to_write_the_connection(flow: Callable[..., Report]) -> None:
    finding = only(
        flow("  monitor: {class: 'rooms:Monitor'}\n  a: {class: 'rooms:Alarm'}\n  b: {class: 'rooms:Alarm'}\n")
    )
    assert finding.what == "2 services handle Reading: a, b"
    assert finding.fix == "Name the one: connect: {readings: a}."


def test_a_python_flow_has_the_lines_of_its_code(plant: Write) -> None:
    plant("rooms.py", ROOMS)
    plant(
        "made.py",
        "from rooms import Monitor\nfrom junctor.flows import FlowModel\nflow = FlowModel('made').add(Monitor)\n",
    )
    report, _ = check(["made.py"], Overrides())
    finding = only(report)
    assert finding.place == f"rooms.py:{line_of('readings: Target')}" and finding.where == "monitor.readings"


def test_what_cannot_be_imported_leads_to_the_users_own_line(flow: Callable[..., Report], plant: Write) -> None:
    plant("broken.py", "from junctor import Service\n\nclass A(Service):\n    x: = 3\n")
    report = flow("  a: {class: 'broken:A'}\n  b: {class: 'missing_module:B'}\n")
    assert "broken.py:4" in str(report.findings) and "missing_module" in str(report.findings)
    assert report.count("error") == 2


# Requests that wait for themselves --------------------------------------------------------------------------


def test_a_service_that_asks_itself_waits_for_itself(flow: Callable[..., Report]) -> None:
    finding = only(flow("  self: {class: 'rooms:Self', connect: {back: self}}\n"))
    assert finding.code == "self-request" and finding.place.startswith("flow.yaml:")
    assert "judge asks its own service, which has a pool of 1" in finding.what


def test_a_larger_pool_or_a_route_may_ask_its_own_service(flow: Callable[..., Report]) -> None:
    assert "self-request" not in codes(flow("  self: {class: 'rooms:Self', pool: 2, connect: {back: self}}\n"))
    assert "self-request" not in codes(flow("  self: {class: 'rooms:SelfByRoute', connect: {back: self}}\n"))


def test_a_circle_of_requests_is_a_warning_across_flows_too(flow: Callable[..., Report]) -> None:
    here = "  a: {class: 'rooms:Ring', connect: {following: b}}\n  b: {class: 'rooms:Ring', connect: {following: %s}}\n"
    finding = only(flow(here % "a"), "warning")
    assert finding.code == "circle" and "plant/a -> plant/b -> plant/a" in finding.what
    report = flow(here % "other0/c", "  c: {class: 'rooms:Ring', connect: {following: plant/a}}\n")
    assert "plant/a -> plant/b -> other0/c -> plant/a" in only(report, "warning").what


# What nobody uses -------------------------------------------------------------------------------------------


def test_a_service_that_nothing_leads_to_is_a_warning(flow: Callable[..., Report]) -> None:
    finding = only(flow("  notes: {class: 'rooms:Notes'}\n"), "warning")
    assert finding.code == "unreachable" and "nobody broadcasts or publishes Note" in finding.what


@pytest.mark.parametrize("finder", ["Teller", "Finder"])
def test_broadcasts_and_names_at_run_time_lead_to_it(flow: Callable[..., Report], finder: str) -> None:
    assert flow(f"  notes: {{class: 'rooms:Notes'}}\n  finder: {{class: 'rooms:{finder}'}}\n").findings == ()


def test_a_type_that_nobody_sends_is_a_note(flow: Callable[..., Report]) -> None:
    report = flow("  monitor: {class: 'rooms:Monitor'}\n  both: {class: 'rooms:Both'}\n")
    finding = only(report, "note")
    assert (finding.code, finding.where) == ("unsent", "both.on_note")


def test_blocking_handlers_in_a_pool_are_a_note(flow: Callable[..., Report]) -> None:
    report = flow("  monitor: {class: 'rooms:Monitor'}\n  alarm: {class: 'rooms:Alarm', pool: 4}\n")
    finding = only(report, "note")
    assert finding.code == "instances" and finding.what.startswith("on_reading runs in threads")


# Paths ------------------------------------------------------------------------------------------------------


def test_paths_that_two_want_and_those_of_the_node(flow: Callable[..., Report]) -> None:
    report = flow("  doors: {class: 'rooms:Doors'}\n  door: {class: 'rooms:Door'}\n")
    found = {finding.where: finding for finding in report.findings}
    assert set(found) == {"doors.reserved", "doors.metrics", "door.door"}
    assert all(finding.code == "path" and finding.place.startswith("rooms.py:") for finding in found.values())
    assert "is wanted by" in found["door.door"].what


def test_flows_share_a_listener_unless_they_have_a_prefix_or_a_listener(flow: Callable[..., Report]) -> None:
    door = "  {}: {{class: 'rooms:Door'}}\n"
    assert only(flow(door.format("one"), door.format("two"))).code == "path"
    assert flow(door.format("one"), door.format("two") + "http: {path: /two}\n").count("error") == 0


# Schedules and workers --------------------------------------------------------------------------------------


def test_a_schedule_that_never_comes_is_found() -> None:
    assert not never("0 6 * * 1-5") and not never("0 0 29 2 *")
    spec = spec_of(Ticking)
    times = tuple(msgspec.structs.replace(schedule, cron="0 0 31 2,4 *") for schedule in spec.schedules)
    model = FlowModel("f").add(msgspec.structs.replace(spec, schedules=times))
    finding = only(check_models([model])[0])
    assert finding.code == "never" and finding.what == '"0 0 31 2,4 *" never comes: Bad day-of-month'


def test_a_worker_needs_an_importable_class(plant: Write) -> None:
    plant(
        "local.py",
        """
        from junctor import Service, action
        from junctor.flows import FlowModel

        def make():
            class Inner(Service):
                @action
                async def go(self): ...
            return Inner

        flow = FlowModel("local").add(make(), isolate="worker")
        """,
    )
    finding = only(check(["local.py"], Overrides())[0])
    assert finding.code == "worker" and "cannot import its class" in finding.what


# The command ------------------------------------------------------------------------------------------------


def test_the_command_prints_one_finding_a_line_with_its_fix(
    flow: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    flow("  monitor: {class: 'rooms:Monitor', connect: {readings: alrm}}\n  alarm: {class: 'rooms:Alarm'}\n")
    assert main(["check", "flow.yaml"]) == 78
    out = capsys.readouterr().out
    assert out.splitlines()[:3] == [
        "flow.yaml",
        '     3  error    monitor.readings: there is no service "alrm"',
        '                 Did you mean "alarm"?',
    ]
    assert out.splitlines()[-1] == "1 error in 1 flow, 2 services, 0 connections"


def test_strict_takes_warnings_for_errors(flow: Callable[..., Report], capsys: pytest.CaptureFixture[str]) -> None:
    flow("  notes: {class: 'rooms:Notes'}\n")
    assert main(["check", "flow.yaml"]) == 0
    assert main(["check", "--strict", "flow.yaml"]) == 78


def test_scripts_get_json(flow: Callable[..., Report], capsys: pytest.CaptureFixture[str]) -> None:
    flow("  notes: {class: 'rooms:Notes'}\n")
    assert main(["check", "--json", "flow.yaml"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (finding,) = told["findings"]
    assert (finding["level"], finding["code"], finding["file"], finding["line"]) == (
        "warning",
        "unreachable",
        "flow.yaml",
        3,
    )
    assert told["services"] == 1


def test_what_a_file_says_does_not_reach_the_terminal_as_a_command(
    flow: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    flow("  alarm: {class: 'rooms:Alarm', settings: {limit: \"\\e[31mred\"}}\n")
    assert main(["check", "flow.yaml"]) == 78
    assert "\x1b" not in capsys.readouterr().out


def test_a_key_that_is_there_twice_hides_nothing(flow: Callable[..., Report]) -> None:
    report = flow("  a: {class: 'rooms:Alarm'}\n  a: {class: 'rooms:Alarm'}\n  b: {class: 'rooms:Alarm', pol: 3}\n")
    assert [(finding.line, finding.what) for finding in report.findings if finding.level == "error"] == [
        (4, '"a" is here twice, first at flow.yaml:3'),
        (5, "there is no such word"),
    ]


@pytest.mark.parametrize(
    ("text", "line"), [("flow: x\nservices:\n  a: [1,\n", 4), ("services:\n\ta: 1\n", 2), ("a: \xff\n", 0), ("", 0)]
)
def test_what_is_no_yaml_has_its_line(plant: Write, text: str, line: int) -> None:
    plant("flow.yaml", "x").write_bytes(text.encode("latin-1"))
    finding = only(check(["flow.yaml"], Overrides())[0])
    assert finding.file == "flow.yaml" and (finding.line == line or not line)
