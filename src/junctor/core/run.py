"""A run: one instance of a durable service, from the message that begins it to its result.

A Workflow or Conversation has a run for each message that begins one. A run lives over many deliveries: replies, timers
and signals that are addressed to it. Between two of them nothing of it has to be in memory; what it needs to go on is
committed with each delivery that it handles, a *turn*. The number of turns is its version: a turn that was computed from
an older one is refused, so a stale owner never gets its work in.
"""

from __future__ import annotations

import enum

import msgspec

RUN_KEY = "junctor-run"
"""The key policy of a durable service: messages for a run are in line by its number, what begins one has no line."""


class RunStatus(enum.IntEnum):
    """Where a run is. The number is stored; never renumber. Below DONE it is open.

    SUSPENDED: its history and today's code differ, or what is stored of it cannot be read; it waits for an operator.
    CONTINUED: it ended by beginning another one, with a history of its own.
    """

    OPEN = 0
    SUSPENDED = 1
    DONE = 2
    FAILED = 3
    CANCELLED = 4
    CONTINUED = 5


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What one delivery did to a run. ``number`` counts from 1; ``data`` is the service's own, JSON; ``time`` in
    nanoseconds since 1970; ``seq`` the record that was delivered."""

    number: int
    time: int
    seq: int
    data: bytes
    damaged: bool = False


class RunWrite(msgspec.Struct, frozen=True, gc=False):
    """What a delivery changes of a run, in its commit.

    ``seq`` is the record that began it, and its number. ``expected`` is the number of turns it was computed from; 0 makes
    the run. Another number in the store refuses the commit with :class:`~junctor.errors.StateConflict`.
    ``data`` is the turn to append; None changes the facts only (an operator suspends or cancels) and appends nothing.
    ``snapshot`` replaces what is kept of attributes; None leaves it. ``key`` is the name under which users know it, at
    most one open run of a service has it; ``due`` the next timer, for display. ``asker`` is the header ASKER of the
    message that began it.
    """

    seq: int
    service: str
    expected: int
    status: RunStatus = RunStatus.OPEN
    handler: str = ""
    key: str | None = None
    data: bytes | None = None
    delivered: int = 0
    time: int = 0
    due: int = 0
    snapshot: bytes | None = None
    code: str = ""
    asker: str = ""
    error: str = ""


class Run(msgspec.Struct, gc=False):
    """A run as it stands. ``turns`` is its version; times in nanoseconds since 1970. ``code`` identifies the code that
    it began on. ``damaged``: its row fails the checksum."""

    seq: int
    service: str
    handler: str
    key: str | None
    status: RunStatus
    turns: int
    started: int
    changed: int
    due: int = 0
    snapshot: bytes | None = None
    code: str = ""
    asker: str = ""
    error: str = ""
    damaged: bool = False


class RunQuery(msgspec.Struct, kw_only=True):
    """Which runs; None means any. Newest first, below the number ``before``."""

    service: str | None = None
    statuses: tuple[RunStatus, ...] | None = None
    key: str | None = None
    before: int | None = None
    limit: int = 50


class Asker(msgspec.Struct, frozen=True):
    """Who asked and goes on with the reply: the run ``run`` of the service at ``address``, at its ``step``."""

    address: str
    run: int
    step: int

    def __str__(self) -> str:
        return f"{self.address} {self.run} {self.step}"


def asker_of(text: str) -> Asker:
    """The asker that a header names.

    :raises ValueError: the text names none.
    """
    address, run, step = text.rsplit(" ", 2)
    return Asker(address, int(run), int(step))


