"""A new run that keeps the beginning of another one: as DBOS forks a workflow from a step.

Its history is a copy up to the turn in which the step was called; what came to the old run then is sent to the new one.
One commit holds all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from junctor.core.history import Command, Entry, read_entry
from junctor.core.run import REPLIED, WOKEN, Run, RunStatus, RunWrite, Turn
from junctor.errors import JunctorError
from junctor.messages import ANSWERS, ENDED, HANDLER, PASSED, RUN_HEADERS, Kind, Message, Status
from junctor.runtime.intake import size_of
from junctor.transports.base import Commit, Insert, Note, Record

if TYPE_CHECKING:
    from junctor.node.node import Node
    from junctor.runtime.host import Host


class CannotBranch(JunctorError):
    """No new run can begin with the history of this one up to the given step."""

    code = "cannot-branch"
    default_fix = "`junctor workflows show RUN` has its steps."
    status = 409


class Beginning(msgspec.Struct, frozen=True):
    """What a new run keeps of an old one: its turns, what came next, and the timers that are still set."""

    turns: Sequence[Turn]
    next: Entry
    timers: Sequence[tuple[int, int]]


def beginning_of(run: Run, turns: Sequence[Turn], step: int) -> Beginning:
    """The part of a history before the turn in which a step was called.

    :raises CannotBranch: it cannot be cut there.
    """
    entries = [_read(run, turn) for turn in turns]
    place = next((at for at, entry in enumerate(entries) if any(one.step == step for one in entry.did)), None)
    if place is None:
        raise CannotBranch(f"run {run.seq} has no step {step}", where=run.service)
    if place == 0:
        fix = f"Begin it anew: junctor resend {run.seq} --again."
        raise CannotBranch(f"nothing of run {run.seq} lies before step {step}", where=run.service, fix=fix)
    following = entries[place]
    if following.input.came == "cancel":
        raise CannotBranch(f"step {step} of run {run.seq} was made because it was cancelled", where=run.service)
    timers = dict[int, int]()
    for one, time in _open(turns[:place], entries[:place]):
        if one.step != following.input.step and one.what == "request":
            what = f"run {run.seq} waits for step {one.step} there, {one}, whose reply belongs to the old run"
            raise CannotBranch(what, where=run.service, fix="Choose a step before it, or behind its reply.")
        if one.wait and (one.step != following.input.step or following.input.came != "timer"):
            timers[one.step] = time + one.wait
    return Beginning(turns[:place], following, list(timers.items()))


def _read(run: Run, turn: Turn) -> Entry:
    try:
        if not turn.damaged:
            return read_entry(turn.data)
    except (ValueError, msgspec.MsgspecError):
        pass
    raise CannotBranch(f"turn {turn.number} of run {run.seq} cannot be read", where=run.service)


def _open(turns: Sequence[Turn], entries: Sequence[Entry]) -> Iterator[tuple[Command, int]]:
    """The calls without an end, with the time at which each was made."""
    ended = {entry.input.step for entry in entries}
    for turn, entry in zip(turns, entries, strict=True):
        for one in entry.did:
            if one.step not in ended and one.what in ("request", "sleep", "wait"):
                yield one, turn.time


async def branch(node: Node, host: Host, run: Run, record: Record, kept: Beginning, step: int, who: str) -> int:
    """Begin a run with this beginning; its number.

    :param record: the message that began the old one.
    :raises StateConflict: another run has its key by now.
    """
    engine, box = node.engine, host.mailbox
    following = _message(node, run, record, kept.next)
    size = size_of(following.payload)
    if box.senders.waiting or not box.room(size):
        await box.wait_for_room(size, math.inf)
    now = engine.clock.time_ns()
    seq = engine.transport.number()
    name = engine.dispatcher.node
    plain = {key: text for key, text in record.message.headers.items() if key not in RUN_HEADERS}
    begun = msgspec.structs.replace(
        record.message, seq=seq, node=name, time=now, cause=run.seq, deadline=0, due=0, origin=None, headers=plain
    )
    sent = [following, *(_timer(following, number, due) for number, due in kept.timers)]
    inserts: list[Insert] = []
    for each in sent:
        number = engine.transport.number()
        message = msgspec.structs.replace(each, seq=number, node=name, time=now, key=str(seq), cause=seq)
        inserts.append(Insert(message, box.admit(message, size_of(message.payload), now)))
    writes = [
        RunWrite(
            seq, run.service, number, RunStatus.OPEN, run.handler, run.key, turn.data, turn.seq, turn.time,
            code=run.code, session=run.session,
        )
        for number, turn in enumerate(kept.turns)
    ]  # fmt: skip
    notes = [
        Note(run.seq, now, who, f"begun anew from step {step} as {name}-{seq}"),
        Note(seq, now, who, f"begun from step {step} of run {run.seq}"),
    ]
    handed = False

    def hand_over(commit: Commit) -> None:
        nonlocal handed
        handed = True
        for insert in inserts:
            engine.dispatcher.hand_over(insert)

    try:
        await engine.committed(hand_over, inserts=[Insert(begun, Status.BEGUN), *inserts], runs=writes, notes=notes)
    finally:
        for insert in inserts if not handed else ():
            engine.dispatcher.withdraw(insert)
    return seq


def _message(node: Node, run: Run, record: Record, entry: Entry) -> Message:
    """The message that brings an input of the old run to the new one."""
    came = entry.input
    base = msgspec.structs.replace(
        record.message, source=run.service, target=run.service, deadline=0, due=0, origin=None, session=run.session
    )
    if came.came == "timer":
        return _timer(base, came.step, 0)
    kind, headers = Kind.SEND, {HANDLER: came.name, PASSED: "0 "}  # its key is the number of the run
    if came.came == "reply":
        kind, headers = Kind.REPLY, {HANDLER: REPLIED, ANSWERS: str(came.step), ENDED: came.ended}
    return msgspec.structs.replace(
        base, kind=kind, type=came.type, version=came.version, payload=bytes(came.body), headers=headers
    )


def _timer(base: Message, step: int, due: int) -> Message:
    headers = {HANDLER: WOKEN, ANSWERS: str(step)}
    return msgspec.structs.replace(
        base, kind=Kind.SEND, type="None", version=1, payload=b"null", due=due, headers=headers
    )
