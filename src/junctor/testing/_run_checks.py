"""Checks of runs: their turns, their keys, and that stale owners are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from junctor.core.outcome import StateWrite
from junctor.core.records import Commit, Insert
from junctor.core.run import RunQuery, RunStatus, RunWrite
from junctor.messages import Status
from junctor.testing._bench import check
from junctor.testing._state_checks import conflicts

if TYPE_CHECKING:
    from junctor.testing._bench import Bench


def write(bench: Bench, seq: int, expected: int, data: bytes | None = b"{}", **facts: Any) -> RunWrite:
    return RunWrite(seq, facts.pop("service", bench.target), expected, data=data, delivered=seq, **facts)


async def begin(bench: Bench, **facts: Any) -> int:
    """A run whose first turn is committed together with its message."""
    message = bench.message()
    await bench.accept(message)
    await bench.settle(message, Status.BEGUN)
    await bench.commit(runs=[write(bench, message.seq, 0, b'{"begun":1}', time=message.time, **facts)])
    return message.seq


@check()
async def a_run_keeps_its_turns_in_order(bench: Bench) -> None:
    seq = await begin(bench, handler="on_order", session=7, asker="f/a 1 2", code="c1")
    await bench.commit(runs=[write(bench, seq, 1, b'{"two":2}', time=9, due=12)])
    await bench.commit(runs=[write(bench, seq, 2, None, status=RunStatus.SUSPENDED, error="changed", time=10)])
    run = bench.transport.run(seq)
    assert run is not None
    assert (run.turns, run.status, run.error, run.changed) == (2, RunStatus.SUSPENDED, "changed", 10)
    assert (run.service, run.handler, run.session, run.asker, run.code) == (
        bench.target,
        "on_order",
        7,
        "f/a 1 2",
        "c1",
    )
    assert [(turn.number, turn.data) for turn in bench.transport.turns(seq)] == [(1, b'{"begun":1}'), (2, b'{"two":2}')]
    assert [turn.number for turn in bench.transport.turns(seq, 1)] == [2]
    assert bench.transport.archive.turns(seq) == bench.transport.turns(seq)
    assert bench.transport.run(seq + 1) is None


@check()
async def a_turn_of_a_stale_owner_is_refused_as_a_whole(bench: Bench) -> None:
    seq = await begin(bench)
    await bench.commit(runs=[write(bench, seq, 1)])
    message = bench.message()
    for expected in (0, 1, 3):
        assert await conflicts(
            bench.commit(
                inserts=[Insert(message)],
                writes=[StateWrite("k", "n", b"1", 0)],
                runs=[write(bench, seq, expected)],
                source=bench.target,
            )
        )
    assert bench.transport.archive.record(message.seq) is None
    assert bench.transport.state(bench.target, "k") == {}
    assert [turn.number for turn in bench.transport.turns(seq)] == [1, 2]


@check()
async def a_conflict_of_state_leaves_runs_alone(bench: Bench) -> None:
    seq = await begin(bench)
    wrong = [StateWrite("k", "n", b"1", 5)]
    assert await conflicts(bench.commit(writes=wrong, runs=[write(bench, seq, 1)], source=bench.target))
    await bench.commit(runs=[write(bench, seq, 1)])
    run = bench.transport.run(seq)
    assert run is not None
    assert run.turns == 2


@check()
async def one_open_run_of_a_service_has_a_key(bench: Bench) -> None:
    first = await begin(bench, key="order 7")
    other = await begin(bench, key="order 7", service="flow/other")
    assert bench.transport.run_called(bench.target, "order 7") == first
    assert bench.transport.run_called("flow/other", "order 7") == other
    message = bench.message()
    taken = [write(bench, message.seq, 0, key="order 7")]
    assert await conflicts(bench.commit(inserts=[Insert(message)], runs=taken))
    # Its end and the begin of the next one may come in one commit.
    await bench.commit(
        inserts=[Insert(message)],
        runs=[
            write(bench, first, 1, status=RunStatus.CONTINUED, key="order 7"),
            write(bench, message.seq, 0, key="order 7"),
        ],
    )
    assert bench.transport.run_called(bench.target, "order 7") == message.seq
    assert bench.transport.run_called(bench.target, "order 8") == 0


@check()
async def what_needs_a_refused_commit_is_refused_with_it(bench: Bench) -> None:
    seq, told = await begin(bench), dict[int, object]()
    messages = [bench.message() for _ in range(4)]

    def given(number: int, **parts: Any) -> Commit:
        note = lambda commit, error: told.update({number: error})  # noqa: E731
        return Commit(note, inserts=[Insert(messages[number])], **parts)

    stale = given(0, runs=[write(bench, seq, 7)])
    commits = [stale, given(1, needs=stale), given(2)]
    for commit in commits:
        bench.transport.commit(commit)
    await bench.commit(runs=[write(bench, seq, 1)])
    bench.transport.commit(given(3, needs=commits[1]))
    await bench.commit(runs=[write(bench, seq, 2)])
    assert list(told) == [0, 1, 2, 3]
    assert told[2] is None and told[0] is told[1] is told[3] is not None
    stored = [bench.transport.archive.record(message.seq) is not None for message in messages]
    assert stored == [False, False, True, False]


@check()
async def what_needs_a_commit_that_stands_is_stored(bench: Bench) -> None:
    seq = await begin(bench)
    first = Commit(lambda commit, error: None, runs=[write(bench, seq, 1)])
    bench.transport.commit(first)
    bench.transport.commit(Commit(lambda commit, error: None, runs=[write(bench, seq, 2)], needs=first))
    await bench.commit(runs=[write(bench, seq, 3)])
    assert len(bench.transport.turns(seq)) == 4


@check()
async def runs_are_listed_newest_first(bench: Bench) -> None:
    seqs = [await begin(bench, key=f"k{number}") for number in range(5)]
    await bench.commit(runs=[write(bench, seqs[1], 1, None, status=RunStatus.DONE)])
    archive = bench.transport.archive
    assert [run.seq for run in archive.runs(RunQuery())] == seqs[::-1]
    assert [run.seq for run in archive.runs(RunQuery(statuses=(RunStatus.OPEN,)))] == [*seqs[:1:-1], seqs[0]]
    assert [run.seq for run in archive.runs(RunQuery(key="k1"))] == [seqs[1]]
    assert [run.seq for run in archive.runs(RunQuery(service="flow/none"))] == []
    assert [run.seq for run in archive.runs(RunQuery(before=seqs[3], limit=2))] == [seqs[2], seqs[1]]


@check()
async def a_run_goes_with_the_record_that_began_it_and_not_before_its_end(bench: Bench) -> None:
    seq = await begin(bench)
    await bench.commit(removes=[seq])
    assert bench.transport.run(seq) is not None
    await bench.commit(runs=[write(bench, seq, 1, status=RunStatus.DONE)])
    record = bench.transport.archive.record(seq)
    assert record is not None
    await bench.settle(record.message, Status.DONE)
    await bench.commit(removes=[seq])
    assert bench.transport.run(seq) is None
    assert bench.transport.turns(seq) == []


@check("durable")
async def runs_survive_a_crash(bench: Bench) -> None:
    seq = await begin(bench, key="k")
    await bench.commit(runs=[write(bench, seq, 1, b'{"x":[1]}', snapshot=b'{"a":1}', due=5)])
    before = bench.transport.run(seq)
    await bench.crash()
    assert bench.transport.run(seq) == before
    assert bench.transport.run_called(bench.target, "k") == seq
    assert len(bench.transport.turns(seq)) == 2
    assert bench.status(bench.transport.archive.record(seq).message) is Status.BEGUN  # type: ignore[union-attr]
