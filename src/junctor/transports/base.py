"""The transport contract: how messages get from their acceptance to a handler, and what is kept of them.

A transport is a journal with queues. It has one verb that changes anything, :meth:`Transport.commit`, and it is
called on the node's event loop only. A :class:`Commit` is applied whole or not at all, and commits are applied in the
order in which they were given. ``done`` is called on the loop, in that same order, when the commit is as durable as it
asked to be; a transport without a disk may call it before ``commit`` returns. After ``done(commit, error)`` nothing of
the commit exists. Everything else reads.

What the runtime relies on:

* **Numbers.** ``number()`` gives the ``seq`` of the next record: strictly rising over the life of the store.
* **Duplicates.** An insert whose ``origin`` is known is not stored again; ``commit.duplicates`` maps its ``seq`` to the
  earlier one. This is never an error.
* **Order.** ``fetch`` answers by ``seq``; with ``now`` also delayed messages that have come due.
* **Claims.** A record inserted with ``Status.CLAIMED``, or named in ``claims``, was handed out. After an unclean stop
  such records come back in ``Opened.suspects``; nobody else hands them out.
* **Fullness.** No room on the disk refuses inserts from outside with :class:`~junctor.errors.StoreFull`; settlements
  are kept and tried again until they fit.
* **Ends.** An I/O error on commit calls ``failed`` given to ``open``; the node ends. ``aclose`` first applies every
  commit given before it.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.outcome import Failure, LogLine, Reply, StateWrite
from junctor.core.policy import Durability
from junctor.messages import Message, Status


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport can do. The suite runs the tests of what is True; each False needs its reason in the code.

    ``by_reference``: frozen bodies are handed over as objects, others are copied. ``durable``: accepted messages survive
    the process. ``shared``: several nodes use one transport.
    """

    durable: bool
    by_reference: bool
    shared: bool = False


class Insert(msgspec.Struct, gc=False):
    """A record to add. READY and CLAIMED go to the queue of the target, WAITING when ``message.due`` is in the future;
    DONE and FAILED are first hops (ticks, routes, actions) that have no queue."""

    message: Message
    status: Status = Status.READY
    started: int = 0
    duration: int = 0


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


class HopLog(msgspec.Struct, frozen=True, gc=False):
    """A log line with the hop it belongs to."""

    session: int
    seq: int
    service: str
    line: LogLine


class Commit:
    """One transaction. ``source`` is the service whose state ``writes`` belong to. ``tag`` is the caller's own.

    ``external`` marks inserts from outside a delivery: they may be refused when the disk is full.
    """

    __slots__ = (
        "alerts",
        "claims",
        "done",
        "duplicates",
        "durability",
        "external",
        "inserts",
        "logs",
        "settles",
        "source",
        "tag",
        "writes",
    )

    def __init__(
        self,
        done: Callable[[Commit, Exception | None], object],
        *,
        inserts: Sequence[Insert] = (),
        settles: Sequence[Settle] = (),
        claims: Sequence[int] = (),
        writes: Sequence[StateWrite] = (),
        logs: Sequence[HopLog] = (),
        alerts: Sequence[AlertRecord] = (),
        source: str = "",
        durability: Durability = "fsync",
        external: bool = False,
        tag: Any = None,
    ) -> None:
        self.done = done
        self.inserts = inserts
        self.settles = settles
        self.claims = claims
        self.writes = writes
        self.logs = logs
        self.alerts = alerts
        self.source = source
        self.durability = durability
        self.external = external
        self.tag = tag
        self.duplicates: Mapping[int, int] | None = None


class Stored(msgspec.Struct, gc=False):
    """A record as a queue hands it over. ``damaged`` says that its checksum failed: it must be parked, not delivered."""

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


class Depth(msgspec.Struct, gc=False):
    """How much a queue owes: records below DONE and their encoded bytes."""

    count: int = 0
    bytes: int = 0


