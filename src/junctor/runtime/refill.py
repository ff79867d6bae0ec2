"""Brings to memory what the store owes to a service: after a start, and whenever the window has room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.hop import Delivery, delivery_of
from junctor.messages import Status
from junctor.transports.base import Stored

if TYPE_CHECKING:
    from junctor.runtime.host import Host

_LANE_AT_ONCE = 16


class Refill:
    """One fetch at a time for the queue, and one for each drained lane."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._engine = host.engine
        self._running = False

    def recover(self, stored: Stored, now: int) -> None:
        """Take back a message that an earlier run of the node had handed out."""
        delivery = delivery_of(stored.message, stored.attempt + 1)
        delivery.suspect = stored.status is Status.CLAIMED
        delivery.damaged = stored.damaged
        delivery.resumed = delivery.special = True
        self._host.mailbox.recover(delivery, stored.due, now)

    def due(self) -> None:
        """Delayed messages of this service may have come due."""
        self.wanted(even_without_backlog=True)

    def wanted(self, even_without_backlog: bool = False) -> None:
        """The window has room."""
        if not self._running and (self._host.mailbox.backlog or even_without_backlog):
            self._running = True
            self._engine.supervisor.start(f"refill {self._host.address}", self._fetch())

    async def _fetch(self) -> None:
        host, box = self._host, self._host.mailbox
        try:
            while box.vacancy:
                now = self._engine.clock.time_ns()
                # Retries in memory are due too and must not use up the limit.
                limit = box.vacancy + len(box.retrying)
                rows = await host.transport.fetch(host.address, box.cursor, limit, now)
                chosen = [row for row in rows if self._choose(row)]
                if not chosen:
                    return
                await self._hand_out(chosen)
        finally:
            self._running = False

    def _choose(self, row: Stored) -> bool:
        box = self._host.mailbox
        seq = row.message.seq
        if row.status is Status.READY:
            return seq > box.cursor and box.vacancy > 0 and box.pick(row.message.key, seq)
        if seq in box.retrying or not box.vacancy:
            return False
        box.active += 1
        return True

    async def _hand_out(self, rows: list[Stored]) -> None:
        """Record that the messages are handed out before any of them runs."""
        await self._engine.committed(claims=[row.message.seq for row in rows])
        for row in rows:
            self._host.mailbox.push(_delivery_of(row))

    def lane_wanted(self, key: str) -> None:
        """A lane has run empty in memory, and the store has more of it."""
        self._engine.supervisor.start(f"refill {self._host.address} {key}", self._fetch_lane(key))

    async def _fetch_lane(self, key: str) -> None:
        host = self._host
        after = host.mailbox.lane_position(key)
        if after is None:
            return
        rows = await host.transport.fetch(host.address, after, _LANE_AT_ONCE, self._engine.clock.time_ns(), key)
        if rows:
            await self._engine.committed(claims=[row.message.seq for row in rows])
        host.mailbox.refilled_lane(key, [_delivery_of(row) for row in rows])


def _delivery_of(row: Stored) -> Delivery:
    delivery = delivery_of(row.message, row.attempt + 1)
    delivery.damaged = row.damaged
    delivery.resumed = row.attempt > 0
    delivery.special = delivery.damaged or delivery.resumed
    return delivery
