"""Runs of durable services as operators see them: one row each, and one with its history.

Made from the archive of a transport alone, so that a running node and the store of a stopped one answer alike. Times
are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from junctor.core.history import Command, Entry, Input, read_entry
from junctor.core.run import Run, RunQuery, RunStatus, Turn
from junctor.core.snapshot import Snapshot, read_snapshot, shown_attributes
from junctor.errors import UnknownRun, nearest
from junctor.messages import Status, parse_id
from junctor.node.views.messages import NoteView, Reason, body_of, instant, note_view, plain, reason_of
from junctor.node.views.search import LIMIT, UnknownFilter, address_of
from junctor.transports.base import Archive, Query, Record

STATUSES: dict[str, tuple[RunStatus, ...]] = {
    **{status.name.lower(): (status,) for status in RunStatus},
    "ended": tuple(status for status in RunStatus if status >= RunStatus.DONE),
}
"""The words for a status."""

TAIL = 50
"""Turns of a run that are read to tell in a listing what it waits for."""

PAGE = 500

_AWAITED = ("request", "sleep", "wait")


class RunFilter(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which runs; None means any. ``service`` is a name, or flow/name; ``status`` words as in :data:`STATUSES`;
    ``since`` is about the time of the begin. ``before`` continues a listing below this number. At most ``limit`` rows.
    """

    service: str | None = None
    status: list[str] | None = None
    key: str | None = None
    since: datetime | None = None
    before: int | None = None
    limit: int = 50


class WaitView(msgspec.Struct, omit_defaults=True):
    """What a run waits for: ``request Charge to payment``, at its ``step``, ``since`` when, and ``until`` at most."""

    what: str
    step: int
    since: datetime
    until: datetime | None = None


class RunView(msgspec.Struct, omit_defaults=True):
    """One run. ``status`` is one of continuing, open, suspended, done, failed, cancelled, continued; ``turns`` counts
    the deliveries that it handled. ``due`` is its next timer. ``error`` is why it failed, or why it is suspended."""

    id: str
    seq: int
    service: str
    handler: str
    status: str
    turns: int
    started: datetime
    changed: datetime
    key: str | None = None
    due: datetime | None = None
    waits: list[WaitView] = []
    session: str = ""
    error: str = ""
    damaged: bool = False


class CallView(msgspec.Struct, omit_defaults=True):
    """One call of the code in a turn. ``text`` is how it reads: ``request Charge to payment within 30 s``. ``value`` is
    the result of what is done once, ``error`` the class and text of what it raised."""

    step: int
    text: str
    value: Any = msgspec.UNSET
    error: str = ""


class TurnView(msgspec.Struct, omit_defaults=True):
    """One delivery that a run handled. ``came`` is begin, reply, timer, signal or cancel; ``name`` the handler or
    signal; ``step`` the call that a reply or timer belongs to, ``ended`` how a request did. ``did`` are the calls of
    the code, ``end`` how the run ended in this turn. ``data`` is what a turn of another form has. ``message`` is the
    number of the delivered message."""

    number: int
    time: datetime
    message: int
    came: str = ""
    name: str = ""
    step: int = 0
    ended: str = ""
    type: str = ""
    body: Any = msgspec.UNSET
    did: list[CallView] = []
    end: str = ""
    data: Any = msgspec.UNSET
    damaged: bool = False


class RunHistory(msgspec.Struct, omit_defaults=True):
    """A run with all its turns, oldest first. ``left_out`` counts those between the first and the last that are shown.

    ``type`` and ``body`` are those of the message that began it, ``reply`` is its result, ``failure`` why it failed.
    ``attributes`` are what a conversation keeps. ``parked`` are the numbers of messages for it that were put aside."""

    run: RunView
    turns: list[TurnView]
    left_out: int = 0
    type: str = ""
    body: Any = msgspec.UNSET
    reply: Any = msgspec.UNSET
    failure: Reason | None = None
    attributes: Any = msgspec.UNSET
    parked: list[int] = []
    notes: list[NoteView] = []


# Listing ----------------------------------------------------------------------------------------------------


