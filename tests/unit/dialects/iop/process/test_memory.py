"""What cannot be stored is kept by conversation and turn, and not for ever."""

from __future__ import annotations

from junctor.dialects.iop.hosting.process.memory import Memory


def test_a_turn_finds_what_the_one_before_it_left_and_finds_it_again() -> None:
    memory = Memory(lambda run: True)
    memory.keep(7, 1, {"lock": 1})
    assert memory.find(7, 1) == {"lock": 1}
    memory.keep(7, 2, {"lock": 2})
    assert memory.find(7, 1) == {"lock": 1}, "its commit may have failed, and it is repeated"
    memory.keep(7, 3, {"lock": 3})
    assert (memory.find(7, 1), memory.find(7, 3), memory.find(8, 3)) == ({}, {"lock": 3}, {})


def test_what_is_gone_or_ended_is_kept_no_longer() -> None:
    memory = Memory(lambda run: True)
    memory.keep(7, 1, {"lock": 1})
    memory.keep(7, 2, {})
    assert memory.find(7, 2) == {}
    memory.keep(8, 1, {"lock": 1})
    memory.forget(8)
    assert memory.find(8, 1) == {}


def test_conversations_that_ended_elsewhere_are_sorted_out_when_there_are_many() -> None:
    memory = Memory(lambda run: run % 2 == 0)
    for run in range(2000):
        memory.keep(run, 1, {"lock": run})
    assert memory.find(1, 1) == {}
    assert memory.find(0, 1) == {"lock": 0}
    assert memory.find(1999, 1) == {"lock": 1999}