class Opened(msgspec.Struct):
    """What ``open`` found. ``epoch`` counts the openings of the store; ``clean`` says that the last node closed it.

    ``suspects`` are the CLAIMED records, and the WAITING ones that are not delayed sends (attempt above 0, or a message
    without a ``due`` of its own: a retry or the head of a held service), in order of ``seq``. ``next_due`` is the earliest
    due time of all WAITING records, 0 for none. ``warnings`` are for the log and the alerts.
    """

    node: str
    epoch: int
    clean: bool
    depths: dict[str, Depth]
    suspects: list[Stored]
    next_due: int = 0
    warnings: list[str] = []


class Record(msgspec.Struct):
    """A record as operators read it: the message and what became of it."""

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


class AttemptRecord(msgspec.Struct):
    """One attempt that failed. Times as in the message."""

    seq: int
    attempt: int
    started: int
    duration: int
    settlement: str
    failure: Failure


class Query(msgspec.Struct, kw_only=True):
    """What to look for; None means any. ``service`` matches source or target; ``since``/``until`` are nanoseconds.

    ``before`` continues a listing below this ``seq``. Newest first.
    """

    service: str | None = None
    type: str | None = None
    statuses: tuple[Status, ...] | None = None
    session: int | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None
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
    def search(self, query: Query) -> list[Record]: ...

    @abc.abstractmethod
    def session(self, session: int) -> list[Record]:
        """All records of a session, oldest first."""

    @abc.abstractmethod
    def attempts(self, seqs: Iterable[int]) -> list[AttemptRecord]: ...

    @abc.abstractmethod
    def logs(self, session: int) -> list[HopLog]: ...

    @abc.abstractmethod
    def parked(self) -> list[ParkedGroup]: ...

    @abc.abstractmethod
    def alerts(self, limit: int = 50) -> list[AlertRecord]: ...

    @abc.abstractmethod
    def depths(self) -> dict[str, Depth]: ...


class Transport(abc.ABC):
    """See the head of this module for what the runtime relies on."""

    name: str
    capabilities: Capabilities
    archive: Archive

    @abc.abstractmethod
    async def open(self, failed: Callable[[Exception], object]) -> Opened:
        """Open or make the journal. Called once.

        :raises StoreLocked: another node has it open.
        :raises StoreTooNew: a newer version wrote it.
        :raises StoreError: the folder cannot be read or written.
        """

    @abc.abstractmethod
    async def aclose(self) -> None:
        """Apply what was given, make the records that are still CLAIMED READY again (nobody runs them any more), mark the
        journal as cleanly closed, release it. Idempotent."""

    @abc.abstractmethod
    def number(self) -> int:
        """The ``seq`` for the next record to insert."""

    @abc.abstractmethod
    def commit(self, commit: Commit) -> None:
        """Apply whole and in order; ``commit.done(commit, error)`` tells the end. Never raises, never blocks."""

    @abc.abstractmethod
    async def fetch(self, target: str, after: int, limit: int, now: int, key: str | None = None) -> list[Stored]:
        """READY records of a target with ``seq`` above ``after``, at most ``limit``, in order; with a ``key`` only those of
        this key. Without a key also its WAITING records that are due at ``now``, at most ``limit``, in order of due time.

        Sees every commit whose ``done`` was called."""

    @abc.abstractmethod
    async def next_due(self) -> int:
        """The earliest due time of all WAITING records, 0 for none."""

    @abc.abstractmethod
    async def sent_by(self, cause: int) -> list[Sent]:
        """What earlier attempts of the delivery of ``cause`` committed at savepoints, in order."""

    @abc.abstractmethod
    def state(self, service: str, key: str) -> dict[str, tuple[bytes, int]]:
        """The committed state under a key: name to (JSON, version). Callable from any thread."""

    @abc.abstractmethod
    def state_keys(self, service: str) -> list[str]:
        """The keys under which a service has state."""
