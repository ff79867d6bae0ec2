"""The checker finds each kind of fault: it is fed histories that are broken in one known way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.campaigns import numbers
from tests.crash.history import ClientLog, Event, Faults, Seen, check, read_history, unknown
from tests.crash.node.changing import rests, untimely

HISTORY = [
    Event("invoke", "a-0", "k"),
    Event("ok", "a-0", "k"),
    Event("invoke", "b-0", "k"),
    Event("fail", "b-0", "k"),
    Event("invoke", "a-1", "k"),
    Event("ok", "a-1", "k"),
    Event("invoke", "a-2", "k"),
]
STORE = [Seen("a-0", "k", (10,), True), Seen("a-1", "k", (11,), True)]


def test_a_sound_history_has_no_fault() -> None:
    assert not check(HISTORY, STORE, drained=True)
    assert str(Faults()) == "none"


def test_an_unknown_outcome_is_neither_lost_nor_phantom() -> None:
    assert not check(HISTORY, [*STORE, Seen("a-2", "k", (), False)])
    assert [event.id for event in unknown(HISTORY)] == ["a-2"]


@pytest.mark.parametrize(
    ("kind", "store", "ids"),
    [
        ("lost", STORE[:1], ["a-1"]),
        ("phantom", [*STORE, Seen("c-7", "k", (12,), True)], ["c-7"]),
        ("phantom", [*STORE, Seen("b-0", "k", (12,), True)], ["b-0"]),
        ("double", [*STORE, Seen("a-1", "k", (12,), True)], ["a-1"]),
        ("double", [STORE[0], Seen("a-1", "k", (11, 12), True)], ["a-1"]),
        ("torn", [STORE[0], Seen("a-1", "k", (), True)], ["a-1"]),
        ("torn", [STORE[0], Seen("a-1", "k", (11,), False)], ["a-1"]),
        ("reordered", [Seen("a-0", "k", (12,), True), STORE[1]], ["a-0", "a-1"]),
        ("unfinished", [STORE[0], Seen("a-1", "k", (), False)], ["a-1"]),
    ],
)
def test_each_fault_is_found(kind: str, store: list[Seen], ids: list[str]) -> None:
    faults = check(HISTORY, store, drained=True)
    assert getattr(faults, kind) == ids
    assert faults
    assert kind in str(faults)


def test_keys_and_clients_are_independent_lines() -> None:
    history = [Event("invoke", id, key) for id, key in (("a-0", "k"), ("a-1", "l"), ("b-0", "k"), ("a-2", "k"))]
    store = [
        Seen("a-0", "k", (5,), True),
        Seen("a-1", "l", (1,), True),
        Seen("b-0", "k", (2,), True),
        Seen("a-2", "k", (6,), True),
    ]
    assert not check(history, store)


def test_a_message_may_be_sent_again_after_an_unknown_outcome() -> None:
    history = [Event("invoke", "a-0", "k"), Event("ok", "a-0", "k")]
    assert not check(history, [Seen("a-0", "k", (1,), True)], drained=True)
    # The first send was refused, a later one of the same message accepted: it is there by right.
    refused_first = [Event("invoke", "a-0", "k"), Event("fail", "a-0", "k"), *history]
    assert not check(refused_first, [Seen("a-0", "k", (1,), True)], drained=True)


def test_a_log_is_read_back_without_its_torn_end(tmp_path: Path) -> None:
    log = ClientLog(tmp_path / "a.log")
    log.note("invoke", "a-0", "k")
    log.note("ok", "a-0", "k")
    log.close()
    with log.path.open("a") as file:
        file.write("invoke a-1")
    assert read_history(tmp_path) == HISTORY[:2]


def test_what_begins_while_a_service_rests_is_untimely(tmp_path: Path) -> None:
    notes, begun = tmp_path / "pauses", tmp_path / "begun"
    notes.write_text("paused sink 10\nresumed watch 12\nresumed sink 20\npaused sink 30\nresumed sink 40\n")
    begun.write_text("sink a 9\nsink b 15\naudit c 15\nsink d 25\nsink e 31\nsink f 35")
    assert rests(notes) == [("sink", 10, 20), ("sink", 30, 40)]
    assert untimely(notes, begun) == ["sink:b", "sink:e"]
    assert numbers(Faults(untimely=["sink:b", "sink:e"]))["other"] == 2
