"""Brings to memory what the store owes to a service: after a start, and whenever the window has room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junctor.core.hop import Delivery, delivery_of
from junctor.errors import NotRunning
from junctor.messages import Status
from junctor.transports.base import Commit, Stored

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.inbox import Inbox

_LANE_AT_ONCE = 16


class Refill:
    """One fetch at a time for the queue, and one for each drained lane. ``left_out``: the last one left a message that
    has come due in the store, because its lane is full."""

    def __init__(self, engine: Engine, inbox: Inbox) -> None:
        self._inbox = inbox
        self._engine = engine
        self._running = False
        self._asked = False
        self._lanes = 0
        self.left_out = False

    @property
    def busy(self) -> bool:
        """Whether something of the store is on its way to memory."""
        return self._running or self._lanes > 0

    def recover(self, stored: Stored, now: int) -> None:
        """Take back a message that an earlier run of the node had handed out."""
        delivery = delivery_of(stored.message, stored.attempt + 1)
        delivery.suspect = stored.status is Status.CLAIMED
        delivery.damaged = stored.damaged
        delivery.resumed = delivery.special = True
        self._inbox.mailbox.recover(delivery, stored.due, now)

    def due(self) -> None:
        """Delayed messages of this service may have come due."""
        self._asked = True
        # A mailbox that is shut takes nothing in: to look all the same with each accepted message would keep the change
        # of its lines waiting for as long as there is load. It is asked again when its service starts.
        if not self._running and not self._inbox.mailbox.is_shut:
            self._running = True
            self._engine.supervisor.start(f"refill {self._inbox.address}", self._fetch())

    def wanted(self) -> None:
        """The window has room for the backlog, or for what came due while it had none."""
        if self._inbox.mailbox.backlog or self._inbox.mailbox.more_due:
            self.due()

    async def _fetch(self) -> None:
        box = self._inbox.mailbox
        # Asked again during a fetch: what was committed meanwhile may not have been visible to it.
        try:
            while self._asked:
                self._asked = False
                while box.vacancy and await self._fetch_some():
                    pass
                # With a full window nobody knows whether more has come due.
                box.more_due = not box.vacancy
        except NotRunning:
            pass  # The store is closed; the next start finds what is left.
        finally:
            self._running = False

    async def _fetch_some(self) -> bool:
        """Whether anything was found, so that there may be more."""
        box = self._inbox.mailbox
        before = box.left_over if not box.unstored else -1
        # Retries in memory are due too and must not use up the limit.
        limit = box.vacancy + len(box.retrying)
        box.looking = True
        try:
            rows = await self._engine.transport.fetch(
                self._inbox.address, box.cursor, limit, self._engine.clock.time_ns()
            )
            past = [row for row in rows if row.status is not Status.READY]
            coming_due = [row for row in past if self._comes(row)]
            self.left_out = any(box.crowded(row.message.key) for row in past)
        finally:
            box.looked()
        ready = [row for row in rows if row.status is Status.READY and row.message.seq > box.cursor]
        picked = [row for row in ready if box.vacancy and box.pick(row.message.key, row.message.seq)]
        due = coming_due[: box.vacancy]
        if len(ready) < limit and (not ready or box.cursor >= ready[-1].message.seq) and box.left_over == before:
            box.backlog = 0
        await self._hand_out(picked, due)
        return bool(ready or due)

    def _comes(self, row: Stored) -> bool:
        box = self._inbox.mailbox
        return row.message.seq not in box.retrying and not box.crowded(row.message.key)

    async def _hand_out(self, picked: list[Stored], due: list[Stored]) -> None:
        """Record that the messages are handed out before any of them runs."""
        box = self._inbox.mailbox

        def push(commit: Commit) -> None:
            for row in picked:
                box.push(_delivery_of(row))
            for row in due:
                if row.message.seq not in commit.gone:  # a timer that was taken back since
                    box.rejoin(_delivery_of(row))

        if picked or due:
            # Pushed by the commit itself: a younger message may come with the next one, before this task goes on.
            await self._engine.committed(push, claims=[row.message.seq for row in (*picked, *due)])

    def lane_wanted(self, key: str) -> None:
        """A lane has run empty in memory, and the store has more of it."""
        self._lanes += 1
        self._engine.supervisor.start(f"refill {self._inbox.address} {key}", self._fetch_lane(key))

    async def _fetch_lane(self, key: str) -> None:
        box = self._inbox.mailbox
        try:
            # What was left or given back before is visible after this.
            await self._engine.committed()
            rows = await self._engine.transport.fetch(self._inbox.address, 0, _LANE_AT_ONCE, 0, key)
            # What is above the cursor belongs to the backlog.
            rows = [row for row in rows if row.message.seq <= box.cursor]
            if rows:
                await self._engine.committed(claims=[row.message.seq for row in rows])
        except NotRunning:
            return
        finally:
            self._lanes -= 1
        box.refilled_lane(key, [_delivery_of(row) for row in rows])


def _delivery_of(row: Stored) -> Delivery:
    delivery = delivery_of(row.message, row.attempt + 1)
    delivery.damaged = row.damaged
    # Waiting for another time than its own: an earlier run of the node put it back with its savepoints.
    delivery.resumed = row.attempt > 0 or (row.status is Status.WAITING and row.due != row.message.due)
    delivery.special = delivery.special or delivery.damaged or delivery.resumed
    return delivery