def listed_runs(archive: Archive, filter: RunFilter, hosted: Iterable[str] = ()) -> list[RunView]:
    """The runs that fit, newest first.

    :param hosted: the addresses of the services that run now.
    :raises UnknownFilter: a status or service is unknown, or the limit is out of bounds.
    """
    if not 1 <= filter.limit <= LIMIT:
        raise UnknownFilter(f"limit is {filter.limit}", fix=f"Give 1 to {LIMIT}, and `before` to go on.")
    query = RunQuery(
        service=address_of(filter.service, archive, hosted) if filter.service else None,
        statuses=statuses_of(filter.status) if filter.status else None,
        key=filter.key,
        before=filter.before,
        limit=filter.limit,
    )
    since = int(filter.since.timestamp() * 1e9) if filter.since is not None else 0
    return [run_view(archive, run) for run in archive.runs(query) if run.started >= since]


def statuses_of(words: list[str]) -> tuple[RunStatus, ...]:
    """What the words for a status are in the store.

    :raises UnknownFilter: one means nothing.
    """
    for word in words:
        if word not in STATUSES:
            raise UnknownFilter(f'there is no status "{word}" of a run', fix=nearest(word, STATUSES).rstrip())
    return tuple(dict.fromkeys(status for word in words for status in STATUSES[word]))


def run_view(archive: Archive, run: Run) -> RunView:
    """A run as a row."""
    record = archive.record(run.seq)
    waits = _waits(archive, run) if run.status is RunStatus.OPEN else []
    return RunView(
        record.message.id if record is not None else str(run.seq),
        run.seq,
        run.service,
        run.handler,
        run.status.name.lower(),
        run.turns,
        instant(run.started),
        instant(run.changed),
        run.key,
        instant(run.due) if run.due and run.is_open else None,
        waits,
        f"{run.session:032x}" if run.session else "",
        run.error,
        run.damaged,
    )


def _waits(archive: Archive, run: Run) -> list[WaitView]:
    if run.snapshot is None:
        return waits_of(archive.turns(run.seq, max(0, run.turns - TAIL)))
    snapshot = _snapshot(run)
    requests = [
        WaitView(
            f"request {one.name} to {one.target}", step, instant(one.at), instant(one.until) if one.until else None
        )
        for step, one in snapshot.requests.items()
    ]
    changed = instant(run.changed)
    timers = [WaitView(f"timer {one.name}", step, changed, instant(one.at)) for step, one in snapshot.timers.items()]
    return [*requests, *timers]


def _snapshot(run: Run) -> Snapshot:
    """What a conversation keeps; nothing where it cannot be read."""
    try:
        return read_snapshot(run.snapshot)
    except (ValueError, msgspec.MsgspecError):
        return Snapshot()


def waits_of(turns: Iterable[Turn]) -> list[WaitView]:
    """What a workflow waits for after these turns, as far as they tell: requests without an end, timers, and of
    conditions those of the last turn that called anything, as nothing says when one became true."""
    waiting: dict[int, WaitView] = {}
    for turn in turns:
        entry = _entry(turn)
        if entry is None:
            return []
        waiting.pop(entry.input.step, None)
        if entry.did:
            waiting = {step: one for step, one in waiting.items() if not one.what.startswith("wait")}
        waiting.update({one.step: _wait(one, turn.time) for one in entry.did if one.what in _AWAITED})
    return list(waiting.values())


def _wait(command: Command, time: int) -> WaitView:
    until = instant(time + command.wait) if command.wait else None
    return WaitView(str(command), command.step, instant(time), until)


def _entry(turn: Turn) -> Entry | None:
    if turn.damaged:
        return None
    try:
        return read_entry(turn.data)
    except (ValueError, msgspec.MsgspecError):
        return None


# One run ----------------------------------------------------------------------------------------------------


def find_run(archive: Archive, which: str, service: str | None = None) -> Run:
    """The run with this number, id or key: of those with a key the open one, else the latest.

    :param service: the address of the service that it is one of.
    :raises UnknownRun: there is none, or several services have one.
    """
    which = which.strip()
    try:
        node, seq = parse_id(which)
    except ValueError:
        return _called(archive, which, service)
    run = archive.run(seq) if seq < 2**63 else None
    if run is None or (service is not None and run.service != service) or not _is_of(archive, seq, node):
        return _called(archive, which, service)
    return run


