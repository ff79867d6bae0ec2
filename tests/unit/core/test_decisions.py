"""The pure decisions: what a failure leads to, how long to wait, when to give up, which sends are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.core.hop import MAX_LINE, MAX_LINES, Hop, again, anew, delivery_of
from junctor.core.lifecycle import TRANSITIONS, Lifecycle, State
from junctor.core.origin import origin_after, origin_of, origin_of_key, same_place
from junctor.core.outcome import Failure, Hold, LogLine, Park, Retry, Settlement
from junctor.core.policy import HoldPolicy, PoolPolicy, RestartPolicy, RetryPolicy, Waits
from junctor.core.restart import RestartHistory
from junctor.core.retry import backoff, decide, reaction_to
from junctor.errors import ConfigurationError, DecodeError, QueueFull, RequestTimeout
from junctor.messages import Kind, Message
from junctor.runtime.failures import failure_of

EXACT: dict[str, Any] = {"jitter": 0.0}


def failure(error: type[BaseException], **more: Any) -> Failure:
    return Failure(error.__name__, "no", bases=tuple(cls.__name__ for cls in error.__mro__), **more)


# Retry and hold ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "on", "reaction"),
    [
        (ValueError, {}, "retry"),
        (ValueError, {"ValueError": "park"}, "park"),
        (UnicodeError, {"ValueError": "park"}, "park"),
        (UnicodeError, {"ValueError": "park", "UnicodeError": "hold"}, "hold"),
        (ValueError, {"TypeError": "park"}, "retry"),
        (DecodeError, {}, "park"),
        (DecodeError, {"DecodeError": "retry"}, "retry"),
        (DecodeError, {"Exception": "hold"}, "park"),
        (QueueFull, {}, "hold"),
        (RequestTimeout, {}, "retry"),
        (SystemExit, {"BaseException": "park"}, "park"),
    ],
)
def test_the_reaction_is_the_policys_for_the_nearest_class(error: Any, on: Any, reaction: str) -> None:
    assert reaction_to(failure(error), RetryPolicy(on=on)) == reaction


class Gone(ConnectionError):
    """Of this module."""


@pytest.mark.parametrize(
    ("on", "reaction"),
    [
        ({f"{__name__}.Gone": "hold"}, "hold"),
        ({"tests.Gone": "hold"}, "hold"),
        ({"tests.unit.Gone": "hold", "ConnectionError": "park"}, "hold"),
        ({"other.Gone": "hold"}, "retry"),
        ({"test.Gone": "hold"}, "retry"),
        ({"builtins.ConnectionError": "park"}, "park"),
        ({"tests.ConnectionError": "park"}, "retry"),
    ],
)
def test_a_class_is_known_by_its_module_or_a_package_above_it(on: Any, reaction: str) -> None:
    assert reaction_to(failure_of(Gone("x")), RetryPolicy(on=on)) == reaction


@pytest.mark.parametrize(
    ("errors", "reaction"),
    [
        ([Gone(), Gone()], "hold"),
        ([Gone(), ValueError()], "retry"),
        ([Gone(), TypeError()], "park"),
        ([ExceptionGroup("inner", [Gone()])], "hold"),
        ([Hold("away")], "hold"),
        ([ValueError()], "retry"),
    ],
)
def test_a_group_goes_by_what_is_in_it(errors: list[Exception], reaction: str) -> None:
    policy = RetryPolicy(on={"ConnectionError": "hold", "TypeError": "park"})
    assert reaction_to(failure_of(ExceptionGroup("several", errors)), policy) == reaction


def test_a_group_may_be_named_itself() -> None:
    policy = RetryPolicy(on={"ExceptionGroup": "park"})
    assert reaction_to(failure_of(ExceptionGroup("several", [Gone()])), policy) == "park"


def test_a_class_may_have_attempts_and_waits_of_its_own() -> None:
    waits = Waits(attempts=2, initial=7, max=9)
    policy = RetryPolicy(attempts=5, on={"ConnectionError": waits}, **EXACT)
    assert decide(failure_of(Gone()), policy, HoldPolicy(), 1, 0) == (Settlement.RETRY, 7.0)
    assert decide(failure_of(Gone()), policy, HoldPolicy(), 2, 0)[0] is Settlement.PARK
    assert decide(failure_of(ValueError()), policy, HoldPolicy(), 2, 0) == (Settlement.RETRY, 0.4)
    with pytest.raises(ConfigurationError, match="on.ConnectionError: the retry waits must grow"):
        RetryPolicy(on={"ConnectionError": Waits(initial=99)})


@pytest.mark.parametrize(("word", "error"), [("retry", Retry), ("hold", Hold), ("park", Park)])
def test_the_handlers_own_word_comes_first(word: str, error: Any) -> None:
    policy = RetryPolicy(on={"Exception": "park" if word != "park" else "retry"})
    assert reaction_to(failure(error, reaction=error.reaction), policy) == word


def test_a_word_that_is_none_of_ours_counts_for_nothing() -> None:
    assert reaction_to(failure(ValueError, reaction="explode"), RetryPolicy()) == "retry"


def test_attempts_count_the_first_one() -> None:
    policy = RetryPolicy(attempts=3)
    settled = [decide(failure(ValueError), policy, HoldPolicy(), attempt, 0)[0] for attempt in (1, 2, 3)]
    assert settled == [Settlement.RETRY, Settlement.RETRY, Settlement.PARK]


def test_a_hold_never_spends_the_last_attempt() -> None:
    held = failure(ValueError, reaction="hold")
    assert decide(held, RetryPolicy(attempts=1), HoldPolicy(**EXACT), 1, 99)[0] is Settlement.HOLD


def test_the_delay_that_a_handler_asks_for() -> None:
    asked = failure(Retry, reaction="retry", delay=7.5)
    assert decide(asked, RetryPolicy(), HoldPolicy(), 1, 0) == (Settlement.RETRY, 7.5)
    assert decide(failure(Hold, reaction="hold", delay=0.0), RetryPolicy(), HoldPolicy(), 1, 0)[1] == 0.0


def test_waits_grow_up_to_their_maximum() -> None:
    policy = RetryPolicy(attempts=99, initial=1, factor=3, max=20, **EXACT)
    waits = [decide(failure(ValueError), policy, HoldPolicy(), attempt, 0)[1] for attempt in range(1, 6)]
    assert waits == [1, 3, 9, 20, 20]


@given(st.floats(0, 10), st.floats(1, 10), st.floats(0, 100), st.floats(0, 1), st.integers(0, 10**9), st.floats(0, 1))
def test_a_wait_stays_within_its_jitter_however_often(
    initial: float, factor: float, more: float, jitter: float, step: int, chance: float
) -> None:
    maximum = initial + more
    wait = backoff(initial, factor, maximum, jitter, step, chance)
    assert 0 <= wait <= maximum * (1 + jitter) * 1.0000001


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"initial": -1}, {"initial": 5, "max": 1}, {"factor": 0.5}])
def test_a_retry_policy_that_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        RetryPolicy(**wrong)


@pytest.mark.parametrize("size", [0, -1, 1025])
def test_a_pool_out_of_bounds_is_refused(size: int) -> None:
    with pytest.raises(ConfigurationError, match=str(size)):
        PoolPolicy(size=size)


# Restart ----------------------------------------------------------------------------------------------------


def test_more_failures_than_the_limit_within_the_window_are_too_many() -> None:
    history = RestartHistory(RestartPolicy(limit=2, window=10, initial=1, factor=2, max=60, jitter=0))
    assert [history.failed(now) for now in (0, 1, 2)] == [1, 2, None]


def test_failures_leave_the_window() -> None:
    history = RestartHistory(RestartPolicy(limit=2, window=10, initial=1, factor=2, max=60, jitter=0))
    assert [history.failed(now) for now in (0, 5, 11, 16, 22)] == [1, 2, 2, 2, 2]
    assert history.recent == 2


# Origin -----------------------------------------------------------------------------------------------------


def test_an_origin_tells_acts_of_sending_apart() -> None:
    same = origin_of("node-1", 1, "f/a", "T", b"{}")
    others = [
        origin_of("node-2", 1, "f/a", "T", b"{}"),
        origin_of("node-1", 2, "f/a", "T", b"{}"),
        origin_of("node-1", 1, "f/b", "T", b"{}"),
        origin_of("node-1", 1, "f/a", "U", b"{}"),
        origin_of("node-1", 1, "f/a", "T", b"[]"),
    ]
    assert same == origin_of("node-1", 1, "f/a", "T", b"{}")
    assert len({same, *others}) == 6
    assert [same_place(same, other) for other in others] == [True, False, False, True, True]
    assert (len(same), same[:4]) == (16, b"\0\0\0\1")


def test_an_expired_request_has_a_successor_in_its_place() -> None:
    first = origin_of("node-1", 3, "f/a", "T", b"{}")
    second = origin_after(first, 77)
    assert same_place(first, second) and len(second) == 16
    assert len({first, second, origin_after(second, 78), origin_after(first, 78)}) == 4


def test_an_idempotency_key_counts_within_its_target() -> None:
    assert origin_of_key("f/a", "k") == origin_of_key("f/a", "k") != origin_of_key("f/b", "k")
    assert origin_of_key("f/a", "k")[:4] == bytes(4)


# Lifecycle --------------------------------------------------------------------------------------------------


def test_every_state_has_its_row_and_every_service_can_be_stopped() -> None:
    assert set(TRANSITIONS) == set(State)
    for state in State:
        seen, todo = set[State](), [state]
        while todo:
            for following in TRANSITIONS[todo.pop()] - seen:
                seen.add(following)
                todo.append(following)
        assert State.STOPPED in seen


def test_a_change_is_told_with_its_reason_and_a_wrong_one_is_a_bug() -> None:
    told: list[tuple[State, State]] = []
    life = Lifecycle("flow/a", lambda old, new: told.append((old, new)))
    life.to(State.STARTING)
    life.to(State.STARTING, "still")
    assert (told, life.reason, repr(life)) == ([(State.NEW, State.STARTING)], "still", "<flow/a starting: still>")
    with pytest.raises(RuntimeError, match="no transition from starting to paused"):
        life.to(State.PAUSED)


# Hops -------------------------------------------------------------------------------------------------------


def message() -> Message:
    return Message(7, "node", 1, Kind.SEND, "f/a", "f/b", "T", b"{}", 0, key="k")


def test_the_next_attempt_and_the_next_probe() -> None:
    first = delivery_of(message())
    assert (first.attempt, first.lane, first.special) == (1, "k", False)
    retried = again(first, Settlement.RETRY)
    held = again(again(first, Settlement.HOLD), Settlement.HOLD)
    assert (retried.attempt, retried.probes, retried.resumed, retried.special) == (2, 0, True, True)
    assert (held.attempt, held.probes, held.resumed) == (1, 2, True)
    assert held.message is first.message and held.drafts is None and held.numbers is None


def test_a_delivery_anew_keeps_what_is_known_of_it() -> None:
    first = again(delivery_of(message()), Settlement.HOLD)
    first.suspect = True
    other = anew(first)
    assert (other.attempt, other.probes, other.suspect, other.special) == (1, 1, True, True)


def test_the_lines_of_a_hop_are_bounded_and_say_so() -> None:
    hop = Hop(Kind.TICK, "f/a", "tick", 1, 1, 0)
    for n in range(MAX_LINES + 5):
        hop.note(LogLine(n, 20, "x", "y" * (MAX_LINE + 1) if n == 0 else "short"))
    lines = hop.logs or []
    assert len(lines) == MAX_LINES + 1
    assert lines[0].text.endswith("(cut)") and "more than" in lines[-1].text
