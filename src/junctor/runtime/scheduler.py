"""Schedules: each tick is a delivery of its own, never two of one schedule at a time, and missed ones are not made
up."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from junctor.clock import machine_zone
from junctor.core.calendar import Calendar
from junctor.core.hop import Hop
from junctor.core.lifecycle import DELIVERING
from junctor.core.outcome import Failure, Outcome, Settlement
from junctor.core.spec import ScheduleSpec
from junctor.errors import StateConflict
from junctor.messages import Kind
from junctor.observe.hidden import note_hidden
from junctor.runtime.failures import failure_of
from junctor.runtime.pending import resolve

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.runtime")

# A wall clock can be set; waiting for a cron time in steps notices it.
_LONGEST_WAIT = 30.0

_SHORTEST_WAIT = 0.001

_turns: WeakKeyDictionary[Host, dict[str, asyncio.Lock]] = WeakKeyDictionary()


async def run_schedule(host: Host, schedule: ScheduleSpec) -> None:
    """Tick until the service stops."""
    if schedule.cron is not None:
        await _run_cron(host, schedule)
    else:
        await _run_every(host, schedule)


async def _run_every(host: Host, schedule: ScheduleSpec) -> None:
    clock = host.engine.clock
    period = schedule.every or 1.0
    due = clock.monotonic() + schedule.initial
    while not host.stopping.is_set():
        await _wait(host, due - clock.monotonic())
        if host.stopping.is_set():
            return
        await _when_due(host, schedule)
        # The next tick keeps the rhythm of the first; those that a long one overran are left out.
        behind = clock.monotonic() - due
        due += period * (1 + max(0, int(behind / period)))


async def _run_cron(host: Host, schedule: ScheduleSpec) -> None:
    clock = host.engine.clock
    zone = ZoneInfo(schedule.zone) if schedule.zone else machine_zone()
    calendar = Calendar(schedule.cron or "* * * * *", zone, clock.time_ns())
    while not host.stopping.is_set():
        while not host.stopping.is_set() and (left := calendar.left(clock.time_ns())) > 0:
            await _wait(host, left if clock.virtual else min(left, _LONGEST_WAIT))
        if not host.stopping.is_set():
            await _when_due(host, schedule)
            calendar.ticked(clock.time_ns())


async def _when_due(host: Host, schedule: ScheduleSpec) -> None:
    """The tick that is due; once more at once where it asks for that, and again after a while for as long as it finds
    the other side away. That follows ``hold``, as with messages, and not the interval: what runs once a night is not
    lost by an outage of a minute."""
    away = host.away
    while not host.stopping.is_set():
        ticked = await _ticked(host, schedule, tries=True)
        if away.lasts(schedule.name):
            await away.wait(schedule.name)
            if not away.lasts(schedule.name):
                return
        elif not ticked.again:
            return
        else:
            await _receivers_keep_up(host, schedule.every or 1.0)


async def _receivers_keep_up(host: Host, longest: float) -> None:
    """Wait until those that the service sends to have nearly worked off what is in memory, ``longest`` seconds at most.
    A source that is read faster than it is worked off would go through the store twice, and fill the queue."""
    end, wait = host.engine.clock.monotonic() + longest, _SHORTEST_WAIT
    while not host.stopping.is_set() and _lags(host) and host.engine.clock.monotonic() < end:
        await _wait(host, wait)
        wait *= 1.2


def _lags(host: Host) -> bool:
    receivers = (host.engine.hosts.get(link.address) for links in host.links.values() for link in links)
    return any(receiver is not None and receiver.mailbox.lags for receiver in receivers)


async def tick(host: Host, schedule: ScheduleSpec) -> Failure | None:
    """One tick by hand; one of a schedule at a time. Its exception is recorded, logged and answered, also where it
    means an outage: who asked waits for it. When a handler has changed the state that it has read, it is done again on
    the newer one, like a delivery."""
    return (await _ticked(host, schedule)).failure


class _Ticked(NamedTuple):
    """What became of a tick: how it failed, whether another one is to follow at once, and the conflict for which it is
    to be done again on newer state."""

    failure: Failure | None = None
    again: bool = False
    conflict: StateConflict | None = None


async def _ticked(host: Host, schedule: ScheduleSpec, tries: bool = False) -> _Ticked:
    """:param tries: an outage is none of its failures: it is tried again."""
    turns = _turns.setdefault(host, {})
    async with turns.setdefault(schedule.name, asyncio.Lock()):
        while host.lifecycle.state in DELIVERING:
            ticked = await _tick(host, schedule, tries)
            if ticked.conflict is None:
                return ticked
            log.info("%s.%s: %s", host.address, schedule.name, ticked.conflict, extra=host.named)
    return _Ticked()


async def _tick(host: Host, schedule: ScheduleSpec, tries: bool) -> _Ticked:
    hop = host.engine.new_hop(Kind.TICK, host.address, schedule.name, 0)
    hop.joins = schedule.joins
    call = host.callable_of("schedules", schedule)
    host.counters.ticks += 1
    error: BaseException | None = None
    value: Any = None
    try:
        value = await host.run_call(call, schedule.blocking, hop)
    except asyncio.CancelledError:
        if host.stopping.is_set():
            raise
        error = asyncio.CancelledError("the schedule cancelled itself")
    except BaseException as raised:  # noqa: BLE001 - SystemExit of a tick is its failure
        error = raised
    if error is not None:
        return _raised(host, hop, error, tries)
    refused = await _committed(host, hop, schedule.repeats)
    if isinstance(refused, StateConflict):
        return _Ticked(conflict=refused)
    if refused is not None:
        return _refused(host, hop, refused, tries)
    host.away.over(schedule.name)
    return _Ticked(again=schedule.repeats and value is True)


def _raised(host: Host, hop: Hop, error: BaseException, tries: bool) -> _Ticked:
    note_hidden(error, hop)
    if tries and host.away.met(hop.name, failure := failure_of(error)):
        _leave(host, hop, failure)
        return _Ticked(failure)
    outcome = host.calls.hop_outcome(hop, error)
    assert outcome.failure is not None
    if tries:
        host.away.over(hop.name)
    host.log_failure(hop, outcome.failure)
    host.dispatcher.settle_hop(hop, outcome, host)
    return _Ticked(outcome.failure)


def _leave(host: Host, hop: Hop, failure: Failure) -> None:
    """A tick that found the other side away leaves no record, unless it has one since it sent something by itself."""
    hop.open = False
    if hop.recorded:
        now = host.engine.clock.time_ns()
        duration = now - hop.started
        outcome = Outcome(Settlement.PARK, logs=hop.logs or (), failure=failure, started=hop.started, duration=duration)
        host.dispatcher.settle_hop(hop, outcome, host)


async def _committed(host: Host, hop: Hop, repeats: bool) -> Exception | None:
    """Commit what a tick did. The error where it is known to be refused: who wrote state is told of a conflict, and one
    that repeats does not run ahead of the store."""
    outcome = host.calls.hop_outcome(hop, None)
    done: asyncio.Future[Exception | None] | None = None
    if outcome.writes or (repeats and outcome.drafts):
        done = asyncio.get_running_loop().create_future()
    host.dispatcher.settle_hop(hop, outcome, host, done)
    return await done if done is not None else None


def _refused(host: Host, hop: Hop, error: Exception, tries: bool) -> _Ticked:
    """Nothing of what it did counts: the disk is full, or a message cannot be sent."""
    failure = failure_of(error)
    if not (tries and host.away.met(hop.name, failure)):
        host.counters.failed += 1
        host.note_error(failure)
        log.error("%s.%s: what it did is not stored: %s", host.address, hop.name, error, extra={"hop": hop})
    return _Ticked(failure)


async def _wait(host: Host, seconds: float) -> None:
    """Until the time has passed or the service is asked to stop."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    woken = asyncio.get_running_loop().create_future()
    timer = host.engine.clock.call_later(seconds, lambda: resolve(woken, None))
    host.sleepers.add(woken)
    try:
        await woken
    finally:
        timer.cancel()
        host.sleepers.discard(woken)
