"""Sending messages again as a job of the node: in growing batches, each only when the one before it has ended well.

A job is in memory. When the node ends, what was not sent yet is still parked, and what was sent is a message like any
other; the notes of the messages say who sent them again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from junctor.core.batches import STOP_AT, Tally, batch_size, free_at, reason_to_stop, slice_size
from junctor.core.lifecycle import State
from junctor.errors import JunctorError, ServiceStopped, named
from junctor.messages import Message, Status
from junctor.node.views.decisions import ResendView, Resent
from junctor.node.views.messages import Reason, instant, reason_of
from junctor.node.views.selection import Chosen
from junctor.observe.hidden import unquoted
from junctor.runtime.resend import NO_FURTHER, Decisions, Read
from junctor.runtime.resendable import NotResendable, Resending
from junctor.transports.base import Record

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.node")

KEPT = 20
"""Jobs that are remembered."""

RESULTS = 100
"""Messages whose end a job tells; of a larger crowd, those that failed."""

_FIRST_LOOK, _LONGEST_LOOK = 0.005, 0.25
"""Seconds until a batch is looked at again; doubled with each look."""


class ResendRunning(JunctorError):
    """Messages of a service are being sent again already. One job at a time, so that each sees what comes of its own
    messages alone."""

    code = "resend-running"
    default_fix = "Wait for its end, or end it: `junctor resend --stop`."
    status = 409


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast: ``rate`` messages a second, 0 for as fast as they are handled. ``stop_at``: the share of failures, 0 to
    1, above which no further batch is sent."""

    rate: float = 0.0
    stop_at: float = STOP_AT


class ResendJob:
    """One job; ``view`` is how it is. Made and run by :class:`Resends`."""

    def __init__(self, resends: Resends, number: int, chosen: Sequence[Chosen], how: Resending, pace: Pace) -> None:
        self._engine = engine = resends.engine
        self._decisions = resends.decisions
        self._read = resends.read
        self._left = deque(chosen)
        self._how = how
        self._pace = pace
        self._stop = ""
        self._open: dict[int, int] = {}
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()
        self._free_at = engine.clock.monotonic()
        self.services = frozenset({how.to} if how.to else {one.target for one in chosen})
        self._hosted = self.services & engine.hosts.keys()
        started = instant(engine.clock.time_ns())
        self.view = ResendView(number, how.who, sorted(self.services), "running", started, len(chosen))

    # What others do with it -----------------------------------------------------------------------------------

    def stop(self, why: str) -> None:
        """Send no further message. Those that were sent are handled all the same."""
        self._stop = self._stop or why
        self._woken.set()

    async def changed(self, seen: int, longest: float) -> ResendView:
        """How it is once that differs from what was seen (``changes``), or after ``longest`` seconds."""
        try:
            async with asyncio.timeout(longest):
                while self.view.state == "running" and self.view.changes <= seen:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.view

    async def ended(self) -> ResendView:
        """How it is at its end."""
        while self.view.state == "running":
            await self._changed.wait()
        return self.view

    def _tell(self) -> None:
        self.view.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    # Its course -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send batch after batch, and wait for the end of each."""
        reason = "the node stopped"
        try:
            reason = await self._batches()
        except JunctorError as error:
            reason = str(error)
        except Exception as error:
            reason = named(error)
            raise
        finally:
            view = self.view
            view.state, view.reason = "stopped" if reason else "done", reason
            view.ended = instant(self._engine.clock.time_ns())
            self._left.clear()  # a job is remembered, not what it was for
            self._tell()
            log.info(
                "%s sent %s of %s parked messages again: %s handled, %s failed%s",
                *(view.who or "somebody", view.sent, view.total, view.handled, view.failed),
                f"; stopped: {reason}" if reason else "",
            )

    async def _batches(self) -> str:
        """Why it ended before all was sent; empty when all was."""
        whole = Tally()
        while self._left:
            batch = Tally()
            size = batch_size(self.view.batch)
            self.view.batch += 1
            reason = await self._send(size, batch)
            if reason:
                await self._look(batch)  # at a low rate, most of what was sent has ended meanwhile
            reason = reason or await self._settled(batch)
            whole.add(batch)
            # At the end there is nothing to stop any more.
            reason = reason or (reason_to_stop(batch, whole, self._pace.stop_at) if self._left else "")
            if reason:
                return reason
        return ""

    async def _send(self, count: int, batch: Tally) -> str:
        """Send so many, no faster than the rate; why it stops, or nothing."""
        rate, monotonic = self._pace.rate, self._engine.clock.monotonic
        while self._left and count > 0:
            await self._sleep(self._free_at - monotonic())
            if reason := self._obstacle():
                return reason
            size = min(count, slice_size(rate), len(self._left))
            self._free_at = free_at(self._free_at, monotonic(), size, rate)
            meant = {one.seq: one.status for one in islice(self._left, size)}
            verdicts = await self._decisions.resend(meant, self._how)
            unsent = []
            for seq, verdict in verdicts.items():
                one = self._left.popleft()
                if isinstance(verdict, NO_FURTHER):
                    unsent.append(one)
                    reason = reason or str(verdict)
                elif isinstance(verdict, JunctorError) and (gone := self._obstacle()):
                    unsent.append(one)  # refused because its service left in this moment
                    reason = reason or gone
                else:
                    self._sent(seq, verdict, batch)
            self._left.extendleft(reversed(unsent))
            count -= size
            if reason:
                return reason
            self._tell()
        return ""

    def _sent(self, seq: int, verdict: Message | JunctorError, batch: Tally) -> None:
        view = self.view
        if isinstance(verdict, Message):
            view.sent += 1
            self._open[verdict.seq] = seq
        elif isinstance(verdict, NotResendable) and view.total > 1:
            view.skipped += 1
        else:
            view.refused += 1
            batch.failed += 1
            self._keep(refusal(seq, verdict), failed=True)

    async def _settled(self, batch: Tally) -> str:
        """Wait until all that was sent has come to its end; why it stops waiting, or nothing."""
        wait = _FIRST_LOOK
        while True:
            if await self._look(batch):
                self._tell()
            if not self._open:
                return self._stop
            if reason := self._obstacle():
                return f"{reason}; {len(self._open)} of those that were sent are not handled yet"
            await self._sleep(wait)
            wait = min(2 * wait, _LONGEST_LOOK)

    async def _look(self, batch: Tally) -> bool:
        """Take note of what has come to its end; whether anything has."""
        numbers = list(self._open)
        found = await self._read(lambda archive: [archive.record(seq) for seq in numbers])
        for seq, record in zip(numbers, found, strict=True):
            if record is None or record.status >= Status.DONE:
                self._end(self._open.pop(seq), seq, record, batch)
        return len(self._open) < len(numbers)

    def _end(self, original: int, seq: int, record: Record | None, batch: Tally) -> None:
        # What is handled may leave no record, as its service says; what fails always does.
        handled = record is None or record.status is Status.DONE
        batch.handled += handled
        batch.failed += not handled
        self.view.handled += handled
        self.view.failed += not handled
        result = Resent(original, "done", f"{self._engine.dispatcher.node}-{seq}")
        if record is not None:
            result.status, result.seconds = record.status.name.lower(), record.duration / 1e9
            result.error = reason_of(record.failure) if record.failure is not None and not handled else None
        self._keep(result, not handled)

    def _keep(self, result: Resent, failed: bool) -> None:
        if (failed or self.view.total <= RESULTS) and len(self.view.results) < RESULTS:
            self.view.results.append(result)

    def _obstacle(self) -> str:
        if self._stop:
            return self._stop
        if self._engine.stopping:
            return "the node is stopping"
        gone = (f"{address} was removed from the node" for address in self._hosted - self._engine.hosts.keys())
        stands = (obstacle(self._engine, address) for address in self.services)
        return next(filter(None, (*gone, *stands)), "")

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0 or self._stop:
            return
        self._woken.clear()
        timer = self._engine.clock.call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()


