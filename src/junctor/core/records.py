"""The records of a node as values: what a transport is given, hands out and keeps, and the reading side for operators.

They stand below ``store/`` and ``transports/`` because both speak them: the store writes and reads them, the transport
contract (:mod:`junctor.transports.base`) says what they mean.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from junctor.core.outcome import Failure, LogLine, Reply, StateWrite
from junctor.core.policy import Durability
from junctor.core.run import Run, RunQuery, RunWrite, TimerEnd, Turn
from junctor.messages import Message, Status


class Insert(msgspec.Struct, gc=False):
    """A record to add. READY and CLAIMED go to the queue of the target, WAITING when ``message.due`` is in the future;
    DONE and FAILED are first hops (ticks, routes, actions) that have no queue. ``ahead``: it is on its way to its
    handler before its commit is done, see :mod:`junctor.runtime.ahead`."""

    message: Message
    status: Status = Status.READY
    started: int = 0
    duration: int = 0
    ahead: bool = False


class Settle(msgspec.Struct, gc=False):
    """The new status of an accepted record.

    ``attempt`` is the number of attempts so far, ``due`` (WAITING) the earliest next one. A ``failure`` is kept as an
    attempt row. ``late`` marks a reply whose requester had given up.
    """

    seq: int
    status: Status
    attempt: int = 1
    due: int = 0
    started: int = 0
    duration: int = 0
    reply: Reply | None = None
    failure: Failure | None = None
    late: bool = False


class AlertRecord(msgspec.Struct, frozen=True, gc=False):
    """Something an operator should know: ``kind`` is a stable word, ``command`` what to run next."""

    time: int
    kind: str
    service: str
    text: str
    command: str = ""
    seq: int = 0


class Note(msgspec.Struct, frozen=True, gc=False):
    """What an operator said about a record, or did with it. ``time`` in nanoseconds since 1970."""

    seq: int
    time: int
    who: str
    text: str


class HopLog(msgspec.Struct, frozen=True, gc=False):
    """A log line with the hop it belongs to."""

    session: int
    seq: int
    service: str
    line: LogLine


class Commit(msgspec.Struct, eq=False):
    """One transaction. ``source`` is the service whose state ``writes`` belong to. ``tag`` is the caller's own.

    ``removes`` are records to forget, with replies, attempts, logs, notes and the run that began with them; one that is
    owed to a handler, parked, or begun stays, whoever names it.

    ``external`` marks inserts from outside a delivery: they may be refused when the disk is full. ``at_once`` marks
    what somebody waits for: it has the reserve of a full disk like the rest, and is refused where that is used up,
    instead of kept until there is room. The transport fills ``duplicates`` before it calls ``done``, ``taken`` with the
    numbers of the ``timers`` that were taken back, and ``gone`` with those of ``claims`` whose records have ended.

    ``needs`` is an earlier commit without which this one must not be: where that is refused, this is too. ``leads``:
    another commit follows at once that is best written in one group with it. ``refused`` is filled by the transport.
    """

    done: Callable[[Commit, Exception | None], object]
    inserts: Sequence[Insert] = ()
    settles: Sequence[Settle] = ()
    claims: Sequence[int] = ()
    writes: Sequence[StateWrite] = ()
    logs: Sequence[HopLog] = ()
    alerts: Sequence[AlertRecord] = ()
    notes: Sequence[Note] = ()
    removes: Sequence[int] = ()
    runs: Sequence[RunWrite] = ()
    timers: Sequence[TimerEnd] = ()
    source: str = ""
    durability: Durability = "fsync"
    external: bool = False
    at_once: bool = False
    tag: Any = None
    duplicates: Mapping[int, int] | None = None
    needs: Commit | None = None
    leads: bool = False
    refused: Exception | None = None
    taken: Sequence[int] = ()
    gone: Sequence[int] = ()


class Stored(msgspec.Struct, gc=False):
    """A record as a queue hands it over. ``damaged`` says that its checksum failed: it must be parked, not
    delivered."""

    message: Message
    status: Status
    attempt: int = 0
    due: int = 0
    damaged: bool = False


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A message that an earlier attempt of a delivery already committed (at a savepoint). Its origin begins with the
    counter, 4 bytes big endian."""

    seq: int
    origin: bytes
    status: Status
    reply: Reply | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class Depth:
    """How much a queue owes: records below DONE and their encoded bytes. Not a struct: those are quick to make, and
    this one is changed twice a message."""

    count: int = 0
    bytes: int = 0


