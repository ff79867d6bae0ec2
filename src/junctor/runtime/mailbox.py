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

from junctor.clock import SECOND, Clock, Timer
from junctor.core.hop import Delivery
from junctor.core.order import BACK, KEPT_BEHIND_BLOCKED, RUNS, WAITS, Lanes
from junctor.core.policy import Policies
from junctor.errors import NotRunning, QueueFull
from junctor.messages import Kind, Message, Status
from junctor.runtime.senders import Senders
from junctor.transports.base import Depth

NOTHING = b"null"
"""The body of a timer."""

UNBOUNDED = 1 << 60
"""The window of a transport that has everything in memory anyway."""


class Mailbox:
    """``refill`` and ``refill_lane`` are called when the window has room for what the store still owes, ``give_back``
    with claimed messages that are to wait in the store instead of here.

    ``active`` counts what is in memory, less what belongs to blocked lanes. ``retrying`` has the numbers of the
    messages in memory that the store holds as waiting: the look for due ones must not hand them out a second time.
    ``idle`` has the places of runners that sleep until something may have become takeable.
    """

    def __init__(
        self,
        address: str,
        policies: Policies,
        clock: Clock,
        window: int,
        refill: Callable[[], object],
        refill_lane: Callable[[str], object],
        give_back: Callable[[Sequence[Delivery]], object],
    ) -> None:
        pool = policies.pool
        self.address = address
        self.depth = Depth()
        self.ready: deque[Delivery] = deque()
        self.backlog = 0
        self.cursor = 0
        self.active = 0
        self.retrying: set[int] = set()
        self.looking = False
        self._claimed_since: set[int] = set()
        self.paused = True
        self.held = False
        self._policies = policies
        self._clock = clock
        self._window = window
        self._size = window
        self.limit = policies.queue.limit
        self._low = window // 2
        self._refill = refill
        self._refill_lane = refill_lane
        self._give_back = give_back
        self._lanes: Lanes[Delivery] | None = self._make_lanes()
        self._left: set[int] = set()
        self.unstored = 0
        self.more_due = False
        self.left_over = 0
        # One line for the whole service needs no lanes: the only runner is the line.
        self._single = pool.size == 1 and pool.key is None and pool.order == "strict"
        self._strict = pool.order == "strict"
        self._heads_waiting = 0
        self._probes: deque[Delivery] = deque()
        self._probe_timer: Timer | None = None
        self._probe_at = 0.0
        self._probing = False
        self._probe_seq = 0
        self.idle: list[asyncio.Future[None]] = []
        self.senders = Senders(clock, self.room, self._reckon)
        self._draining = False
        self._leaving = False
        self._waiting: dict[int, tuple[Timer, Delivery, float]] = {}
        self.released: Callable[[], object] = lambda: None
        self._reckon()

    def _make_lanes(self) -> Lanes[Delivery] | None:
        # A transport without a window has no store to leave messages in.
        kept = KEPT_BEHIND_BLOCKED if self._size < UNBOUNDED else UNBOUNDED
        return Lanes(kept) if self._policies.pool.key is not None else None

    def _reckon(self) -> None:
        """Sum up for the short ways: ``flowing``, the first ready message may be taken; ``simple``, nobody waits for a
        message to finish."""
        self.flowing = not (self.paused or self.held or self._heads_waiting)
        self.simple = self._lanes is None and not self.senders.waiting and not self.held

    # Acceptance ---------------------------------------------------------------------------------------------

    def room(self, size: int) -> bool:
        queue = self._policies.queue
        return self.depth.count < queue.limit and self.depth.bytes + size <= queue.bytes

    async def wait_for_room(self, size: int, longest: float) -> None:
        """Hold the sender back until there is room and those who came before have theirs.

        :param longest: seconds that the sender itself has.
        :raises QueueFull: the queue stayed full for as long as its policy lets a sender wait.
        :raises NotRunning: the node is stopping, and makes no room any more.
        """
        if size > self._policies.queue.bytes:
            raise self.full()
        await self.senders.wait(size, min(longest, self._policies.queue.wait), self._refusal)

    def _refusal(self, too_long: bool) -> Exception | None:
        if self._leaving:
            return NotRunning("the queue is full and the node is stopping", where=self.address)
        return self.full() if too_long else None

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
            self.left_over += 1
            self.unstored += 1
            return Status.READY
        self.cursor = message.seq
        if self._lanes is not None and message.key is not None and not self._lanes.admit(message.key):
            self._left.add(message.seq)
            return Status.READY
        self.active += 1
        return Status.CLAIMED

    def take_in(self, delivery: Delivery) -> None:
        """``admit`` and ``push`` in one step, where commits are immediate and there is room."""
        self.depth.count += 1
        self.active += 1
        if self._lanes is not None and delivery.lane is not None and self._lanes.join(delivery.lane, delivery) is WAITS:
            if self._lanes.is_blocked(delivery.lane):
                self.active -= 1
            return
        self.ready.append(delivery)
        if self.idle:
            self.wake_one()

    def comes_next(self, message: Message) -> bool:
        """Whether a message that was claimed just now may be pushed before its commit is done: it passes none of its
        key that is not here yet."""
        return self._lanes is None or message.key is None or self._lanes.is_next(message.key)

    def withdraw(self, message: Message, status: Status, size: int) -> None:
        """Take back an admission whose commit was refused."""
        self.depth.count -= 1
        self.depth.bytes -= size
        if self.senders.waiting:
            self.senders.call()
        if status is Status.CLAIMED:
            self.active -= 1
        elif status is Status.READY and message.seq not in self._left:
            self.backlog = max(0, self.backlog - 1)
            self.unstored -= 1
            return
        if self._lanes is not None and message.key is not None and status is not Status.WAITING:
            self._left.discard(message.seq)
            self._lanes.withdraw(message.key, status is Status.CLAIMED)
            self._fill_lane(message.key)

    def stored(self, message: Message) -> None:
        """A message that is not in memory was committed: fetch it when there is room for it meanwhile."""
        if message.seq in self._left and message.key is not None:
            self._left.discard(message.seq)
            self._fill_lane(message.key)
            return
        self.unstored -= 1
        if self.active <= self._low:
            self._refill()

    def push(self, delivery: Delivery) -> None:
        """A claimed message was committed: it takes its place in line."""
        lanes, key = self._lanes, delivery.lane
        if lanes is not None and key is not None and (place := lanes.arrive(key, delivery)) is not RUNS:
            if place is BACK or lanes.is_blocked(key):
                self.active -= 1
            if place is BACK:
                self._give_back((delivery,))
                self._fill_lane(key)
            return
        self.ready.append(delivery)
        if self.idle:
            self.wake_one()

    def rejoin(self, delivery: Delivery) -> None:
        """A message that was in no line takes a place: it has come due, or is delivered once more."""
        self.active += 1
        lanes, key = self._lanes, delivery.lane
        if lanes is not None and key is not None and lanes.join(key, delivery) is WAITS:
            if lanes.is_blocked(key):
                self.active -= 1
            return
        self.ready.append(delivery)
        self.wake_one()

    def pick(self, key: str | None, seq: int) -> bool:
        """Whether a fetched message of the backlog may come to memory; moves the cursor over it."""
        self.cursor = max(self.cursor, seq)
        self.backlog = max(0, self.backlog - 1)
        if self._lanes is not None and key is not None and not self._lanes.admit(key):
            return False
        self.active += 1
        return True

    def crowded(self, key: str | None) -> bool:
        """Whether a message of this key that has come due is better left in the store for now."""
        return self._lanes is not None and key is not None and self._lanes.crowded(key)

    @property
    def vacancy(self) -> int:
        return max(0, self._window - self.active)

    @property
    def lags(self) -> bool:
        """Whether so much waits that a portion more would not find room in memory."""
        return self.backlog > 0 or self.active > self._size // 64

    # Delivery -----------------------------------------------------------------------------------------------

    def take(self) -> Delivery | None:
        """The next message that may run, None when there is none now."""
        if not self.ready or self.paused or self._heads_waiting:
            return self._take_request() if self._draining and self.ready else None
        if not self.held:
            return self.ready.popleft()
        if not self._probing:
            return None
        self._probing = False
        probe = self.ready.popleft()
        self._probe_seq = probe.seq
        return probe

    def untake(self, deliveries: Sequence[Delivery]) -> None:
        """Give back, in order, what was taken and did not run, or not to its end."""
        self.ready.extendleft(reversed(deliveries))
        if any(delivery.seq == self._probe_seq for delivery in deliveries):
            self._probing, self._probe_seq = True, 0
        if deliveries:
            self.wake_one()

    @property
    def draining(self) -> bool:
        """The node stops, and only what somebody waits for is taken."""
        return self._draining

    @property
    def single(self) -> bool:
        """One line for the whole service: a message that is retried holds back all others."""
        return self._single

    def _take_request(self) -> Delivery | None:
        """While the node stops: only requests, because a delivery that may still finish waits for their replies; in one
        line also what stands before them."""
        if self.held or self._heads_waiting:
            return None
        if self._single:
            wanted = any(delivery.kind is Kind.REQUEST for delivery in self.ready)
            return self.ready.popleft() if wanted else None
        for index, delivery in enumerate(self.ready):
            if delivery.kind is Kind.REQUEST:
                del self.ready[index]
                return delivery
        return None

    def finished(self, delivery: Delivery, size: int) -> None:
        """The message has left the queue for good."""
        self.depth.count -= 1
        self.depth.bytes -= size
        if self.senders.waiting:
            self.senders.call()
        if self.held and delivery.seq == self._probe_seq:
            self.release()
        self._leave(delivery)

    def taken_back(self, count: int) -> None:
        """So many timers, which waited in the store, will not come."""
        self.depth.count -= count
        self.depth.bytes -= count * len(NOTHING)
        if self.senders.waiting:
            self.senders.call()

    def _leave(self, delivery: Delivery) -> None:
        """The message is not in memory any more."""
        self.active -= 1
        if self.retrying:
            self.claimed(delivery.seq)
        if self._lanes is not None and delivery.lane is not None:
            self._leave_lane(delivery.lane)
        if (self.backlog or self.more_due) and self.active <= self._low:
            self._refill()

    @property
    def comes_back(self) -> bool:
        """Whether a message that is retried comes back from the store."""
        return not self._strict

    def _leave_lane(self, key: str) -> None:
        assert self._lanes is not None
        following = self._lanes.leave(key)
        if following is not None:
            self.ready.append(following)
            self.wake_one()
        else:
            self._fill_lane(key)

    def _fill_lane(self, key: str) -> None:
        if self._lanes is not None and self._lanes.fetches(key):
            self._refill_lane(key)

    # Retry and hold -----------------------------------------------------------------------------------------

    def retry(self, delivery: Delivery, delay: float) -> None:
        """Bring the message back after ``delay`` seconds in its place. With ``skip`` it leaves its place, and memory
        too: like a delayed one it comes back from the store when it is due."""
        if self.held and delivery.seq == self._probe_seq:
            self.release()
        if not self._strict:
            self._leave(delivery)
            return
        self._waits_in_store(delivery.seq)
        if self._single:
            self._heads_waiting += 1
            self._reckon()
        elif self._lanes is not None and delivery.lane is not None:
            self._block(self._lanes, delivery.lane)
        timer = self._clock.call_later(delay, partial(self._again, delivery))
        self._waiting[delivery.seq] = (timer, delivery, self._clock.monotonic() + delay)

    def _waits_in_store(self, seq: int) -> None:
        self.retrying.add(seq)
        self._claimed_since.discard(seq)

    def claimed(self, seq: int) -> None:
        """The store does not hold the message as waiting any more. A look for due ones that is under way may still find
        it so."""
        (self._claimed_since.add if self.looking else self.retrying.discard)(seq)

    def looked(self) -> None:
        """The look for due messages is over."""
        self.looking = False
        self.retrying -= self._claimed_since
        self._claimed_since.clear()

    def _block(self, lanes: Lanes[Delivery], key: str) -> None:
        self.active -= 1 + lanes.behind(key)
        surplus = lanes.block(key)
        if surplus:
            self._give_back(surplus)

    def _again(self, delivery: Delivery) -> None:
        del self._waiting[delivery.seq]
        lanes, key = self._lanes, delivery.lane
        if self._single:
            self._heads_waiting -= 1
            self._reckon()
        elif lanes is not None and key is not None:
            lanes.unblock(key)
            self.active += 1 + lanes.behind(key)
        self.ready.appendleft(delivery)
        self.wake_one()

    def hold(self, delivery: Delivery, delay: float) -> None:
        """Hold the service: this message probes after ``delay`` seconds, everything else waits for its success."""
        self._waits_in_store(delivery.seq)
        self.held = True
        self._reckon()
        if delivery.seq == self._probe_seq:
            self._probe_seq = 0
            self._probes.appendleft(delivery)
        else:
            self._probes.append(delivery)
        # One probe at a time: a delivery that was running already when the service was held waits with the others.
        if self._probe_timer is None and not self._probing and not self._probe_seq:
            self._probe_timer = self._clock.call_later(delay, self._probe)
            self._probe_at = self._clock.monotonic() + delay

    @property
    def until_probe(self) -> float | None:
        """Seconds until the next probe; None where none is waited for."""
        return max(0.0, self._probe_at - self._clock.monotonic()) if self._probe_timer is not None else None

    def probe_now(self) -> bool:
        """Let a held service try at once. False where it is not held, or tries already."""
        if self._probe_timer is None:
            return False
        self._probe_timer.cancel()
        self._probe()
        return True

    def _probe(self) -> None:
        self._probe_timer = None
        self._probing = True
        self.ready.appendleft(self._probes.popleft())
        self.wake_one()

    def release(self) -> None:
        """The other side answered: everything flows again."""
        if self._probe_timer is not None:
            self._probe_timer.cancel()
            self._probe_timer = None
        self.held = False
        self._reckon()
        self._probing = False
        self._probe_seq = 0
        self.ready.extendleft(reversed(self._probes))
        self._probes.clear()
        self.wake()
        self.released()

    def recover(self, delivery: Delivery, due: int, now: int) -> None:
        """Put a message that an earlier run of the node had handed out back in line; called in order of ``seq``.

        :param due: when its next attempt may begin, nanoseconds since 1970; 0 or past for at once.
        """
        if not delivery.suspect and self.comes_back:
            return
        self.active += 1
        if not delivery.suspect:
            self._waits_in_store(delivery.seq)
        lanes, key = self._lanes, delivery.lane
        if lanes is not None and key is not None and lanes.join(key, delivery) is WAITS:
            if lanes.is_blocked(key):
                self.active -= 1
            return
        if due > now:
            self.retry(delivery, (due - now) / SECOND)
        else:
            self.ready.append(delivery)

    def refilled_lane(self, key: str, deliveries: list[Delivery]) -> None:
        """What the store had left of a drained lane."""
        assert self._lanes is not None
        self.active += len(deliveries)
        following = self._lanes.refilled(key, deliveries, certain=not self._left)
        if following is not None:
            self.ready.append(following)
            self.wake_one()
        else:
            self._fill_lane(key)

    # Flow ---------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        self.paused = True
        self._reckon()
        self._draining = False

    def drain(self, leaving: bool = True, requests: bool = True) -> None:
        """Take nothing new but the requests that others still wait for.

        :param leaving: the service does not come back, so senders that wait for room are refused.
        :param requests: False takes none of these either.
        """
        self.paused = True
        self._reckon()
        self._draining = requests
        self._leaving = leaving
        if leaving:
            self.senders.dismiss()

    def resume(self) -> None:
        self.paused = False
        self._reckon()
        self._draining = self._leaving = False
        self.wake()
        if self.backlog:
            self._refill()

    # Change -------------------------------------------------------------------------------------------------

    def lays_out_as(self, policies: Policies) -> bool:
        """Whether messages wait in the same lines under these policies."""
        return _layout(self._policies) == _layout(policies)

    def shut(self) -> None:
        """Leave what is accepted from now on in the store, until :meth:`change`."""
        if self._size < UNBOUNDED:
            self._window = 0

    @property
    def is_shut(self) -> bool:
        """Whether nothing comes to memory, until :meth:`change`."""
        return self._window == 0

    def change(self, policies: Policies) -> None:
        """Go by other policies. Called while nothing is delivered; where lines change also while nothing is on its way
        to memory. What was held is tried at once: the change may be what it waited for."""
        if self.held or self._probes:
            self.release()
        again = not self.lays_out_as(policies)
        inside = self._emptied() if again else []
        self._policies = policies
        self._window = self._size
        self.limit = policies.queue.limit
        pool = policies.pool
        self._single = pool.size == 1 and pool.key is None and pool.order == "strict"
        self._strict = pool.order == "strict"
        if again:
            self._lanes = self._make_lanes()
            for delivery, due in sorted(inside, key=lambda one: one[0].seq):
                self._lay_out(delivery, due)
            # Of what was left in the store nobody knows any more which lines it was for: it is looked through anew.
            self.cursor = 0
            self.backlog = max(0, self.depth.count - self.active)
        self._reckon()
        if self.senders.waiting:
            self.senders.call()

    def _emptied(self) -> list[tuple[Delivery, float]]:
        """All that is in memory, with the monotonic time of its next attempt, 0 for none; nothing is left in it."""
        inside = [(delivery, 0.0) for delivery in self.ready]
        if self._lanes is not None:
            inside += [(delivery, 0.0) for delivery in self._lanes.behind_heads()]
        for timer, delivery, due in self._waiting.values():
            timer.cancel()
            inside.append((delivery, due))
        self.ready.clear()
        self._waiting.clear()
        self._left.clear()
        self._heads_waiting = self.active = 0
        return inside

    def _lay_out(self, delivery: Delivery, due: float) -> None:
        if due and self.comes_back:
            self.retrying.discard(delivery.seq)
            self.more_due = True
            return
        self.active += 1
        lanes, key = self._lanes, delivery.lane
        if lanes is not None and key is not None and lanes.join(key, delivery) is WAITS:
            if lanes.is_blocked(key):
                self.active -= 1
        elif due:
            self.retry(delivery, max(0.0, due - self._clock.monotonic()))
        else:
            self.ready.append(delivery)

    def wake(self) -> None:
        """Let every runner look again."""
        idle, self.idle = self.idle, []
        for place in idle:
            _wake(place)

    def wake_one(self) -> None:
        """Let one runner look again."""
        while self.idle:
            place = self.idle.pop()
            if not place.done():
                place.set_result(None)
                return


def _layout(policies: Policies) -> tuple[object, ...]:
    pool = policies.pool
    return (pool.size == 1, pool.key, pool.order)


def _wake(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_result(None)
