"""The hop that runs now: a delivery, a tick, a route, an action or a start. What is sent, logged or written joins
it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from hashlib import sha256
from typing import Any

import msgspec

from junctor.core.outcome import Answer, Draft, LogLine, Settlement, StateWrite
from junctor.core.run import RunWrite, TimerEnd
from junctor.messages import NO_HEADERS, Kind, Message
from junctor.messages.codec import encode

MAX_LINES = 200
MAX_LINE = 4096


class Hop(msgspec.Struct, eq=False, gc=False):
    """One entry into the code of a service, from its begin to its settlement.

    ``message`` is the :class:`Message` of a delivery, None at a first hop.
    ``seq`` is the record that this hop is or will become, and the cause of what it sends. ``joins`` says that sends
    wait for the settlement (deliveries, most ticks); elsewhere each is accepted on its own. ``recorded``: the store has
    the record already. ``sent`` holds what earlier attempts committed at savepoints, by origin; None at a first
    attempt. ``saved``: something was committed at a savepoint. ``open`` ends with the settlement: a send by a task that
    outlives its handler no longer joins. ``writes`` are the state entries by key and name, ``reads`` the versions of
    those that were read. ``numbers`` counts the sends to each target. ``work`` is what it does to runs, see
    :class:`RunWork`; None for nearly every hop. ``effects`` are those of what was sent for the message that this one
    repeats, see :mod:`junctor.runtime.effects`. ``headers`` are those of the record that a first hop becomes.
    """

    kind: Kind
    address: str
    name: str
    session: int
    seq: int
    started: int
    message: Any = None
    joins: bool = True
    recorded: bool = True
    attempt: int = 1
    numbers: dict[str, int] | None = None
    open: bool = True
    saved: bool = False
    drafts: list[Draft] | None = None
    writes: dict[tuple[str, str], StateWrite] | None = None
    logs: list[LogLine] | None = None
    sent: dict[bytes, Any] | None = None
    reads: dict[tuple[str, str], int] | None = None
    hides: Any = None
    work: Any = None
    effects: Any = None
    headers: Mapping[str, str] | None = None

    @property
    def service(self) -> str:
        """The name of the service within its flow."""
        return self.address.rpartition("/")[2]

    def number(self, target: str) -> int:
        """The number of the next send to a target, from 1."""
        if self.numbers is None:
            self.numbers = {}
        number = self.numbers[target] = self.numbers.get(target, 0) + 1
        return number

    def note(self, line: LogLine) -> None:
        """Keep a log line with the hop, within bounds; the last one kept says that there were more."""
        if self.logs is None:
            self.logs = []
        if len(self.logs) < MAX_LINES:
            text = line.text if len(line.text) <= MAX_LINE else f"{line.text[:MAX_LINE]} ... (cut)"
            self.logs.append(LogLine(line.time, line.level, line.logger, text))
        elif len(self.logs) == MAX_LINES:
            self.logs.append(LogLine(line.time, line.level, line.logger, f"... more than {MAX_LINES} lines, cut"))


class RunWork(msgspec.Struct, eq=False, gc=False):
    """What a delivery does to runs: turns and facts to write, earlier messages to end, timers to take back, and whether
    its own message is ``deferred``: it has no end yet, a later delivery brings it. ``parked`` is written where it is
    parked instead."""

    runs: list[RunWrite] = msgspec.field(default_factory=list)
    answers: list[Answer] = msgspec.field(default_factory=list)
    timers: list[TimerEnd] = msgspec.field(default_factory=list)
    deferred: bool = False
    parked: RunWrite | None = None


class Asking(msgspec.Struct, frozen=True):
    """What is known of the request that a route, action or WebSocket answers.

    ``caller`` is the name of its API key. ``seed`` stands for its idempotency key: what is sent while it is answered is
    recognized when the request is carried out once more.
    """

    caller: str = ""
    seed: str = ""


class AskedHop(Hop, eq=False, gc=False):
    """A first hop that answers a request of which something is known. ``contents`` counts equal messages it sent."""

    asking: Asking = Asking()
    contents: dict[bytes, int] | None = None

    def mark(self, draft: Draft) -> Draft:
        """The draft with an idempotency key made of the request's and its own content, so that order does not matter;
        as it is, when the code gave it one or the request has none."""
        if not self.asking.seed or draft.idempotency_key is not None:
            return draft
        payload = draft.payload if type(draft.payload) is bytes else encode(draft.payload)
        digest = sha256(f"{draft.target}\0{draft.type}\0".encode() + payload).digest()[:16]
        self.contents = self.contents or {}
        count = self.contents[digest] = self.contents.get(digest, 0) + 1
        return msgspec.structs.replace(draft, idempotency_key=f"{self.asking.seed}/{digest.hex()}/{count}")


class Delivery(Hop, eq=False, gc=False):
    """One attempt to hand a message to a handler; make it with :func:`delivery_of`.

    ``lane`` is the key whose order it holds, None without one. ``suspect``: it was handed out when the node ended
    uncleanly. ``damaged``: its record fails the checksum. ``probes`` counts the probes of a held service.
    ``charged``: it was a suspect, and this attempt is on record whatever becomes of it. ``resumed``: an earlier
    delivery of this message may have committed savepoints. ``special``: one of these is true, or its message repeats
    another. ``given_up``: it did not end in time, the message is delivered anew; what its code still
    does is refused. ``asks`` is the future of the reply that it asked for last. ``needs`` is the commit of its message,
    where it may run before that is done; what it does is committed behind it.
    """

    lane: str | None = None
    probes: int = 0
    suspect: bool = False
    charged: bool = False
    damaged: bool = False
    resumed: bool = False
    special: bool = False
    given_up: bool = False
    asks: Any = None
    needs: Any = None

    @property
    def waits(self) -> bool:
        """Whether it waits for a reply."""
        return self.asks is not None and not self.asks.done()


def delivery_of(message: Message, attempt: int = 1) -> Delivery:
    """The delivery of an accepted message."""
    made = Delivery(message.kind, message.target, "", message.session, message.seq, 0, message)
    if attempt != 1:
        made.attempt = attempt
    if message.key is not None:
        made.lane = message.key
    if message.headers is not NO_HEADERS and message.repeats:
        made.special = True
    return made


def again(delivery: Delivery, settlement: Settlement) -> Delivery:
    """The next delivery of a message that is retried (one attempt more) or held (one probe more)."""
    held = settlement is Settlement.HOLD
    following = delivery_of(delivery.message, delivery.attempt if held else delivery.attempt + 1)
    following.probes = delivery.probes + 1 if held else 0
    following.charged = held and delivery.charged
    # What a held attempt committed at savepoints counts for the next one too.
    following.resumed = following.special = True
    following.needs = delivery.needs
    return following


def anew(delivery: Delivery) -> Delivery:
    """The same delivery from its beginning, because it did not come to its end."""
    following = again(delivery, Settlement.HOLD)
    following.probes, following.suspect, following.damaged = delivery.probes, delivery.suspect, delivery.damaged
    return following


def asked_hop(hop: Hop, known: Asking) -> AskedHop:
    """The hop with what is known of its request."""
    made = AskedHop(*msgspec.structs.astuple(hop))
    made.asking = known
    return made


def caller() -> str:
    """The name of the caller whose request runs now, empty where there is none."""
    hop = current.get()
    return hop.asking.caller if isinstance(hop, AskedHop) else ""


asking: ContextVar[Asking | None] = ContextVar("junctor_asking", default=None)
"""What is known of the request that is answered now; None where nothing is."""

current: ContextVar[Hop | None] = ContextVar("junctor_hop", default=None)
"""The hop of the running code; None outside a service."""
