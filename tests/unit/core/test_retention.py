"""What is kept and what goes: the decisions alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.clock import SECOND
from junctor.core.policy import MIB, Recording
from junctor.core.retention import (
    DAY,
    Candidate,
    ClockWatch,
    Pressure,
    Retention,
    Rule,
    Verdict,
    budget,
    compactable,
    dated,
    pause,
)
from junctor.core.room import Room
from junctor.errors import ConfigurationError
from junctor.messages import Status

NOW = 10_000 * int(DAY) * SECOND
OPEN = (Status.READY, Status.CLAIMED, Status.WAITING, Status.PARKED)


def days(count: float) -> int:
    return NOW - int(count * DAY) * SECOND


def record(age: float = 100.0, status: Status = Status.DONE, **facts: bool) -> Candidate:
    return Candidate(1, "f/s", b"session", status, days(age), days(age), **facts)


def room(**sizes: int) -> Room:
    return Room(**{"database": 0, "wal": 0, "damaged": 0, "reserve": 0, "free": 0, "total": 0} | sizes)


RULE = Rule(Retention(done=7 * DAY, failures=30 * DAY, keys=2 * DAY))


# Judging -----------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(OPEN),
    st.floats(0, 10_000),
    st.sampled_from(Pressure),
    st.sampled_from(["all", "failures", "off"]),
    st.booleans(),
)
def test_what_is_owed_or_parked_is_never_removed(
    status: Status, age: float, pressure: Pressure, recording: Recording, failed: bool
) -> None:
    rule = Rule(Retention(done=0, failures=0, keys=0), recording)
    assert rule.judge(record(age, status, failed=failed), NOW, pressure) is Verdict.KEEP


@given(st.sampled_from(Status), st.sampled_from(Pressure), st.sampled_from(["all", "failures", "off"]))
def test_what_its_cause_would_send_again_is_never_removed(
    status: Status, pressure: Pressure, recording: Recording
) -> None:
    assert Rule(Retention(), recording).judge(record(status=status, needed=True), NOW, pressure) is Verdict.KEEP


def test_what_ended_well_goes_after_its_age_when_nothing_of_its_session_failed() -> None:
    assert RULE.judge(record(6.9), NOW) is Verdict.KEEP
    assert RULE.judge(record(7.1), NOW) is Verdict.IF_WELL
    assert RULE.judge(record(30.1), NOW) is Verdict.REMOVE


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.FAILED, Status.RESENT, Status.DISCARDED])
def test_what_failed_stays_longer(status: Status) -> None:
    assert RULE.judge(record(29.9, status), NOW) is Verdict.KEEP
    assert RULE.judge(record(30.1, status), NOW) is Verdict.REMOVE
    assert RULE.judge(record(29.9, failed=True), NOW) is Verdict.KEEP


def test_failures_stay_at_least_as_long_as_what_ended_well() -> None:
    rule = Rule(Retention(done=math.inf, failures=DAY))
    assert rule.judge(record(5000, Status.FAILED), NOW) is Verdict.KEEP


def test_the_age_counts_from_the_end_and_not_from_the_acceptance() -> None:
    delayed = Candidate(1, "f/s", b"", Status.DONE, days(60), days(1))
    assert RULE.judge(delayed, NOW) is Verdict.KEEP


def test_a_key_keeps_a_record_also_when_the_store_is_too_large() -> None:
    young, old = record(1.9, keyed=True), record(2.1, keyed=True)
    for pressure in Pressure:
        assert RULE.judge(young, NOW, pressure) is Verdict.KEEP
    assert RULE.judge(old, NOW, Pressure.WELL) is Verdict.IF_WELL


def test_when_the_store_is_too_large_what_ended_well_goes_first_whatever_its_age() -> None:
    assert RULE.judge(record(0), NOW, Pressure.WELL) is Verdict.IF_WELL
    assert RULE.judge(record(0, Status.FAILED), NOW, Pressure.WELL) is Verdict.KEEP
    assert RULE.judge(record(0, Status.FAILED), NOW, Pressure.FAILURES) is Verdict.REMOVE


def test_a_service_that_records_failures_keeps_nothing_that_ended_well() -> None:
    rule = Rule(Retention(), "failures")
    assert rule.judge(record(0), NOW) is Verdict.REMOVE
    assert rule.judge(record(0, failed=True), NOW) is Verdict.KEEP
    assert rule.judge(record(0, Status.FAILED), NOW) is Verdict.KEEP


def test_a_service_that_records_nothing_hides_no_decision_of_an_operator() -> None:
    rule = Rule(Retention(), "off")
    for status in (Status.DONE, Status.EXPIRED, Status.FAILED):
        assert rule.judge(record(0, status), NOW) is Verdict.REMOVE
    for status in (Status.RESENT, Status.DISCARDED):
        assert rule.judge(record(0, status), NOW) is Verdict.KEEP


def test_a_record_from_the_future_is_as_old_as_what_came_after_it() -> None:
    future, after = record(-3650), record(8)
    assert [one.ended for one in dated([future, after], NOW)] == [days(8), days(8)]
    alone = dated([record(8), future], NOW)[1]
    assert RULE.judge(alone, NOW) is Verdict.KEEP


# The clock ---------------------------------------------------------------------------------------------------


def test_a_steady_clock_is_trusted() -> None:
    watch = ClockWatch(newest=NOW)
    assert all(watch.trusts(NOW + hour * 3600 * SECOND, hour * 3600.0) for hour in range(24 * 30))


def test_a_clock_that_jumps_ahead_is_not_trusted_until_it_is_back() -> None:
    watch = ClockWatch()
    assert watch.trusts(NOW, 0.0)
    assert not watch.trusts(NOW + int(3650 * DAY) * SECOND, 60.0)
    assert not watch.trusts(NOW + int(3650 * DAY + 60) * SECOND, 120.0)
    assert watch.trusts(NOW + 180 * SECOND, 180.0)


def test_a_clock_that_was_put_right_is_trusted_after_a_day() -> None:
    watch = ClockWatch()
    assert watch.trusts(0, 0.0)
    assert not watch.trusts(NOW, 1.0)
    assert not watch.trusts(NOW + int(DAY / 2) * SECOND, DAY / 2)
    assert watch.trusts(NOW + int(DAY + 2) * SECOND, DAY + 2)


def test_a_clock_set_back_is_told_and_nothing_is_old_by_it() -> None:
    watch = ClockWatch()
    assert watch.trusts(NOW, 0.0)
    assert not watch.trusts(NOW - int(365 * DAY) * SECOND, 1.0)
    assert RULE.judge(record(0), NOW - int(365 * DAY) * SECOND) is Verdict.KEEP


def test_a_node_that_wakes_up_years_later_waits_a_day() -> None:
    watch = ClockWatch(newest=days(3650))
    assert not watch.trusts(NOW, 0.0)
    assert watch.trusts(NOW + int(DAY) * SECOND, DAY)


def test_a_restart_does_not_make_a_wrong_clock_a_right_one() -> None:
    first = ClockWatch()
    first.trusts(0, 0.0)
    assert not first.trusts(NOW, 1.0)
    assert not first.trusts(NOW + 3600 * SECOND, 3601.0)
    assert first.left == DAY - 3600
    second = ClockWatch(newest=NOW, left=first.left)
    assert not second.trusts(NOW + 7200 * SECOND, 50.0)
    assert second.trusts(NOW + int(DAY) * SECOND, 50.0 + DAY - 3600)
    assert second.left == 0


# The budget --------------------------------------------------------------------------------------------------


def test_the_smallest_budget_of_all_flows_counts() -> None:
    asked = [Retention(disk=500 * MIB), Retention(disk=100 * MIB), Retention()]
    assert budget(asked, room(wal=10 * MIB)) == 90 * MIB


def test_a_log_held_back_by_a_reader_does_not_drive_records_out() -> None:
    assert budget([Retention(disk=100 * MIB)], room(wal=900 * MIB)) == 50 * MIB


@pytest.mark.parametrize(("disk", "share"), [(1024, 256), (10_240, 1024), (1_000_000, 5120), (0, 5120)])
def test_without_a_budget_it_is_a_tenth_of_the_disk_within_bounds(disk: int, share: int) -> None:
    assert budget([Retention()], room(total=disk * MIB)) == share * MIB


def test_some_room_stays_free_inside_unless_the_disk_is_full() -> None:
    assert compactable(100 * MIB, 9 * MIB, 0, short=False) == 0
    assert compactable(100 * MIB, 30 * MIB, 0, short=False) == 20 * MIB
    assert compactable(100 * MIB, 9 * MIB, 0, short=True) == 9 * MIB
    assert compactable(100 * MIB, 9 * MIB, 95 * MIB, short=False) == 5 * MIB


def test_sweeps_come_as_often_as_the_shortest_age_needs() -> None:
    assert pause([Retention()], False) == 600
    assert pause([Retention(done=60), Retention()], False) == 5
    assert pause([Retention(done=6 * 3600), Retention()], False) == 216
    assert pause([Retention()], True) == 5


def test_a_wrong_number_says_which() -> None:
    with pytest.raises(ConfigurationError, match="retention.done is -1"):
        Retention(done=-1)
    with pytest.raises(ConfigurationError, match="retention.disk is 1000.*at least 32MiB"):
        Retention(disk=1000)
