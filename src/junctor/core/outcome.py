"""The result of a delivery as an encodable value.

A handler on the loop, in a thread, on a loop of its own or in a worker process produces an :class:`Outcome`; only the
dispatcher of the node turns it into a commit. So whoever produced it can die or be replaced without the engine caring.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.run import RunWrite, TimerEnd
from junctor.messages import Kind


class Settlement(enum.IntEnum):
    """What becomes of the message. DONE leaves the queue; RETRY and HOLD keep its place; PARK and EXPIRE end it
    visibly. DEFER leaves the queue without an end: a later delivery brings it, and the reply, as an
    :class:`Answer`."""

    DONE = 0
    RETRY = 1
    HOLD = 2
    PARK = 3
    EXPIRE = 4
    DEFER = 5


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A message that is not accepted yet: it has no number and no session before its commit.

    ``counter`` counts the sends of one delivery to the target from 1, 0 where nobody has counted yet; with the cause it
    makes the origin.
    """

    target: str
    kind: Kind
    type: str
    payload: Any
    version: int = 1
    key: str | None = None
    due: int = 0
    deadline: int = 0
    headers: Mapping[str, str] | None = None
    counter: int = 0
    idempotency_key: str | None = None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The answer to a request. ``payload`` as in the message: an object by reference, or encoded bytes."""

    type: str
    payload: Any
    version: int = 1


class StateWrite(msgspec.Struct, frozen=True, gc=False):
    """One entry of a service's state under a key; ``value`` is JSON, None deletes.

    ``expected`` is the version that the delivery read (0: the entry did not exist). A commit with another version is
    refused as a whole.
    """

    key: str
    name: str
    value: bytes | None
    expected: int


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A log record that belongs to a hop. ``time`` in nanoseconds since 1970."""

    time: int
    level: int
    logger: str
    text: str


class Raised(msgspec.Struct, frozen=True, gc=False):
    """What a policy goes by: the classes of an exception from the nearest to the root, ``modules`` those that they are
    from, and the ``reaction`` that the exception itself asks for."""

    bases: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    reaction: str | None = None


class Failure(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An exception as data. ``fingerprint`` groups failures with the same type and the same place in the code.

    ``bases``, ``modules`` and ``reaction`` as in :class:`Raised`; ``parts`` are the exceptions in a group.
    """

    type: str
    text: str
    traceback: str = ""
    fingerprint: str = ""
    bases: tuple[str, ...] = ()
    reaction: str | None = None
    delay: float | None = None
    modules: tuple[str, ...] = ()
    parts: tuple[Raised, ...] = ()


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The end of an earlier message whose delivery deferred it: a reply, None for a result without one, or the failure.

    ``seq`` is its record; ``asker`` its header ASKER, empty without one; ``session`` its session.
    """

    seq: int
    session: int
    reply: Reply | None = None
    failure: Failure | None = None
    asker: str = ""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """All that a delivery did, to be committed in one transaction or not at all.

    ``delay`` is the wait of RETRY and HOLD in seconds; ``started`` nanoseconds since 1970; ``duration`` nanoseconds.
    """

    settlement: Settlement
    reply: Reply | None = None
    drafts: Sequence[Draft] = ()
    writes: Sequence[StateWrite] = ()
    logs: Sequence[LogLine] = ()
    failure: Failure | None = None
    delay: float = 0.0
    started: int = 0
    duration: int = 0
    answers: Sequence[Answer] = ()
    runs: Sequence[RunWrite] = ()
    timers: Sequence[TimerEnd] = ()


class Hold(Exception):
    """Raise in a handler: the other side is away. The service is held, its head probes, no attempt is spent.

    :param delay: seconds until the next probe; the policy decides when it is left out.
    """

    reaction = "hold"

    def __init__(self, reason: str = "held by its handler", *, delay: float | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


class Rest(Hold):
    """Raise where the service is not meant to work now, by a plan of its own: a :class:`Hold` that alarms nobody."""


def is_rest(failure: Failure) -> bool:
    """Whether a failure is a planned rest."""
    return Rest.__name__ in failure.bases and Rest.__module__ in failure.modules


class Retry(Exception):
    """Raise in a handler: try this message again, after ``delay`` seconds or as the policy says."""

    reaction = "retry"

    def __init__(self, reason: str = "retry asked for by its handler", *, delay: float | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


class Park(Exception):
    """Raise in a handler: no further attempt will help; put the message aside with this reason."""

    reaction = "park"
    delay: float | None = None

    def __init__(self, reason: str = "parked by its handler") -> None:
        super().__init__(reason)
