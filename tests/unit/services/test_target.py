"""Targets: what their annotations mean, what they refuse, where they lead."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import pytest

from junctor.core.spec import TargetSpec
from junctor.errors import EncodeError, NotRunning, QueueFull, WiringError
from junctor.services import RecordingTarget, Target
from junctor.services.target import target_spec
from tests.unit.services.ports import TablePort


@dataclasses.dataclass
class Reading:
    value: float


class Better(Reading):
    pass


@dataclasses.dataclass
class Verdict:
    ok: bool


def bound(
    *services: str, kind: Any = Reading, replies: dict[str, Any] | None = None
) -> tuple[Target[Any, Any], TablePort]:
    port = TablePort({"readings": list(services)}, replies)
    return Target(port, port.links("readings"), kind, "monitor.readings"), port


# Declarations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hint", "request_", "reply", "optional"),
    [
        (Target[Reading], Reading, None, False),
        (Target[Reading, Verdict], Reading, Verdict, False),
        (Target[Reading, None], Reading, None, False),
        (Target[Reading] | None, Reading, None, True),
        (Optional[Target[Reading, Verdict]], Reading, Verdict, True),  # noqa: UP045 - people write it
        (Target[Reading | Verdict], Reading | Verdict, None, False),
        (Target[Any], Any, None, False),
        (Target[list[Reading]], list[Reading], None, False),
        (Target, Any, None, False),
    ],
)
def test_what_an_annotation_declares(hint: Any, request_: Any, reply: Any, optional: bool) -> None:
    assert target_spec("out", hint) == TargetSpec(name="out", request=request_, reply=reply, optional=optional)


@pytest.mark.parametrize("hint", [int, list[int], int | None, Reading, Any, None, list[Target[Reading]]])
def test_other_annotations_declare_no_target(hint: Any) -> None:
    assert target_spec("out", hint) is None


# Sending ------------------------------------------------------------------------------------------------------


async def test_a_send_hands_over_body_and_options() -> None:
    target, port = bound("alarm")
    assert await target.send(Reading(1)) == "receipt 1"
    await target.send(Better(2), key="a", delay="2m", headers={"h": "1"}, idempotency_key="i")
    plain, full = port.handed
    assert plain == ("flow/alarm", Reading(1), {})
    assert full[2] == {"key": "a", "delay": 120.0, "headers": {"h": "1"}, "idempotency_key": "i"}


async def test_several_services_get_a_message_each() -> None:
    target, port = bound("a", "b")
    assert await target.send(Reading(1)) == "receipt 1"
    assert [address for address, _, _ in port.handed] == ["flow/a", "flow/b"]
    assert target.send(Reading(2)).result() == "receipt 3"
    assert target.addresses == ("flow/a", "flow/b")


async def test_one_refusal_does_not_keep_the_others_from_getting_it() -> None:
    target, port = bound("a", "b", "c", replies={"flow/a": QueueFull("full")})
    with pytest.raises(QueueFull):
        await target.send(Reading(1))
    with pytest.raises(QueueFull):
        target.send(Reading(1)).result()
    assert [address for address, _, _ in port.handed] == ["flow/a", "flow/b", "flow/c"] * 2


async def test_a_target_that_leads_nowhere_takes_sends() -> None:
    target, _ = bound()
    assert await target.send(Reading(1)) is None
    assert repr(target) == "<Target monitor.readings -> nothing>"


async def test_a_request_brings_the_reply() -> None:
    target, port = bound("alarm", replies={"flow/alarm": Verdict(True)})
    assert await target.request(Reading(1)) == Verdict(True)
    assert target.request(Reading(1), timeout="2s").result() == Verdict(True)
    assert [options for _, _, options in port.handed] == [{}, {"key": None, "timeout": 2.0, "headers": None}]


@pytest.mark.parametrize("services", [[], ["a", "b"]])
def test_a_request_needs_exactly_one_service(services: list[str]) -> None:
    target, port = bound(*services)
    with pytest.raises(WiringError, match="monitor.readings: a request needs exactly one service.*or use send()"):
        target.request(Reading(1))
    assert not port.handed


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (Reading, Verdict(True), "expected Reading, got Verdict"),
        (Reading, Reading, "expected Reading, got type"),
        (Reading | Verdict, "x", "expected Reading or Verdict, got str"),
        (list[Reading], Reading(1), "expected list, got Reading"),
        (float, "1", "expected float or int, got str"),
    ],
)
def test_a_body_of_another_type_is_refused_before_it_leaves(kind: Any, body: Any, expected: str) -> None:
    target, port = bound("alarm", kind=kind)
    for call in (target.send, target.request):
        with pytest.raises(EncodeError) as caught:
            call(body)
        assert str(caught.value).startswith(f"monitor.readings: {expected}. Send ")
    assert not port.handed


def test_the_article_fits() -> None:
    with pytest.raises(EncodeError, match="Send an int, or"):
        bound("alarm", kind=int)[0].send("1")


@pytest.mark.parametrize(
    ("kind", "body"), [(Any, object()), (float, 1), (Reading | Verdict, Verdict(True)), (Reading, Better(1))]
)
def test_what_fits_leaves(kind: Any, body: Any) -> None:
    target, port = bound("alarm", kind=kind)
    target.send(body)
    target.request(body)
    assert len(port.handed) == 2


@pytest.mark.parametrize("delay", ["soon", -1])
def test_a_delay_is_a_duration(delay: Any) -> None:
    target, port = bound("alarm")
    with pytest.raises(ValueError, match="is not a duration"):
        target.send(Reading(1), delay=delay)
    assert not port.handed


# Recording ----------------------------------------------------------------------------------------------------


async def test_a_recording_target_keeps_and_answers() -> None:
    target: RecordingTarget[Reading, Verdict] = RecordingTarget(
        Reading, "monitor.readings", [Verdict(True), QueueFull("x")]
    )
    await target.send(Reading(1), key="a")
    assert await target.request(Reading(2), timeout=1) == Verdict(True)
    with pytest.raises(QueueFull):
        target.request(Reading(3))
    with pytest.raises(
        NotRunning, match=r"monitor.readings: .*no answer was prepared.*monitor.readings.answers.append"
    ):
        target.request(Reading(4))
    with pytest.raises(EncodeError, match="expected Reading, got str"):
        target.send("x")  # type: ignore[arg-type]
    assert target.sent == [Reading(1), Reading(2), Reading(3), Reading(4)]


def test_a_real_target_records_nothing_and_says_where_to_look() -> None:
    target, _ = bound("alarm")
    with pytest.raises(AttributeError, match="junctor messages"):
        _ = target.sent
    with pytest.raises(AttributeError, match="asks a real service"):
        _ = target.answers