def _is_of(archive: Archive, seq: int, node: str) -> bool:
    record = archive.record(seq) if node else None
    return record is None or record.message.node == node


def _called(archive: Archive, key: str, service: str | None) -> Run:
    found = archive.runs(RunQuery(key=key, service=service, limit=PAGE))
    latest: dict[str, Run] = {}
    for run in found:
        known = latest.setdefault(run.service, run)
        if run.is_open and not known.is_open:
            latest[run.service] = run
    if len(latest) == 1:
        return next(iter(latest.values()))
    if latest:
        several = ", ".join(f"{run.seq} ({run.service})" for run in latest.values())
        raise UnknownRun(f'several services have a run "{key}"', fix=f"Give its number: {several}.")
    keys = {one.key for one in archive.runs(RunQuery(service=service, limit=PAGE)) if one.key}
    guess = nearest(key, keys).rstrip()
    raise UnknownRun(f'there is no run "{key}"', fix=guess if guess.startswith("Did") else None)


def history_of(archive: Archive, run: Run, most: int = 1000) -> RunHistory:
    """A run with its turns.

    :param most: so many turns: the first ones and the last ones, half of each.
    """
    turns = archive.turns(run.seq)
    left_out = max(0, len(turns) - most)
    if left_out:
        turns = [*turns[: most - most // 2], *turns[len(turns) - most // 2 :]]
    found = RunHistory(run_view(archive, run), [turn_view(turn) for turn in turns], left_out)
    record = archive.record(run.seq)
    if record is not None:
        found.type, (_, found.body) = record.message.type, body_of(record.message)
        found.reply = plain(record.reply.payload) if record.reply is not None else msgspec.UNSET
        found.failure = reason_of(record.failure) if record.failure is not None else None
    if run.snapshot is not None:
        found.attributes = _attributes(run.snapshot)
    found.parked = [one.message.seq for one in parked_for(archive, run)]
    found.notes = [note_view(note) for note in archive.notes([run.seq])]
    return found


def _attributes(data: bytes) -> Any:
    try:
        return shown_attributes(read_snapshot(data))
    except ValueError:
        return plain(data)


def turn_view(turn: Turn) -> TurnView:
    view = TurnView(turn.number, instant(turn.time), turn.seq, damaged=turn.damaged)
    entry = _entry(turn)
    if entry is None:
        view.data = plain(turn.data)
        return view
    came = entry.input
    view.came, view.name, view.step, view.ended, view.type = came.came, came.name, came.step, came.ended, came.type
    view.body = _body(came)
    view.did, view.end = [_call(command) for command in entry.did], entry.end
    return view


def _body(came: Input) -> Any:
    return msgspec.UNSET if bytes(came.body) == b"null" else plain(bytes(came.body))


def _call(command: Command) -> CallView:
    view = CallView(command.step, str(command))
    if command.what == "once":
        view.text = f"once {command.to}".rstrip()
        view.value = plain(bytes(command.value)) if not command.error else msgspec.UNSET
        view.error = f"{command.error}: {command.text}" if command.error else ""
    return view


def parked_for(archive: Archive, run: Run) -> list[Record]:
    """The parked messages in the line of a run, oldest first."""
    return sorted(_parked_for(archive, run), key=lambda record: record.message.seq)


def _parked_for(archive: Archive, run: Run) -> Iterator[Record]:
    # Nothing for it is older than what began it.
    query = Query(service=run.service, statuses=(Status.PARKED,), since=run.started, limit=PAGE)
    while True:
        page = archive.search(query)
        for record in page:
            if record.message.target == run.service and record.message.key == str(run.seq):
                yield record
        if len(page) < query.limit:
            return
        query = msgspec.structs.replace(query, before=page[-1].message.seq)


class Retried(msgspec.Struct, omit_defaults=True):
    """What came of letting a run go on: the run as it is now, and the ids of the messages that were sent for it. ``of``
    is the run that this one was begun from, 0 where it is the same. ``kept`` could not be sent, and why."""

    run: RunView
    of: int = 0
    resent: list[str] = []
    kept: list[str] = []
