"""Targets whose connections have conditions: who gets a message, and what becomes of one that nobody can judge."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import msgspec
import pytest

from junctor.core.condition import Condition
from junctor.core.port import Link
from junctor.errors import NoRoute, WiringError
from junctor.messages import CONDITION, HANDLER
from junctor.services.target import Target
from tests.unit.services.ports import TablePort


@dataclasses.dataclass
class Reading:
    sensor: str
    value: float
    note: str | None = None


def target(*ways: str | tuple[str, str], replies: dict[str, Any] | None = None) -> tuple[Target[Any, Any], TablePort]:
    """A target to services, each with its condition or without."""
    port = TablePort(replies=replies)
    links = []
    for way in ways:
        name, text = way if isinstance(way, tuple) else (way, "")
        link: Link = port.link_to(name, Any)
        links.append(msgspec.structs.replace(link, when=Condition(text, "flow.yaml:3") if text else None))
    return Target(port, tuple(links), Reading, "monitor.readings"), port


def went(port: TablePort) -> list[str]:
    return [address for address, _, _ in port.handed]


def test_each_service_whose_condition_holds_gets_the_message() -> None:
    readings, port = target(("alarm", "body.value > 80"), ("log", "body.value > 50"), "archive")
    for value, expected in ((10.0, ["archive"]), (60.0, ["log", "archive"]), (90.0, ["alarm", "log", "archive"])):
        port.handed.clear()
        assert readings.send(Reading("cpu", value)).result() is not None
        assert went(port) == [f"flow/{name}" for name in expected]


def test_a_message_that_fits_nowhere_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    readings, port = target(("alarm", "body.value > 80"))
    with caplog.at_level(logging.DEBUG, "junctor.target"):
        for _ in range(3):
            assert readings.send(Reading("cpu", 1.0)).result() is None
    assert went(port) == []
    assert "monitor.readings: no condition holds for this Reading, it goes nowhere; 3 so far" in caplog.text


def test_a_message_that_cannot_be_judged_travels_with_the_reason() -> None:
    readings, port = target(("alarm", "body.note.size() > 3"), ("log", "body.value > 50"))
    readings.send(Reading("cpu", 60.0), key="k", headers={"who": "me", CONDITION: "mine", HANDLER: "other"}).result()
    assert went(port) == ["flow/alarm", "flow/log"]
    headers = port.handed[0][2]["headers"]
    assert set(headers) == {"who", CONDITION} and port.handed[0][2]["key"] == "k"
    assert headers[CONDITION].startswith("flow.yaml:3: the condition `body.note.size() > 3` cannot be evaluated")
    assert port.handed[1][2]["headers"] == {"who": "me"}


def test_a_request_goes_to_the_first_whose_condition_holds() -> None:
    judges, port = target(("high", "body.value > 80"), ("middle", "body.value > 50"), "low")
    for value in (90.0, 60.0, 1.0):
        judges.request(Reading("cpu", value)).result()
    assert went(port) == ["flow/high", "flow/middle", "flow/low"]


def test_a_request_that_fits_nowhere_is_an_error_of_the_caller() -> None:
    judges, port = target(("high", "body.value > 80"), ("middle", "body.value > 50"))
    with pytest.raises(NoRoute) as caught:
        judges.request(Reading("cpu", 1.0))
    assert str(caught.value).startswith(
        "monitor.readings: none of its conditions holds: `body.value > 80`, `body.value > 50`. "
    )
    assert went(port) == []


def test_a_request_does_not_choose_among_services_without_conditions() -> None:
    judges, _ = target("high", "low")
    with pytest.raises(WiringError, match="exactly one service"):
        judges.request(Reading("cpu", 1.0))
