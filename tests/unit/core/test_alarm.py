"""When an alarm is raised, told, repeated and over: the state machine in time that the test makes."""

from __future__ import annotations

import random

import msgspec
import pytest

from junctor.core.alarm import CALM, Notification, Pace, RuleState, step
from junctor.core.signals import Signal, Signals


class Rule:
    """A rule with its state, looked at every two seconds."""

    def __init__(self, **pace: float) -> None:
        self.pace = Pace(**pace)  # type: ignore[arg-type]
        self.state = RuleState()
        self.now = 0.0
        self.told: list[tuple[float, str, tuple[str, ...]]] = []

    def look(self, *keys: str, unsure: tuple[str, ...] = (), needs: float = 0.0, count: int = 1) -> Notification | None:
        signals = Signals([signal(key, needs, count) for key in keys], set(unsure))
        self.state, told = step(self.pace, self.state, signals, self.now, int(self.now * 1e9))
        if told is not None:
            self.told.append((self.now, told.event, tuple(alarm.service for alarm in told.items)))
        self.now += 2
        return told

    def looks(self, seconds: float, *keys: str, **more: float) -> None:
        for _ in range(int(seconds / 2)):
            self.look(*keys, **more)  # type: ignore[arg-type]


def signal(key: str, needs: float = 0.0, count: int = 1) -> Signal:
    return Signal(
        key=key, kind="held", service=key, text=f"{count} wait", count=count, since=0, command="x", needs=needs
    )


def test_the_first_is_told_at_once_and_its_end_once_it_is_calm() -> None:
    rule = Rule()
    rule.look("crm")
    rule.looks(600, "crm")
    rule.looks(60)
    assert rule.told == [(0, "raised", ("crm",)), (602 + CALM + 1, "resolved", ("crm",))]
    assert rule.state.alarms == {} and rule.state.open == []


def test_what_comes_meanwhile_is_told_together_after_the_pace() -> None:
    rule = Rule(pace=60)
    rule.look("a")
    rule.looks(20, "a", "b")
    rule.looks(60, "a", "b", "c")
    assert rule.told == [(0, "raised", ("a",)), (60, "raised", ("b", "c"))]


def test_a_thousand_looks_with_more_and_more_of_the_same_tell_once() -> None:
    rule = Rule()
    for count in range(1000):
        rule.look("parked", count=count)
    assert [event for _, event, _ in rule.told] == ["raised"]
    assert rule.state.alarms["parked"].count == 0, "only what is told changes the state: it is written seldom"


def test_again_while_it_lasts_with_the_count_of_the_moment() -> None:
    rule = Rule(again=600)
    rule.look("crm", count=1)
    rule.looks(1300, "crm", count=7)
    assert [(at, event) for at, event, _ in rule.told] == [(0, "raised"), (600, "again"), (1200, "again")]
    assert rule.state.alarms["crm"].count == 7


def test_without_again_and_resolved_it_is_told_once() -> None:
    rule = Rule(again=0, resolved=False)
    rule.looks(86400, "crm")
    rule.looks(600)
    assert [event for _, event, _ in rule.told] == ["raised"]
    rule.look("crm")
    assert [event for _, event, _ in rule.told] == ["raised", "raised"], "it is armed anew"


@pytest.mark.parametrize("word", ["after", "needs"])
def test_what_must_last_begins_anew_when_it_was_away(word: str) -> None:
    rule = Rule(**({"after": 30.0} if word == "after" else {}))
    needs = 30.0 if word == "needs" else 0.0
    rule.looks(28, "crm", needs=needs)
    rule.look()
    rule.looks(30, "crm", needs=needs)
    assert rule.told == []
    rule.look("crm", needs=needs)
    assert rule.told == [(60, "raised", ("crm",))]


def test_flapping_is_one_alarm() -> None:
    rule = Rule()
    for _ in range(200):
        rule.look("crm")
        rule.look()
    rule.looks(60)
    assert [event for _, event, _ in rule.told] == ["raised", "resolved"]


def test_what_came_back_before_its_end_was_told_never_ended() -> None:
    rule = Rule(pace=600)
    rule.look("crm")
    rule.looks(40)
    assert rule.state.ended
    rule.looks(1200, "crm")
    assert [event for _, event, _ in rule.told] == ["raised"]
    rule.looks(700)
    assert [event for _, event, _ in rule.told] == ["raised", "resolved"]


def test_what_cannot_be_seen_stays_as_it_is() -> None:
    rule = Rule(again=0)
    rule.look("crm")
    for _ in range(500):
        rule.look(unsure=("crm",))
    assert [event for _, event, _ in rule.told] == ["raised"] and rule.state.open
    assert rule.look(unsure=("erp",)) is None
    rule.looks(60)
    assert [event for _, event, _ in rule.told] == ["raised", "resolved"]


def test_nothing_is_repeated_of_what_is_not_there() -> None:
    rule = Rule(again=60)
    rule.look("silent")
    for _ in range(500):
        rule.look(unsure=("silent",))
    assert len(rule.told) == 1


def test_the_state_outlives_the_process() -> None:
    rule = Rule(again=3600)
    rule.looks(10, "crm")
    rule.state = msgspec.json.decode(msgspec.json.encode(rule.state), type=RuleState)
    rule.looks(100, "crm")
    rule.looks(60)
    assert [event for _, event, _ in rule.told] == ["raised", "resolved"]


def test_any_history_is_told_in_its_pace_and_to_its_end() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(100):
        rule = Rule(pace=chance.choice([0, 10, 60]), after=chance.choice([0, 0, 20]), again=chance.choice([0, 100]))
        for _ in range(300):
            there = [key for key in "abc" if chance.random() < 0.5]
            rule.look(*there, unsure=tuple(key for key in "abc" if chance.random() < 0.1))
        rule.looks(CALM + rule.pace.pace + 10)
        times = [at for at, _, _ in rule.told]
        assert all(later - earlier >= rule.pace.pace for earlier, later in zip(times, times[1:], strict=False))
        known: set[str] = set()
        for _, event, names in rule.told:
            if event == "raised":
                assert not known & set(names), "nothing is raised twice"
                known |= set(names)
            elif event == "resolved":
                assert set(names) <= known, "nothing ends that nobody was told of"
                known -= set(names)
        assert not known, "all that was raised is told to be over"
