"""Outages of ticks and ``loop()``: which failures are one, how long each waits, what is shown."""

from __future__ import annotations

import random

import pytest

from junctor.clock import SECOND
from junctor.core.outage import SHORTEST, Outages
from junctor.core.outcome import Failure, Hold, Rest, Retry
from junctor.core.policy import HoldPolicy, Policies, RetryPolicy
from junctor.errors import QueueFull
from junctor.runtime.failures import failure_of

POLICIES = Policies(
    retry=RetryPolicy(on={"ConnectionError": "hold", "PermissionError": "park"}),
    hold=HoldPolicy(initial=1, factor=2, max=8, jitter=0.1),
)


def waits(outages: Outages, entry: str, error: BaseException, count: int, now: int = 0) -> list[float]:
    met = [outages.met(entry, failure_of(error), POLICIES, now, 0.5) for _ in range(count)]
    return [outage.wait for outage in met if outage is not None]


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (ConnectionError("a"), True),
        (ConnectionRefusedError("a base counts"), True),
        (OSError("not named"), False),
        (PermissionError("named otherwise"), False),
        (ValueError("a"), False),
        (Hold("a"), True),
        (Retry("a"), False),
        (Rest("a"), True),
        (QueueFull("no room"), True),
        (ExceptionGroup("all", [ConnectionError("a"), Hold("b")]), True),
        (ExceptionGroup("some", [ConnectionError("a"), ValueError("b")]), False),
    ],
)
def test_an_outage_is_what_the_policies_would_hold_a_message_for(error: BaseException, outage: bool) -> None:
    assert (Outages().met("poll", failure_of(error), POLICIES, 0) is not None) is outage


def test_waits_grow_to_the_longest_and_begin_anew_after_a_quiet_time() -> None:
    outages = Outages()
    assert waits(outages, "poll", ConnectionError("a"), 6) == [1, 2, 4, 8, 8, 8]
    assert waits(outages, "other", ConnectionError("a"), 2) == [1, 2], "each entry has its own"
    outages.end("poll", 100 * SECOND, proven=False)
    assert waits(outages, "poll", ConnectionError("a"), 1, 101 * SECOND) == [8], "cut as soon as it was connected"
    outages.end("poll", 200 * SECOND, proven=False)
    assert waits(outages, "poll", ConnectionError("a"), 2, 260 * SECOND) == [1, 2]
    outages.end("poll", 300 * SECOND)
    assert waits(outages, "poll", ConnectionError("a"), 1, 301 * SECOND) == [1], "it has done its work in between"


def test_an_exception_chooses_its_wait_but_never_none_at_all() -> None:
    assert waits(Outages(), "poll", Hold("busy", delay=90), 2) == [90, 90]
    assert waits(Outages(), "poll", Hold("busy", delay=0), 1) == [SHORTEST]


def test_jitter_spreads_each_wait() -> None:
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    failure = Failure("ConnectionError", "a", bases=("ConnectionError",))
    for _ in range(200):
        met = Outages().met("poll", failure, POLICIES, 0, chance.random())
        assert met is not None and 0.9 <= met.wait <= 1.1, f"seed {seed}"


def test_it_lasts_since_its_first_try_with_the_latest_error() -> None:
    outages = Outages()
    for second, text in enumerate(("refused", "timed out", "no route")):
        outages.met("poll", failure_of(ConnectionError(text)), POLICIES, second * SECOND)
    first = outages.first
    assert first is not None
    assert (first.since, first.tries, first.note) == (0, 3, "away: ConnectionError: no route")
    ended = outages.end("poll", 9 * SECOND)
    assert ended is not None and ended.since == 0
    assert outages.first is None and outages.end("poll", 10 * SECOND) is None


def test_a_rest_is_shown_where_nothing_is_away() -> None:
    outages = Outages()
    outages.met("night", failure_of(Rest("until eight")), POLICIES, 1)
    assert outages.away is None and outages.first is not None and outages.first.note == "until eight"
    outages.met("poll", failure_of(ConnectionError("a")), POLICIES, 2)
    assert outages.away is outages.first is not None
    assert outages.first.note == "away: ConnectionError: a"
    outages.met("poll", failure_of(Rest("closed")), POLICIES, 3)
    assert outages.away is None, "it turned out to be planned"
    outages.met("poll", failure_of(ConnectionError("a")), POLICIES, 4)
    assert outages.away is not None and outages.away.since == 4


def test_what_a_service_has_no_more_is_forgotten() -> None:
    outages = Outages()
    waits(outages, "poll", ConnectionError("a"), 1)
    waits(outages, "sweep", ConnectionError("a"), 1)
    outages.keep({"sweep"})
    assert outages.of("poll") is None and outages.of("sweep") is not None


def test_reached_is_known_after_the_first_good_end() -> None:
    outages = Outages()
    waits(outages, "poll", ConnectionError("a"), 3)
    assert not outages.reached
    outages.end("poll", 1)
    waits(outages, "poll", ConnectionError("a"), 1, 2)
    assert outages.reached
