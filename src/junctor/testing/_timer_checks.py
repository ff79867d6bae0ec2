"""Checks of timers that are taken back: none of them comes, and none that was handed out is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.records import Commit, Insert
from junctor.core.run import WOKEN, TimerEnd
from junctor.messages import ANSWERS, HANDLER, Message, Status
from junctor.testing._bench import check

if TYPE_CHECKING:
    from junctor.testing._bench import Bench

RUN, DUE = 7, 1_000


def timer(bench: Bench, step: int, due: int = DUE, run: int = RUN) -> Message:
    headers = {HANDLER: WOKEN, ANSWERS: str(step)}
    return bench.message(b"null", type="None", key=str(run), due=due, headers=headers)


def end(bench: Bench, step: int, due: int = DUE, run: int = RUN) -> TimerEnd:
    return TimerEnd(bench.target, run, step, due)


async def commit(bench: Bench, **parts: object) -> Commit:
    """A commit with timers, given and done."""
    given = Commit(lambda commit, error: None, **parts)  # type: ignore[arg-type]
    bench.transport.commit(given)
    await bench.commit()
    return given


@check()
async def a_timer_that_is_taken_back_is_not_owed_any_more(bench: Bench) -> None:
    messages = [timer(bench, step) for step in (1, 2)]
    messages += [timer(bench, 1, run=8), timer(bench, 1, DUE + 1)]
    await bench.accept(*messages, status=Status.WAITING)
    assert list((await commit(bench, timers=[end(bench, 1)])).taken) == [messages[0].seq]
    assert [bench.status(message) for message in messages] == [Status.DONE, *[Status.WAITING] * 3]
    assert await bench.queued(DUE + 1) == [message.seq for message in messages[1:]]
    assert not (await commit(bench, timers=[end(bench, 1), end(bench, 9)])).taken, "it is gone already"
    await commit(bench, timers=[end(bench, 2), end(bench, 1, run=8), end(bench, 1, DUE + 1)])
    assert await bench.transport.next_due() == 0
    assert sum(depth.count for depth in bench.transport.archive.depths().values()) == 0


@check()
async def a_timer_of_the_same_moment_is_found(bench: Bench) -> None:
    """It was not there yet when the commit that takes it back was given."""
    message = timer(bench, 1)
    bench.transport.commit(Commit(lambda commit, error: None, inserts=[Insert(message, Status.WAITING)]))
    assert list((await commit(bench, timers=[end(bench, 1), end(bench, 1)])).taken) == [message.seq]
    assert bench.status(message) is Status.DONE


@check()
async def a_timer_that_was_handed_out_is_left(bench: Bench) -> None:
    claimed, settled = timer(bench, 1), timer(bench, 2)
    await bench.accept(claimed, settled, status=Status.WAITING)
    await bench.commit(claims=[claimed.seq, settled.seq])
    await bench.settle(settled, Status.DONE)
    assert not (await commit(bench, timers=[end(bench, 1), end(bench, 2)])).taken
    assert bench.status(claimed) is Status.CLAIMED
    later = timer(bench, 3)
    await bench.accept(later, status=Status.WAITING)
    bench.transport.commit(Commit(lambda commit, error: None, claims=[later.seq]))
    assert not (await commit(bench, timers=[end(bench, 3)])).taken
    assert bench.status(later) is Status.CLAIMED


@check()
async def a_claim_of_a_timer_that_was_taken_back_does_nothing_and_is_told(bench: Bench) -> None:
    first, second, other = timer(bench, 1), timer(bench, 2), timer(bench, 3)
    await bench.accept(first, second, other, status=Status.WAITING)
    await commit(bench, timers=[end(bench, 1)])
    bench.transport.commit(Commit(lambda commit, error: None, timers=[end(bench, 2)]))
    claimed = await commit(bench, claims=[first.seq, second.seq, other.seq])
    assert list(claimed.gone) == [first.seq, second.seq]
    assert [bench.status(each) for each in (first, second, other)] == [Status.DONE, Status.DONE, Status.CLAIMED]


@check()
async def a_refused_commit_takes_no_timer_back(bench: Bench) -> None:
    message = timer(bench, 1)
    await bench.accept(message, status=Status.WAITING)
    refused = Commit(lambda commit, error: None)
    refused.refused = ValueError()
    assert not (await commit(bench, timers=[end(bench, 1)], needs=refused)).taken
    assert bench.status(message) is Status.WAITING