class Opened(msgspec.Struct):
    """What ``open`` found. ``epoch`` counts the openings of the store; ``clean`` says that the last node closed it.

    ``suspects`` are the CLAIMED records, and the WAITING ones that are not delayed sends (attempt above 0, or a message
    without a ``due`` of its own: a retry or the head of a held service), in order of ``seq``. ``next_due`` is the
    earliest due time of all WAITING records, 0 for none. ``warnings`` are for the log and the alerts.
    """

    node: str
    epoch: int
    clean: bool
    depths: dict[str, Depth]
    suspects: list[Stored]
    next_due: int = 0
    warnings: list[str] = []


class Record(msgspec.Struct, gc=False):
    """A record as operators read it: the message and what became of it. ``masked`` are the places in the body, and
    ``reply_masked`` those in the reply, whose values are left out because they are sensitive: ``items.0.card``."""

    message: Message
    status: Status
    attempt: int = 0
    due: int = 0
    started: int = 0
    duration: int = 0
    reply: Reply | None = None
    late: bool = False
    failure: Failure | None = None
    damaged: bool = False
    masked: tuple[str, ...] = ()
    reply_masked: tuple[str, ...] = ()


class AttemptRecord(msgspec.Struct):
    """One attempt that failed. Times as in the message."""

    seq: int
    attempt: int
    started: int
    duration: int
    settlement: str
    failure: Failure


Comparison = Literal["=", "!=", "<", "<=", ">", ">=", "~"]
"""``~`` finds the text anywhere in the value."""


class FieldTerm(msgspec.Struct, frozen=True):
    """What a field of the body must be. ``path`` leads to it by names and, in lists, numbers from 0."""

    path: tuple[str | int, ...]
    comparison: Comparison
    value: str | int | float | bool | None


class Query(msgspec.Struct, kw_only=True):
    """What to look for; None means any. ``service`` matches source or target; ``since``/``until`` are nanoseconds.
    ``error`` is the name of the class of an error of any attempt, or a text in its message. All ``fields`` must fit.

    ``before`` continues a listing below this ``seq``. Newest first.
    """

    service: str | None = None
    type: str | None = None
    statuses: tuple[Status, ...] | None = None
    session: int | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None
    error: str | None = None
    fields: tuple[FieldTerm, ...] = ()
    before: int | None = None
    limit: int = 50


class ParkedGroup(msgspec.Struct):
    """Parked messages with the same service, type, error and place in the code."""

    service: str
    type: str
    error: str
    text: str
    fingerprint: str
    count: int
    first: int
    last: int
    latest_seq: int


class Archive(abc.ABC):
    """The reading side for operators. May be asked from any thread; answers what is committed."""

    @abc.abstractmethod
    def record(self, seq: int) -> Record | None: ...

    @abc.abstractmethod
    def search(self, query: Query) -> list[Record]:
        """What fits, newest first.

        :raises SearchTooLong: it was stopped after a few seconds; the text says how far it came.
        """

    @abc.abstractmethod
    def session(self, session: int, after: int = 0, limit: int | None = None) -> list[Record]:
        """The records of a session with a number above ``after``, oldest first; at most ``limit``, or all."""

    @abc.abstractmethod
    def sessions(self, digits: str, limit: int = 4) -> list[int]:
        """Sessions of which the hexadecimal form, 32 lower-case digits, begins or ends with these; at most ``limit``.

        :raises SearchTooLong: as of :meth:`search`.
        """

    @abc.abstractmethod
    def addresses(self) -> list[str]:
        """The services that messages came from or went to, as ``flow/name``, sorted."""

    @abc.abstractmethod
    def attempts(self, seqs: Iterable[int]) -> list[AttemptRecord]: ...

    @abc.abstractmethod
    def logs(self, session: int, limit: int | None = None) -> list[HopLog]:
        """What was logged in the hops of a session, oldest first; at most ``limit`` lines, or all."""

    @abc.abstractmethod
    def parked(self) -> list[ParkedGroup]: ...

    @abc.abstractmethod
    def runs(self, query: RunQuery) -> list[Run]: ...

    @abc.abstractmethod
    def run(self, seq: int) -> Run | None: ...

    @abc.abstractmethod
    def open_runs(self) -> dict[str, int]:
        """How many runs each service has that have not ended, by its address."""

    @abc.abstractmethod
    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        """The history of a run above a number of turns, oldest first."""

    @abc.abstractmethod
    def notes(self, seqs: Iterable[int]) -> list[Note]:
        """What was said about these records, oldest first."""

    @abc.abstractmethod
    def alerts(self, limit: int = 50) -> list[AlertRecord]: ...

    @abc.abstractmethod
    def depths(self) -> dict[str, Depth]: ...
