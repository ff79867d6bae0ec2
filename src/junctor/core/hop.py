"""The hop that runs now: a delivery, a tick, a route, an action or a start. What is sent, logged or written joins it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from junctor.core.outcome import Draft, LogLine, StateWrite
from junctor.messages import Kind, Message

MAX_LINES = 200
MAX_LINE = 4096


class Hop:
    """One entry into the code of a service, from its begin to its settlement.

    ``seq`` is the record that this hop is or will become, and the cause of what it sends. ``joins`` says that sends
    wait for the settlement (deliveries and ticks); elsewhere each send is accepted on its own. ``sent`` holds what
    earlier attempts committed at savepoints, by origin; None at a first attempt. ``open`` ends with the settlement:
    a send by a task that outlives its handler no longer joins.
    """

    __slots__ = (
        "address",
        "attempt",
        "counter",
        "drafts",
        "kind",
        "logs",
        "message",
        "name",
        "open",
        "recorded",
        "sent",
        "seq",
        "session",
        "started",
        "writes",
    )

    def __init__(self, kind: Kind, address: str, name: str, session: int, seq: int, started: int) -> None:
        self.kind = kind
        self.address = address
        self.name = name
        self.session = session
        self.seq = seq
        self.started = started
        self.message: Message | None = None
        self.attempt = 1
        self.counter = 0
        self.drafts: list[Draft] | None = None
        self.writes: dict[tuple[str, str], StateWrite] | None = None
        self.logs: list[LogLine] | None = None
        self.sent: dict[bytes, Any] | None = None
        self.recorded = False
        self.open = True

    @property
    def joins(self) -> bool:
        return self.kind < Kind.ROUTE

    @property
    def service(self) -> str:
        """The name of the service within its flow."""
        return self.address.rpartition("/")[2]

    def note(self, line: LogLine) -> None:
        """Keep a log line with the hop, within bounds; the last one kept says that there were more."""
        if self.logs is None:
            self.logs = []
        if len(self.logs) < MAX_LINES:
            text = line.text if len(line.text) <= MAX_LINE else f"{line.text[:MAX_LINE]} ... (cut)"
            self.logs.append(LogLine(line.time, line.level, line.logger, text))
        elif len(self.logs) == MAX_LINES:
            self.logs.append(LogLine(line.time, line.level, line.logger, f"... more than {MAX_LINES} lines, cut"))


class Delivery(Hop):
    """One attempt to hand a message to a handler. ``lane`` is the key whose order it holds, None without one.

    ``suspect``: it was handed out when the node ended uncleanly. ``damaged``: its record fails the checksum.
    """

    __slots__ = ("damaged", "lane", "probes", "suspect")

    message: Message

    def __init__(self, message: Message, attempt: int = 1) -> None:
        # Written out instead of calling the base: this runs once a message.
        self.kind = message.kind
        self.address = message.target
        self.name = ""
        self.session = message.session
        self.seq = message.seq
        self.started = 0
        self.message = message
        self.attempt = attempt
        self.counter = 0
        self.drafts = None
        self.writes = None
        self.logs = None
        self.sent = None
        self.recorded = True
        self.open = True
        self.lane = message.key
        self.probes = 0
        self.suspect = False
        self.damaged = False


current: ContextVar[Hop | None] = ContextVar("junctor_hop", default=None)
"""The hop of the running code; None outside a service."""
