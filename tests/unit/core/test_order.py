"""Lanes: pure bookkeeping of who may run, checked step by step and against random interleavings."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from junctor.core.order import BACK, RUNS, WAITS, Lanes


@dataclass(frozen=True)
class One:
    seq: int
    special: bool = False


def filled(kept: int, behind: int) -> Lanes[One]:
    """A lane ``k`` with a running head and others behind it."""
    lanes: Lanes[One] = Lanes(kept)
    for seq in range(behind + 1):
        assert lanes.admit("k")
        assert lanes.arrive("k", One(seq)) is (RUNS if seq == 0 else WAITS)
    return lanes


def test_the_first_of_a_key_runs_and_the_others_wait_their_turn() -> None:
    lanes = filled(16, 2)
    assert [lanes.leave("k"), lanes.leave("k"), lanes.leave("k")] == [One(1), One(2), None]
    assert len(lanes) == 0


def test_keys_do_not_wait_for_each_other() -> None:
    lanes = filled(16, 1)
    assert lanes.admit("other") and lanes.arrive("other", One(9)) is RUNS


def test_behind_a_blocked_head_only_a_few_are_kept_and_the_youngest_go_back() -> None:
    lanes = filled(2, 5)
    assert lanes.block("k") == [One(3), One(4), One(5)]
    assert not lanes.admit("k"), "while older ones are in the store the new one has to go there too"
    lanes.unblock("k")
    assert not lanes.admit("k")
    assert [lanes.leave("k"), lanes.leave("k"), lanes.leave("k")] == [One(1), One(2), None]
    assert lanes.fetches("k")
    assert lanes.refilled("k", [One(3), One(4), One(5), One(6), One(7)]) == One(3)


def test_items_with_a_history_stay_in_memory() -> None:
    lanes = filled(1, 1)
    assert lanes.join("k", One(2, special=True)) is WAITS
    assert lanes.block("k") == []


def test_what_was_on_its_way_when_the_lane_ran_over_goes_back_and_is_fetched_in_order() -> None:
    lanes = filled(1, 1)
    assert lanes.admit("k"), "not blocked yet: admitted"
    lanes.block("k")
    assert lanes.arrive("k", One(2)) is BACK
    lanes.unblock("k")
    assert (lanes.leave("k"), lanes.leave("k")) == (One(1), None)
    assert lanes.fetches("k")


def test_nothing_is_fetched_while_older_ones_are_on_their_way() -> None:
    lanes = filled(1, 1)
    assert lanes.admit("k")
    lanes.block("k")
    assert not lanes.admit("k")
    lanes.unblock("k")
    assert (lanes.leave("k"), lanes.leave("k")) == (One(1), None)
    assert not lanes.fetches("k"), "one is admitted and not there yet"
    assert lanes.arrive("k", One(2)) is BACK
    assert lanes.fetches("k") and not lanes.fetches("k"), "once"


def test_what_was_not_accepted_after_all_leaves_nothing_behind() -> None:
    lanes: Lanes[One] = Lanes()
    assert lanes.admit("k")
    lanes.withdraw("k", True)
    assert len(lanes) == 0
    lanes = filled(0, 0)
    lanes.block("k")
    assert not lanes.admit("k")
    lanes.withdraw("k", False)
    assert lanes.leave("k") is None
    assert len(lanes) == 0


def test_one_that_comes_due_while_the_lane_is_being_filled_keeps_the_fetched_ones_behind_it() -> None:
    lanes = filled(0, 1)
    assert lanes.block("k") == [One(1)]
    assert lanes.leave("k") is None
    assert lanes.fetches("k")
    assert lanes.join("k", One(50, special=True)) is RUNS
    assert lanes.refilled("k", [One(1)]) is None
    assert lanes.leave("k") == One(1)


class Histories(RuleBasedStateMachine):
    """A store with a commit that takes its time, lanes over it, and handlers that fail.

    Per key everything comes to its first attempt once and in order, and little is in memory behind a blocked head.
    """

    KEPT = 2

    def __init__(self) -> None:
        super().__init__()
        self.lanes: Lanes[One] = Lanes(self.KEPT)
        self.count = 0
        self.flying: deque[tuple[str, One, bool]] = deque()
        self.store: dict[str, list[One]] = defaultdict(list)
        self.running: dict[str, One] = {}
        self.blocked: set[str] = set()
        self.fetching: dict[str, int] = {}
        self.begun: dict[str, list[int]] = defaultdict(list)
        self.sent: dict[str, list[int]] = defaultdict(list)

    keys = st.sampled_from("ab")

    def begin(self, key: str, item: One) -> None:
        assert key not in self.running, "two of one key at the same time"
        self.running[key] = item
        self.begun[key].append(item.seq)

    def look(self, key: str) -> None:
        if self.lanes.fetches(key):
            # The engine commits before it fetches: what was given before is visible then.
            self.fetching[key] = self.count

    def fetch(self, key: str) -> None:
        before = self.fetching.pop(key)
        while any(item.seq < before for _, item, _ in self.flying):
            self.commit()
        items = sorted(self.store[key], key=lambda one: one.seq)[:3]
        for item in items:
            self.store[key].remove(item)
        certain = all(admitted for _, _, admitted in self.flying)
        following = self.lanes.refilled(key, items, certain=certain)
        if following is not None:
            self.begin(key, following)
        self.look(key)

    @rule(key=keys)
    def send(self, key: str) -> None:
        item = One(self.count)
        self.count += 1
        self.sent[key].append(item.seq)
        self.flying.append((key, item, self.lanes.admit(key)))

    @precondition(lambda self: self.flying)
    @rule()
    def commit(self) -> None:
        key, item, admitted = self.flying.popleft()
        if not admitted:
            self.store[key].append(item)
        else:
            place = self.lanes.arrive(key, item)
            if place is RUNS:
                self.begin(key, item)
            elif place is BACK:
                self.store[key].append(item)
        self.look(key)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        self.settle(data.draw(st.sampled_from(sorted(self.running))))

    @precondition(lambda self: set(self.running) - self.blocked)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(set(self.running) - self.blocked)))
        self.blocked.add(key)
        self.store[key] += self.lanes.block(key)

    @precondition(lambda self: self.fetching)
    @rule(data=st.data())
    def fetched(self, data: st.DataObject) -> None:
        self.fetch(data.draw(st.sampled_from(sorted(self.fetching))))

    @invariant()
    def in_order_and_once(self) -> None:
        for key, begun in self.begun.items():
            assert begun == self.sent[key][: len(begun)]

    @invariant()
    def little_behind_a_blocked_head(self) -> None:
        for key in self.blocked:
            assert self.lanes.behind(key) <= self.KEPT

    def settle(self, key: str) -> None:
        if key in self.blocked:
            self.blocked.discard(key)
            self.lanes.unblock(key)
        del self.running[key]
        following = self.lanes.leave(key)
        if following is not None:
            self.begin(key, following)
        self.look(key)

    def teardown(self) -> None:
        while self.flying or self.fetching or self.running:
            while self.flying:
                self.commit()
            for key in list(self.fetching):
                self.fetch(key)
            for key in list(self.running):
                self.settle(key)
        assert self.begun == {key: sent for key, sent in self.sent.items() if sent}, "nothing was left behind"
        assert len(self.lanes) == 0


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40)
