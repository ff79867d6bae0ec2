"""The queue of one service as the runtime holds it: a window in memory over what the store owes to the service.

New messages that fit the window are admitted: inserted as claimed and handed over without another write. When the
window is full they stay in the store as *backlog* and are fetched in order later. While there is a backlog nothing new
is admitted, so the order of acceptance is the order of delivery.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from junctor.clock import SECOND, Clock
from junctor.core.hop import Delivery
from junctor.core.order import Lanes
from junctor.core.policy import Policies
from junctor.errors import QueueFull
from junctor.messages import Kind, Message, Status
from junctor.transports.base import Depth


class Mailbox:
    """``refill`` and ``refill_lane`` are called when the window has room for what the store still owes."""

    def __init__(
        self,
        address: str,
        policies: Policies,
        clock: Clock,
        window: int,
        refill: Callable[[], object],
        refill_lane: Callable[[str], object],
    ) -> None:
        pool = policies.pool
        self.address = address
        self.depth = Depth()
        self.ready: deque[Delivery] = deque()
        self.backlog = 0
        self.cursor = 0
        self.active = 0
        self.retrying: set[int] = set()
        self.paused = True
        self.held = False
        self._policies = policies
        self._clock = clock
        self._window = window
        self.limit = policies.queue.limit
        self._low = window // 2
        self._refill = refill
        self._refill_lane = refill_lane
        self._lanes: Lanes[Delivery] | None = Lanes() if pool.key is not None else None
        # One line for the whole service needs no lanes: the only runner is the line.
        self._single = pool.size == 1 and pool.key is None and pool.order == "strict"
        self._strict = pool.order == "strict"
        self._head_waits = False
        self._probes: deque[Delivery] = deque()
        self._probing = False
        self._idle: list[asyncio.Future[None]] = []
        self._senders: deque[asyncio.Future[None]] = deque()
        self._draining = False
        self.released: Callable[[], object] = lambda: None
        self._reckon()

    def _reckon(self) -> None:
        """Sum up for the short ways: ``flowing``, the first ready message may be taken; ``simple``, nobody waits for a
        message to finish."""
        self.flowing = not (self.paused or self.held or self._head_waits)
        self.simple = self._lanes is None and not self._senders and not self.held

    # Acceptance ---------------------------------------------------------------------------------------------

    def room(self, size: int) -> bool:
        queue = self._policies.queue
        return self.depth.count < queue.limit and self.depth.bytes + size <= queue.bytes

    async def wait_for_room(self, size: int) -> None:
        """Hold the sender back until there is room.

        :raises QueueFull: the queue stayed full for as long as its policy lets a sender wait.
        """
        deadline = self._clock.monotonic() + self._policies.queue.wait
        while not self.room(size):
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise self.full()
            place = asyncio.get_running_loop().create_future()
            self._senders.append(place)
            self._reckon()
            timer = self._clock.call_later(left, partial(_wake, place))
            await place
            timer.cancel()

    def full(self) -> QueueFull:
        return QueueFull(
            f"the queue holds {self.depth.count} messages ({self.depth.bytes} bytes), its bound is "
            f"{self._policies.queue.limit} ({self._policies.queue.bytes} bytes)",
            where=self.address,
        )

    def admit(self, message: Message, size: int, now: int) -> Status:
        """Count a message that is about to be committed, and decide where it waits."""
        depth = self.depth
        depth.count += 1
        depth.bytes += size
        if message.due > now:
            return Status.WAITING
        if self.backlog or self.active >= self._window:
            self.backlog += 1
            return Status.READY
        self.cursor = message.seq
        if self._lanes is not None and message.key is not None and not self._lanes.keeps(message.key):
            return Status.READY
        self.active += 1
        return Status.CLAIMED

    def take_in(self, delivery: Delivery) -> bool:
        """``room``, ``admit`` and ``push`` in one step, where commits are immediate. False: there is no room."""
        depth = self.depth
        if depth.count >= self.limit:
            return False
        depth.count += 1
        self.active += 1
        if self._lanes is not None:
            self.push(delivery)
            return True
        self.ready.append(delivery)
        idle = self._idle
        if idle:
            place = idle.pop()
            if not place.done():
                place.set_result(None)
            else:
                self._wake_one()
        return True

    def withdraw(self, status: Status, size: int) -> None:
        """Take back an admission whose commit was refused."""
        self.depth.count -= 1
        self.depth.bytes -= size
        if status is Status.CLAIMED:
            self.active -= 1
        elif status is Status.READY and self.backlog:
            self.backlog -= 1

    def stored(self, status: Status) -> None:
        """A message that is not in memory was committed: fetch it when the window has run empty meanwhile."""
        if status is Status.READY and self.active <= self._low:
            self._refill()

    def push(self, delivery: Delivery) -> None:
        """A claimed message was committed: it takes its place in line."""
        lanes = self._lanes
        if lanes is not None and delivery.lane is not None:
            if not lanes.enter(delivery.lane, delivery, delivery.seq):
                if lanes.is_blocked(delivery.lane):
                    self.active -= 1
                return
        self.ready.append(delivery)
        if self._idle:
            self._wake_one()

    def pick(self, key: str | None, seq: int) -> bool:
        """Whether a fetched message of the backlog may come to memory; moves the cursor over it."""
        self.cursor = max(self.cursor, seq)
        self.backlog = max(0, self.backlog - 1)
        if self._lanes is not None and key is not None and not self._lanes.keeps(key):
            return False
        self.active += 1
        return True

    @property
    def vacancy(self) -> int:
        return max(0, self._window - self.active)

    # Delivery -----------------------------------------------------------------------------------------------

    def take(self) -> Delivery | None:
        """The next message that may run, None when there is none now."""
        if not self.ready or self.paused or self._head_waits:
            return self._take_request() if self._draining and self.ready else None
        if self.held:
            if not self._probing:
                return None
            self._probing = False
        return self.ready.popleft()

    def untake(self, deliveries: Sequence[Delivery]) -> None:
        """Give back, in order, what was taken and did not run."""
        self.ready.extendleft(reversed(deliveries))
        if deliveries:
            self._wake_one()

    @property
    def single(self) -> bool:
        """One line for the whole service: a message that is retried holds back all others."""
        return self._single

    def _take_request(self) -> Delivery | None:
        """While the node stops: only requests, because a delivery that may still finish waits for their replies."""
        for index, delivery in enumerate(self.ready):
            if delivery.kind is Kind.REQUEST:
                del self.ready[index]
                return delivery
        return None

    def place(self) -> asyncio.Future[None]:
        """Await it to sleep until something may have become takeable."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(place)
        return place

    def finished(self, delivery: Delivery, size: int) -> None:
        """The message has left the queue for good."""
        self.depth.count -= 1
        self.depth.bytes -= size
        self.active -= 1
        if self._senders:
            _wake(self._senders.popleft())
            self._reckon()
        if self._lanes is not None and delivery.lane is not None:
            self._leave_lane(delivery.lane)
        if self.held:
            self.release()
        if self.backlog and self.active <= self._low:
            self._refill()

    def _leave_lane(self, key: str) -> None:
        assert self._lanes is not None
        following = self._lanes.leave(key)
        if following is not None:
            self.ready.append(following)
            self._wake_one()
        elif self._lanes.drained(key) is not None:
            self._refill_lane(key)

    # Retry and hold -----------------------------------------------------------------------------------------

    def retry(self, delivery: Delivery, delay: float) -> None:
        """Bring the message back after ``delay`` seconds, in its place (strict) or behind the others (skip)."""
        self.retrying.add(delivery.seq)
        if self.held:
            self.release()
        if self._single:
            self._head_waits = True
            self._reckon()
        elif self._lanes is not None and delivery.lane is not None:
            if self._strict:
                self.active -= 1 + self._lanes.block(delivery.lane)
            else:
                self._leave_lane(delivery.lane)
        self._clock.call_later(delay, partial(self._again, delivery))

    def _again(self, delivery: Delivery) -> None:
        self.retrying.discard(delivery.seq)
        lanes = self._lanes
        if self._single:
            self._head_waits = False
            self._reckon()
        elif lanes is not None and delivery.lane is not None:
            if self._strict:
                self.active += 1 + lanes.unblock(delivery.lane)
            elif not lanes.enter(delivery.lane, delivery, delivery.seq):
                return
        self.ready.appendleft(delivery)
        self._wake_one()

    def hold(self, delivery: Delivery, delay: float) -> None:
        """Hold the service: this message probes after ``delay`` seconds, everything else waits for its success."""
        self.held = True
        self._reckon()
        self._probes.append(delivery)
        if len(self._probes) == 1:
            self._clock.call_later(delay, self._probe)

    def _probe(self) -> None:
        if self._probes:
            self._probing = True
            self.ready.appendleft(self._probes.popleft())
            self._wake_one()

    def release(self) -> None:
        """The other side answered: everything flows again."""
        self.held = False
        self._reckon()
        self._probing = False
        self.ready.extendleft(reversed(self._probes))
        self._probes.clear()
        self.wake()
        self.released()

    def recover(self, delivery: Delivery, due: int, now: int) -> None:
        """Put a message that an earlier run of the node had handed out back in line; called in order of ``seq``.

        :param due: when its next attempt may begin, nanoseconds since 1970; 0 or past for at once.
        """
        self.active += 1
        if self._lanes is not None and delivery.lane is not None:
            if not self._lanes.enter(delivery.lane, delivery, delivery.seq):
                return
        if due > now:
            self.retry(delivery, (due - now) / SECOND)
        else:
            self.ready.append(delivery)

    def refilled_lane(self, key: str, deliveries: list[Delivery]) -> None:
        """What the store had left of a drained lane."""
        assert self._lanes is not None
        last = deliveries[-1].seq if deliveries else 0
        self.active += len(deliveries)
        following = self._lanes.refilled(key, deliveries, last)
        if following is not None:
            self.ready.append(following)
            self._wake_one()

    def lane_position(self, key: str) -> int | None:
        """After which ``seq`` the rest of a drained lane begins in the store."""
        lane = self._lanes.drained(key) if self._lanes is not None else None
        return lane.last if lane is not None else None

    # Flow ---------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        self.paused = True
        self._reckon()
        self._draining = False

    def drain(self) -> None:
        """Take nothing new but the requests that others still wait for."""
        self.paused = True
        self._reckon()
        self._draining = True

    def resume(self) -> None:
        self.paused = False
        self._reckon()
        self._draining = False
        self.wake()
        if self.backlog:
            self._refill()

    def wake(self) -> None:
        """Let every runner look again."""
        idle, self._idle = self._idle, []
        for place in idle:
            _wake(place)

    def _wake_one(self) -> None:
        while self._idle:
            place = self._idle.pop()
            if not place.done():
                place.set_result(None)
                return


def _wake(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_result(None)
