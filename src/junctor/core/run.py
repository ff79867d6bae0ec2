"""A run: one instance of a durable service, from the message that begins it to its result.

A Workflow or Conversation has a run for each message that begins one. A run lives over many deliveries: replies, timers
and signals that are addressed to it. Between two of them nothing of it has to be in memory; what it needs to go on is
committed with each delivery that it handles, a *turn*. The number of turns is its version: a turn that was computed
from an older one is refused, so a stale owner never gets its work in.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from junctor.core.outcome import Answer, Reply
    from junctor.core.port import Link
    from junctor.messages import MessageType

RUN_KEY = "junctor-run"
"""The key policy of a durable service: messages for a run are in line by its number, what begins one has no line."""

REPLIED = "junctor-replied"
"""The handler of a durable service that the ends of its requests are for."""

WOKEN = "junctor-woken"
"""The handler of a durable service that its timers are for."""

CANCEL = "junctor-cancel"
"""The handler of a durable service for messages, with the number or key of a run as key, that cancel it."""

FAILURE = "junctor.Failure"
"""The type of a reply that is the failure of its request."""


class RunStatus(enum.IntEnum):
    """Where a run is. The number is stored; never renumber. Below DONE it is open.

    SUSPENDED: its history and today's code differ, or what is stored of it cannot be read; it waits for an operator.
    CONTINUED: it ended by beginning another one, with a history of its own. CONTINUING: the same for one with a key,
    until the other one has begun and takes the key over.
    """

    CONTINUING = -1
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

    ``seq`` is the record that began it, and its number. ``expected`` is the number of turns it was computed from; 0
    makes the run. Another number in the store refuses the commit with :class:`~junctor.errors.StateConflict`.
    ``data`` is the turn to append; None changes the facts only (an operator suspends or cancels) and appends nothing.
    ``snapshot`` replaces what is kept of attributes; None leaves it. ``key`` is the name under which users know it, at
    most one open run of a service has it; ``due`` the next timer, for display. ``asker`` is the header ASKER of the
    message that began it, ``session`` its session: all that the run sends belongs to it. ``seals``: what is stored
    counts as sound from now on, also where it was damaged: nothing goes on from it.
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
    session: int = 0
    error: str = ""
    seals: bool = False


class TimerEnd(msgspec.Struct, frozen=True, gc=False):
    """A timer of a run that is not needed any more: the record that waits for the time ``due``, in the line of ``run``
    at ``target``, to end its ``step``. One that is not there, or was handed out already, stays as it is."""

    target: str
    run: int
    step: int
    due: int


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
    session: int = 0
    error: str = ""
    damaged: bool = False

    @property
    def is_open(self) -> bool:
        return self.status < RunStatus.DONE


def after(write: RunWrite, known: Run | None) -> Run:
    """The run as it stands behind a write that fits it. Its beginning never changes."""
    turns = write.expected + (write.data is not None)
    if known is None:
        return Run(
            write.seq,
            write.service,
            write.handler,
            write.key,
            write.status,
            turns,
            write.time,
            write.time,
            write.due,
            write.snapshot,
            write.code,
            write.asker,
            write.session,
            write.error,
        )
    return Run(  # in half the time of structs.replace()
        known.seq,
        known.service,
        known.handler,
        known.key,
        write.status,
        turns,
        known.started,
        write.time,
        write.due,
        known.snapshot if write.snapshot is None else write.snapshot,
        known.code,
        known.asker,
        known.session,
        write.error,
        known.damaged and not write.seals,
    )


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


class Continues(msgspec.Struct, frozen=True):
    """What a run carries on: the run ``before`` it, and the one that began all, ``first``, with its session and
    asker."""

    first: int
    before: int
    session: int
    asker: str = ""

    def __str__(self) -> str:
        return f"{self.first}/{self.before} {self.session:032x} {self.asker}"


def continues_of(text: str) -> Continues:
    """What a header CONTINUES names.

    :raises ValueError: it names nothing.
    """
    numbers, session, asker = text.split(" ", 2)
    first, _, before = numbers.partition("/")
    return Continues(int(first), int(before or first), int(session, 16), asker)


class RunPort(Protocol):
    """What a durable service asks of the engine. All of it joins the delivery that runs and is committed with it.

    :raises StateError: a call that changes something comes from outside a delivery.
    """

    @property
    def limit(self) -> int:
        """Bytes that a body may have, and what is kept of a run from one delivery to the next."""
        ...

    def ask(
        self,
        link: Link,
        body: Any,
        asker: Asker,
        *,
        timeout: float | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A request whose end comes as a delivery of this service: a message of ``Kind.REPLY`` in the line of the run,
        with the headers ANSWERS (the step) and ENDED (done, parked, expired). Its body is the reply, or the
        :class:`~junctor.core.outcome.Failure`. It is committed together with that end.

        :param timeout: seconds for the request to reach its handler; without it none.
        """
        ...

    def wake(self, run: int, step: int, at: int) -> None:
        """Have an empty message delivered in the line of the run, with ANSWERS (the step), at a time in nanoseconds
        since 1970."""
        ...

    def unwake(self, run: int, step: int, at: int) -> None:
        """Take back what :meth:`wake` asked for, in this delivery or an earlier one, with the same arguments. A timer
        that is on its way to the run already comes all the same."""
        ...

    def pass_on(self, run: int, handler: str) -> None:
        """Have the message that is handled now delivered to an inner handler in the line of the run. Where it is
        deferred too, the header PASSED tells that delivery which message to :meth:`answer`."""
        ...

    def enter(self, run: Run) -> None:
        """From now on what the delivery sends and logs belongs to the session of the run."""
        ...

    def defer(self) -> None:
        """The message being handled has no end yet: it leaves the queue, and whoever asked goes on waiting."""
        ...

    def answer(self, answer: Answer) -> None:
        """End a message that was deferred."""
        ...

    def write(self, write: RunWrite) -> None:
        """Make a run, or append a turn to it."""
        ...

    def on_park(self, write: RunWrite | None) -> None:
        """What becomes of the run where this delivery fails for good and is parked: written with that, and told as an
        alert. Its ``error`` is that of the delivery. None takes it back."""
        ...

    def carry_on(self, handler: str, body: Any, continues: str) -> None:
        """Send this service the message that begins the run which carries one on that ends; ``continues`` is its header
        CONTINUES."""
        ...

    def reply(self, handler: str, value: Any) -> Reply | None:
        """The reply that a result of a handler is.

        :raises EncodeError: it is not of the type that the handler declares.
        """
        ...

    def type_named(self, name: str) -> MessageType | None:
        """The type of this name that the flow knows, also the one of a body that another service sent."""
        ...

    def blocking(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """Call a function in a thread, in this delivery."""
        ...

    async def stored(self, run: int) -> None:
        """Wait until all that this delivery goes by is on the disk: its message, and the turns of the run before it. To
        be awaited before anything is done that reaches outside.

        :raises JunctorError: it was refused.
        """
        ...

    def find(self, seq: int) -> Run | None:
        """The run that began with a record: as it is committed, with what is on its way to the store.

        :raises StoreDamaged: it is not what was written.
        """
        ...

    def called(self, key: str) -> int:
        """The number of the open run of this service with this key, 0 for none."""
        ...

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        """The committed history of a run above a number of turns."""
        ...
