"""Which reasons a rule finds in what a node sees of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from junctor.core.faults import LASTS, Faults
from junctor.core.hours import Hours, read_hours
from junctor.core.records import ParkedGroup
from junctor.core.room import Room
from junctor.core.signals import Observation, ServiceFacts, Signals, SuspendedRuns, When, lasting, signals_of, sized

NOW = int(datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 10**9
GIB = 1 << 30
ALWAYS = Hours()


def facts(name: str = "crm", state: str = "running", **more: Any) -> ServiceFacts:
    return ServiceFacts(address=f"shop/{name}", state=state, **more)


def found(when: When, *services: ServiceFacts, flow: str = "shop", hours: Hours = ALWAYS, **more: Any) -> Signals:
    return signals_of(when, hours, flow, Observation(time=NOW, monotonic=0, services=services, **more))


def keys(signals: Signals) -> list[str]:
    return [signal.key for signal in signals.found]


def group(service: str = "shop/crm", count: int = 2, fingerprint: str = "a1b2c3d4e5f6") -> ParkedGroup:
    return ParkedGroup(service, "Sale", "ValueError", "no unit", fingerprint, count, NOW, NOW, 7)


def test_parked_counts_all_groups_and_tells_each() -> None:
    parked = (group(), group(fingerprint="ff"), group("shop/erp", 1))
    assert not keys(found(When(parked=6), parked=parked))
    one, _, erp = found(When(parked=5), parked=parked).found
    assert (one.count, one.command) == (2, "junctor parked a1b2c3d4")
    assert one.text == "2 messages parked: ValueError: no unit"
    assert erp.service == "shop/erp"
    assert keys(found(When(parked=1, service=("erp",)), parked=parked)) == [erp.key]
    assert not keys(found(When(parked=1), flow="other", parked=parked)), "rules are about their own flow"


def test_a_count_that_changes_is_the_same_reason() -> None:
    assert keys(found(When(parked=1), parked=(group(count=2),))) == keys(
        found(When(parked=1), parked=(group(count=3),))
    )


def test_states_of_services() -> None:
    failed, held = facts(state="failed", reason="ValueError: x"), facts("erp", "held", queued=3, reason="refused")
    assert keys(found(When(stopped=1), failed, held)) == ["stopped shop/crm"]
    assert not keys(found(When(stopped=2), failed, held))
    again = facts("erp", "backoff", failures=6, reason="OSError: no device")
    assert keys(found(When(stopped=1), again)) == ["failing shop/erp"]
    assert not keys(found(When(stopped=1), facts("erp", "backoff", failures=5)))
    assert keys(found(When(stopped=2), failed, again)) == ["failing shop/erp"]
    (stopped,) = found(When(stopped=1), failed, held).found
    assert stopped.command == f"junctor restart {failed.address}"
    (signal,) = found(When(held=600), failed, held).found
    assert (signal.needs, signal.text) == (600, "held with 3 messages waiting: refused")
    assert not keys(found(When(held=600), facts("erp", "held", queued=3, reason="closed until 8", rests=True)))


def test_ticks_and_loops_that_find_the_other_side_away() -> None:
    away = facts(away=NOW - 5, error="ConnectionError: refused", reached=False)
    (signal,) = found(When(held=600), away).found
    assert (signal.key, signal.kind, signal.since, signal.needs) == ("away shop/crm", "away", NOW - 5, 600)
    assert signal.text == "the other side is away: ConnectionError: refused"
    paused = found(When(held=600), facts(state="paused", away=NOW - 5))
    assert not paused.found and "away shop/crm" in paused.unsure
    held = found(When(held=600), facts(state="held", away=NOW - 5, queued=2, reason="refused"))
    assert (keys(held), held.unsure) == (["held shop/crm"], {"away shop/crm"}), "one reason a service"


@pytest.mark.parametrize(
    ("service", "sure"),
    [
        (facts(), True),
        (facts(state="paused"), False),
        (facts(state="backoff"), False),
        (facts(state="held", queued=3, rests=True), False),
        (facts(tried=False, queued=3), False),
        (facts(reached=False), False),
    ],
)
def test_who_does_not_deliver_does_not_know_whether_the_other_side_is_back(service: ServiceFacts, sure: bool) -> None:
    assert (found(When(held=1), service).unsure == set()) is sure


def test_queue_and_age() -> None:
    service = facts(queued=10, oldest=NOW - 90 * 10**9)
    assert keys(found(When(queue=10), service)) == ["queue shop/crm"]
    assert not keys(found(When(queue=11), service))
    (old,) = found(When(age=60), service).found
    assert old.text == "the oldest of 10 messages waits for 1 min"
    assert not keys(found(When(age=91), service))
    assert not keys(found(When(age=0.1), facts(queued=1, oldest=NOW + 10**18))), "the clock was set back"


def test_silence_counts_from_the_opening_on() -> None:
    when, hours = When(silent=900), read_hours("07:00-19:00", ("mon-fri",), "Europe/Berlin")
    assert keys(found(when, facts(quiet=1000.0), hours=hours)) == ["silent shop/crm"]
    assert not keys(found(when, facts(quiet=800.0), hours=hours))
    early = NOW - (5 * 3600 - 300) * 10**9  # five past seven: quiet all night is no reason yet
    seen = Observation(time=early, monotonic=0, uptime=1e6, services=(facts(quiet=9e4),))
    assert not signals_of(when, hours, "shop", seen).found
    assert signals_of(when, hours, "shop", seen).unsure == {"silent shop/crm"}, "an alarm of yesterday stays"


def test_a_service_that_has_done_nothing_yet_is_silent_since_the_start() -> None:
    assert keys(found(When(silent=900), facts(quiet=None), uptime=901.0)) == ["silent shop/crm"]
    fresh = found(When(silent=900), facts(quiet=None), uptime=10.0)
    assert not fresh.found and fresh.unsure, "an alarm from before the start is not over by that"
    assert found(When(silent=900), facts(quiet=5.0)).unsure == set(), "one that has taken something is"


def test_the_store() -> None:
    room = Room(database=1, wal=65 << 20, damaged=0, reserve=0, free=GIB, total=20 * GIB)
    assert keys(found(When(disk=95, free=GIB, wal=64 << 20), room=room)) == ["disk", "free", "wal"]
    assert not keys(found(When(disk=96, free=GIB - 1, wal=66 << 20), room=room))
    assert not keys(found(When(disk=1, free=1, wal=1))), "in memory there is none"


def test_words() -> None:
    assert [lasting(seconds) for seconds in (0, 59.9, 60, 3700, 90000)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 1 min",
        "1 d 1 h",
    ]
    assert [sized(count) for count in (65 << 20, 3 * GIB)] == ["65.0 MiB", "3.0 GiB"]


def test_suspended_runs_are_counted_over_all_services_that_are_meant() -> None:
    runs = (
        SuspendedRuns(service="shop/orders", count=1, since=NOW, run=7, error="Divergence: step 3"),
        SuspendedRuns(service="shop/returns", count=2, since=NOW, run=9, error="x"),
    )
    seen = Observation(time=NOW, monotonic=0, suspended=runs)
    assert not signals_of(When(suspended=4), Hours(), "shop", seen).found
    found = signals_of(When(suspended=3), Hours(), "shop", seen).found
    assert [(one.key, one.count, one.command) for one in found] == [
        ("suspended shop/orders", 1, "junctor workflows 7"),
        ("suspended shop/returns", 2, "junctor workflows --service shop/returns --status suspended"),
    ]
    assert found[0].text == "1 run suspended: Divergence: step 3"
    assert not signals_of(When(suspended=1), Hours(), "mill", seen).found


def test_errors_are_reasons_by_their_codes() -> None:
    faults = Faults()
    faults.note("666", "no pin", NOW - 3)
    faults.note("90001", "offline", NOW - 2)
    faults.note("666", "no pin at all", NOW - 1)
    service = facts(faults=faults.lasting(NOW))
    assert keys(found(When(fault=("666",)), service)) == ["fault shop/crm 666"]
    assert keys(found(When(fault=("*",)), service)) == ["fault shop/crm 90001", "fault shop/crm 666"]
    assert keys(found(When(fault=("667",)), service)) == []
    assert [(one.text, one.count, one.since) for one in service.faults[1:]] == [("no pin at all", 2, NOW - 3)]
    assert faults.lasting(NOW + LASTS) == ()