class Resends:
    """The jobs of a node, the latest last, and the ``decisions`` that they carry out.

    :param read: asks the archive as operators see it: what came of a message is told from there.
    """

    def __init__(self, engine: Engine, decisions: Decisions, read: Read) -> None:
        self.engine = engine
        self.decisions = decisions
        self.read = read
        self.jobs: deque[ResendJob] = deque(maxlen=KEPT)
        self._count = 0

    def start(self, chosen: Sequence[Chosen], how: Resending, pace: Pace) -> ResendJob:
        """Begin to send messages again.

        :raises ResendRunning: a job is at messages for one of the services.
        :raises ServiceStopped: a service does not handle messages at this moment.
        """
        job = ResendJob(self, self._count + 1, chosen, how, pace)
        for other in self.running():
            if both := other.services & job.services:
                view = other.view
                what = f"job {view.job} of {view.who or 'somebody'} sends messages again"
                raise ResendRunning(what, where=min(both))
        for address in sorted(job.services):
            if reason := obstacle(self.engine, address):
                fix = "Nothing was sent. Let the service go on first: `junctor status` shows how it is."
                raise ServiceStopped(reason, fix=fix)
        self._count += 1
        self.jobs.append(job)
        self.engine.supervisor.start(f"resend {job.view.job}", job.run())
        return job

    def running(self, services: Collection[str] | None = None) -> Iterable[ResendJob]:
        """The jobs that run, of these services only."""
        for job in self.jobs:
            if job.view.state == "running" and (services is None or job.services.intersection(services)):
                yield job


def refusal(seq: int, error: JunctorError) -> Resent:
    """That a message was not sent, or not discarded, and why."""
    return Resent(seq, "refused", error=Reason(type(error).__name__, unquoted(str(error), error)))


def obstacle(engine: Engine, address: str) -> str:
    """Why a service handles no messages at this moment; empty where it does, or is not there at all: where it never
    was, that is told of each message. One that starts, or is replaced by another, is waited for."""
    host = engine.hosts.get(address)
    if host is None:
        return ""
    state, reason = host.lifecycle.state, host.lifecycle.reason
    replaced = host.successor is not None or (host.coming is not None and not host.coming.is_set())
    if state in (State.RUNNING, State.STARTING) or replaced:
        return ""
    because = f": {reason}" if reason else ""
    return f"{address} is {state.value}{because}"
