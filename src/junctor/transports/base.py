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
* **Timers.** A record named in ``timers`` that is WAITING is DONE now, unattempted. One that was handed out is left,
  and a claim of one that has ended does nothing: ``commit.taken`` and ``commit.gone`` tell.
* **State.** A write makes version ``expected + 1``; an entry that does not exist, or was deleted, has version 0.
* **Fullness.** No room on the disk refuses external commits with :class:`~junctor.errors.StoreFull`, and those marked
  ``at_once`` where no reserve is left either; all others are kept, in order, and tried again until they fit. A refusal
  may overtake what is kept; nothing else is told out of order.
* **Runs.** A :class:`~junctor.core.run.RunWrite` makes a run or appends a turn to it; ``expected`` must be the number
  of turns it has, else the whole commit is refused with :class:`~junctor.errors.StateConflict`, as it is where another
  open run of the service has the same key. Runs and turns carry checksums as messages do.
* **Needs.** A commit whose ``needs`` was refused is refused with the same error. Nothing else depends on it: where
  commits are applied as they are given, whoever needs one is given after it.
* **Removal.** A record named in ``removes`` is gone with all that belongs to it, unless it is owed to a handler or
  parked. A settlement of a record that is gone changes nothing.
* **Upkeep.** A commit that only removes may be refused with :class:`~junctor.errors.StoreDamaged`, where it meets
  damage; nothing else suffers from that.
* **Ends.** An I/O error on commit calls ``failed`` given to ``open``; the node ends. ``done`` then gets an error for
  what was not acknowledged yet; the fate of that is known at the next ``open`` only. ``aclose`` first applies every
  commit given before it.
"""

from __future__ import annotations

import abc
from collections.abc import Callable

import msgspec

from junctor.core.outcome import Reply
from junctor.core.records import (
    AlertRecord,
    Archive,
    AttemptRecord,
    Commit,
    Depth,
    FieldTerm,
    HopLog,
    Insert,
    Note,
    Opened,
    ParkedGroup,
    Query,
    Record,
    Sent,
    Settle,
    Stored,
)
from junctor.core.room import Room
from junctor.core.run import Run, Turn
from junctor.core.upkeep import Upkeep
from junctor.messages import Message

__all__ = (
    "AlertRecord",
    "Archive",
    "AttemptRecord",
    "Capabilities",
    "Commit",
    "Depth",
    "FieldTerm",
    "HopLog",
    "Insert",
    "Note",
    "Opened",
    "ParkedGroup",
    "Query",
    "Record",
    "Room",
    "Sent",
    "Settle",
    "Stored",
    "Transport",
    "Upkeep",
)


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport can do. The suite runs the tests of what is True; each False needs its reason in the code.

    ``by_reference``: frozen bodies are handed over as objects, others are copied. ``durable``: accepted messages
    survive the process. ``shared``: several nodes use one transport. ``immediate``: commits are applied before
    ``commit`` returns, and the two shortcuts ``put`` and ``finish`` exist.
    """

    durable: bool
    by_reference: bool
    shared: bool = False
    immediate: bool = False


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
        """Apply what was given, make the records that are still CLAIMED READY again (nobody runs them any more), mark
        the journal as cleanly closed, release it. Idempotent."""

    @abc.abstractmethod
    def number(self) -> int:
        """The ``seq`` for the next record to insert."""

    @abc.abstractmethod
    def commit(self, commit: Commit) -> None:
        """Apply whole and in order; ``commit.done(commit, error)`` tells the end. Never raises, never blocks."""

    def put(self, seq: int, message: Message) -> None:
        """``commit`` of one CLAIMED insert without an origin, where commits are immediate."""
        raise NotImplementedError

    def finish(self, seq: int, started: int, duration: int, reply: Reply | None) -> None:
        """``commit`` of one settlement as DONE at the first attempt, where commits are immediate."""
        raise NotImplementedError

    @abc.abstractmethod
    async def fetch(self, target: str, after: int, limit: int, now: int, key: str | None = None) -> list[Stored]:
        """READY records of a target with ``seq`` above ``after``, at most ``limit``, in order; with a ``key`` only
        those of this key. Without a key also its WAITING records that are due at ``now``, at most ``limit``, in order
        of due time.

        Sees every commit whose ``done`` was called."""

    @abc.abstractmethod
    async def next_due(self, after: int = 0) -> int:
        """The earliest due time above ``after`` of all WAITING records, 0 for none."""

    @abc.abstractmethod
    async def sent_by(self, cause: int) -> list[Sent]:
        """What earlier attempts of the delivery of ``cause`` committed at savepoints, in order."""

    @abc.abstractmethod
    def state(self, service: str, key: str) -> dict[str, tuple[bytes, int]]:
        """The committed state under a key: name to (JSON, version). Callable from any thread.

        :raises StoreDamaged: an entry is not what was written.
        """

    @abc.abstractmethod
    def run(self, seq: int) -> Run | None:
        """The committed run that began with a record. Callable from any thread."""

    @abc.abstractmethod
    def run_called(self, service: str, key: str) -> int:
        """The number of the open run of a service with this key, 0 for none. Callable from any thread."""

    @abc.abstractmethod
    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        """The committed turns of a run above a number, oldest first. Callable from any thread."""

    @abc.abstractmethod
    def state_keys(self, service: str) -> list[str]:
        """The keys under which a service has state."""

    def room(self) -> Room | None:
        """What the journal takes of its disk, None where there is none. A handful of system calls: quick enough for the
        loop, too slow for every message."""
        return None

    def upkeep(self) -> Upkeep | None:
        """What keeps an open journal small, and copies it. None where it forgets by itself."""
        return None
