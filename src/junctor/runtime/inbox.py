"""What a service has apart from its instances: its queue, its counts, its state on the way to the store.

It outlives them: a service that is changed while the node runs goes on with the same inbox, and that of a service which
was taken out waits for its return.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from junctor.core.outage import Outages
from junctor.core.policy import Policies
from junctor.runtime.counts import Counts
from junctor.runtime.known_runs import KnownRuns
from junctor.runtime.mailbox import Mailbox
from junctor.runtime.refill import Refill
from junctor.transports.base import Commit

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine


class Counters:
    """What happened to the messages and calls of a service since its node started; ``busy`` in nanoseconds.

    ``durations`` counts deliveries by the length of their time in bits: index 20 has those from 2**19 up to 2**20 ns.
    ``counts`` is what the service counts of its own.
    """

    __slots__ = (
        "accepted",
        "busy",
        "calls",
        "counts",
        "done",
        "durations",
        "expired",
        "failed",
        "held",
        "parked",
        "refused",
        "retried",
        "ticks",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)
        self.durations = [0] * 65
        self.counts = Counts()

    accepted: int
    busy: int
    calls: int
    counts: Counts
    done: int
    durations: list[int]
    expired: int
    failed: int
    held: int
    parked: int
    refused: int
    retried: int
    ticks: int


class Inbox:
    """Kept by the engine for every address that it knows of. ``used``: a service has worked on it already."""

    def __init__(self, engine: Engine, address: str, policies: Policies) -> None:
        self.address = address
        self.used = False
        self.counters = Counters()
        self.outages = Outages()
        self.runs = KnownRuns()
        self.pending_state: dict[tuple[str, str], tuple[bytes | None, int, Commit | None]] = {}
        self.refill = Refill(engine, self)
        self.mailbox = Mailbox(
            address,
            policies,
            engine.clock,
            engine.window,
            self.refill.wanted,
            self.refill.lane_wanted,
            engine.dispatcher.give_back,
        )

    async def change(self, policies: Policies, engine: Engine) -> None:
        """Treat the messages by other policies from now on. Nothing of the service runs meanwhile."""
        if not self.mailbox.lays_out_as(policies):
            self.mailbox.shut()
            # What was accepted or fetched before has arrived after this; what comes meanwhile stays in the store.
            await engine.committed()
            while self.refill.busy:
                await asyncio.sleep(0)
                await engine.committed()
        self.mailbox.change(policies)
