"""``junctor check --store``: what waits in a store, read with the code of today, beside a node and without one."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from tests.integration.node.conftest import Junctor

SERVICES = """
from dataclasses import dataclass
from junctor import Park, Service, handler, message


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


@dataclass(frozen=True)
class Note:
    text: str


class Alarm(Service):
    @handler
    async def on_reading(self, reading: Reading) -> None: ...

    @handler
    async def on_note(self, note: Note) -> None: ...


class Broken(Service):
    @handler
    async def on_note(self, note: Note) -> None:
        raise Park("not today")
"""

FLOW = """flow: plant
services:
  alarm: {class: rooms:Alarm}
  broken: {class: rooms:Broken}
"""


@pytest.fixture
def waiting(junctor: Junctor) -> Junctor:
    """A node that was killed with three readings and a note waiting, and a parked note."""
    write(junctor)
    node = junctor.start("flow.yaml", "--port", "0")
    junctor.here("pause", "alarm")
    for number in range(3):
        junctor.here("send", "alarm", json.dumps({"sensor": "cpu", "value": number}), "--type", "Reading")
    junctor.here("send", "alarm", '{"text": "later"}', "--type", "Note")
    junctor.here("request", "broken", '{"text": "no"}', code=1)
    node.signal(signal.SIGKILL)
    node.ends(-signal.SIGKILL)
    return junctor


def write(junctor: Junctor, services: str = SERVICES, flow: str = FLOW) -> None:
    rooms = junctor.folder / "rooms.py"
    rooms.write_text(services)
    # Python knows its byte code by size and second: two versions in one second would be one to it.
    age = len(services) + sum(map(ord, services)) % 10_000
    os.utime(rooms, (age, age))
    (junctor.folder / "flow.yaml").write_text(flow)


def checked(junctor: Junctor, code: int, *words: str) -> list[dict[str, Any]]:
    said = junctor("check", "flow.yaml", "--store", "--json", *words, code=code)
    report = json.loads(said[: said.rindex("}") + 1])
    assert report["messages"] == 5
    return [one for one in report["findings"] if one["code"] != "unreachable"]


def test_what_todays_code_reads_is_no_finding(waiting: Junctor) -> None:
    assert checked(waiting, 0) == []
    said = waiting("check", "flow.yaml", "--store")
    assert "5 stored messages" in said
    assert waiting("check", "--store", "flow.yaml") == said, "a flow behind the option is no store"


def test_what_it_cannot_read_is_counted_by_service_and_type(waiting: Junctor) -> None:
    write(waiting, SERVICES.replace("    sensor: str\n", "    sensor: str\n    level: int\n"))
    (finding,) = checked(waiting, 78)
    assert (finding["level"], finding["code"], finding["where"]) == ("error", "cannot-decode", "alarm")
    assert finding["what"].startswith("3 pending messages of Reading: the body is not a valid Reading: ")
    assert "missing required field `level`" in finding["what"]
    assert finding["see"][0].count("-") == 3 and finding["see"][0].startswith("in the store: ")
    assert finding["place"] == "flow.yaml:3"


def test_the_path_of_the_field_is_told(waiting: Junctor) -> None:
    write(waiting, SERVICES.replace("    value: float\n", "    value: str\n"))
    (finding,) = checked(waiting, 78)
    assert "Expected `str`, got `float`" in finding["what"] and "Reading.value" in finding["what"]


def test_a_parked_message_that_does_not_fit_is_a_warning(waiting: Junctor) -> None:
    write(waiting, SERVICES.replace("    text: str\n", "    text: int\n"))
    found = checked(waiting, 78)
    assert sorted((one["where"], one["level"]) for one in found) == [("alarm", "error"), ("broken", "warning")]
    assert any(one["what"].startswith("1 parked message of Note") for one in found)


def test_a_handler_that_is_gone_and_a_service_that_is_gone(waiting: Junctor) -> None:
    write(waiting, SERVICES.replace("    @handler\n    async def on_reading", "    async def on_reading"))
    (finding,) = checked(waiting, 78)
    assert (finding["code"], finding["what"]) == (
        "no-handler",
        "3 pending messages of Reading: no handler takes Reading",
    )
    write(waiting, flow=FLOW.replace("alarm:", "alert:"))
    found = checked(waiting, 78)
    assert {one["code"] for one in found} == {"orphaned"}
    assert sorted(one["what"].partition(":")[0] for one in found) == [
        "1 pending message of Note",
        "3 pending messages of Reading",
    ]
    assert all('Did you mean "alert"?' in one["fix"] for one in found)


def test_a_disabled_service_keeps_its_messages_without_a_word(waiting: Junctor) -> None:
    write(waiting, flow=FLOW.replace("rooms:Alarm}", "rooms:Alarm, enabled: false}"))
    assert checked(waiting, 0) == []


def test_it_reads_beside_a_running_node_and_from_a_named_folder(waiting: Junctor) -> None:
    waiting.start("flow.yaml", "--port", "0")
    write(waiting, SERVICES.replace("    value: float\n", "    value: str\n"))
    said = waiting("check", "flow.yaml", "--store", str(waiting.folder / ".junctor" / "plant"), code=78)
    assert "3 pending messages of Reading" in said
    assert "alarm" in waiting.here("status")
    waiting.here("stop")


def test_without_a_store_it_says_so(junctor: Junctor) -> None:
    write(junctor)
    assert "there is no store in this folder" in junctor("check", "flow.yaml", "--store", code=78)
    assert not (junctor.folder / ".junctor").exists(), "a check makes nothing"


def test_a_bounded_look_reads_the_newest_of_what_waits(waiting: Junctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a reload does it, which must not read a million messages at each save."""
    from junctor.flows import load, wire_all
    from junctor.flows.check.store import store_findings
    from junctor.store.reader import open_archive

    monkeypatch.chdir(waiting.folder)
    archive = open_archive(waiting.folder / ".junctor" / "plant")
    try:
        wirings = wire_all([load("flow.yaml")])
        assert store_findings(archive, wirings) == ([], 5)
        assert store_findings(archive, wirings, 2) == ([], 3), "two of those that wait, and the parked one"
    finally:
        archive.close()
