"""Ending a run at once: its code is not asked and undoes nothing. As terminating a workflow in Temporal.

For one that swallows its cancellation, is suspended for good or damaged, or whose service is gone. A turn that is under
way meanwhile is refused when it comes to its commit, as the history has gone on without it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from junctor.core.history import VERSION, Entry, Input, read_entry, write_entry
from junctor.core.outcome import Answer, Failure
from junctor.core.run import Run, RunStatus, RunWrite, TimerEnd, continues_of
from junctor.core.snapshot import Snapshot, read_snapshot
from junctor.errors import StateConflict, StoreDamaged
from junctor.messages import ASKER, CONTINUES, Status
from junctor.transports.base import Archive, Note, Record

if TYPE_CHECKING:
    from junctor.node.node import Node

log = logging.getLogger("junctor.node")

_TRIES = 50
"""A run that has turn after turn gets in between two of them."""


class _End(msgspec.Struct, frozen=True):
    """What the end of a run comes to."""

    run: Run
    answers: list[Answer]
    timers: list[TimerEnd]


async def terminate(node: Node, run: Run, who: str, reason: str) -> None:
    """End a run that is open, as it is. Who waits for its reply gets a failure.

    :raises StateConflict: it goes on too fast; try again.
    :raises StoreDamaged: nothing of its record can be read.
    """
    by = f"ended at once by {who or 'somebody'}"
    text = f"{by}: {reason}" if reason else by
    for left in reversed(range(_TRIES)):
        end = await node.read_unmasked(lambda archive: _end_of(archive, run.seq, text))
        if not end.run.is_open:
            return  # by itself, meanwhile
        now = node.engine.clock.time_ns()
        try:
            notes = [Note(run.seq, now, who, text)]
            await node.engine.dispatcher.end_run(_write(end.run, text, now), end.answers, end.timers, notes)
        except StateConflict:
            if not left:
                raise
            continue
        log.info("run %s of %s %s", run.seq, run.service, text)
        return


def _end_of(archive: Archive, seq: int, text: str) -> _End:
    run = archive.run(seq)
    assert run is not None, "runs are removed when they have ended"
    if run.service == "?":
        raise StoreDamaged(f"nothing of run {seq} can be read", where=f"run {seq}", fix="Restore a backup.")
    failure = Failure(_error(run), text)
    begun = [(one, archive.record(one.seq)) for one in _owed(archive, run, failure)]
    answers = [one for one, record in begun if record is not None and record.status is Status.BEGUN]
    return _End(run, answers, [TimerEnd(run.service, seq, *timer) for timer in _timers(archive, run)])


def _timers(archive: Archive, run: Run) -> Iterator[tuple[int, int]]:
    """Step and time of the timers that may still wait, as far as what is stored of the run can be read."""
    if run.snapshot is not None:
        snapshot = _snapshot(run.snapshot)
        yield from ((step, timer.at) for step, timer in snapshot.timers.items())
        yield from ((step, request.until) for step, request in snapshot.requests.items() if request.until)
        return
    for turn in archive.turns(run.seq):
        with contextlib.suppress(ValueError):
            did = read_entry(turn.data).did
            yield from ((one.step, turn.time + one.wait) for one in did if one.wait)


def _error(run: Run) -> str:
    """What who asks gets where a run is cancelled."""
    return "WorkflowCancelled" if run.snapshot is None else "ConversationCancelled"


def _owed(archive: Archive, run: Run, failure: Failure) -> Iterator[Answer]:
    """The messages that wait for the end of a run. Who asked is taken from the message: of a run, it may be damaged."""
    record = archive.record(run.seq)
    headers = record.message.headers if record is not None and not record.damaged else {}
    asker, session = headers.get(ASKER, ""), _session(run, record)
    if CONTINUES in headers:
        whole = continues_of(headers[CONTINUES])
        yield Answer(whole.first, whole.session, None, failure, whole.asker)
    yield Answer(run.seq, session, None, failure, asker)
    if run.snapshot is not None:
        for waiting in _snapshot(run.snapshot).waiting:
            yield Answer(waiting.seq, session, None, failure, waiting.asker)


def _session(run: Run, record: Record | None) -> int:
    return record.message.session if record is not None else run.session


def _snapshot(data: bytes) -> Snapshot:
    """What a conversation keeps; nothing where that cannot be read."""
    try:
        return read_snapshot(data)
    except ValueError:
        return Snapshot()


def _write(run: Run, text: str, now: int) -> RunWrite:
    """A turn like any other, so that what is computed from those before is refused. Of a damaged run nobody computes
    one, and its number of turns may be wrong. The row is sound from now on: that it has ended is all that is still
    asked of it."""
    data = None if run.damaged else _turn(run, text)
    return RunWrite(
        run.seq, run.service, run.turns, RunStatus.CANCELLED, data=data, time=now, session=run.session,
        error=f"{_error(run)}: {text}", seals=True,
    )  # fmt: skip


def _turn(run: Run, text: str) -> bytes:
    if run.snapshot is not None:
        return msgspec.json.encode({"terminated": text})
    return write_entry(Entry(v=VERSION, input=Input(came="terminate"), end="cancelled"))
