"""Schedules: each tick is a delivery of its own, never two of one schedule at a time, and missed ones are not made
up."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from junctor.clock import SECOND
from junctor.core.lifecycle import DELIVERING
from junctor.core.outcome import Failure
from junctor.core.spec import ScheduleSpec
from junctor.errors import StateConflict
from junctor.messages import Kind
from junctor.runtime.pending import resolve

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.runtime")

# A wall clock can be set; waiting for a cron time in steps notices it.
_LONGEST_WAIT = 30.0

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
        while (await _ticked(host, schedule)).again and not host.stopping.is_set():
            pass
        # The next tick keeps the rhythm of the first; those that a long one overran are left out.
        behind = clock.monotonic() - due
        due += period * (1 + max(0, int(behind / period)))


async def _run_cron(host: Host, schedule: ScheduleSpec) -> None:
    from cronsim import CronSim

    zone = ZoneInfo(schedule.zone) if schedule.zone else None
    clock = host.engine.clock
    while not host.stopping.is_set():
        now = datetime.fromtimestamp(clock.time_ns() / SECOND, UTC).astimezone(zone)
        due = next(CronSim(schedule.cron or "* * * * *", now))
        while not host.stopping.is_set() and (left := due.timestamp() - clock.time_ns() / SECOND) > 0:
            await _wait(host, left if clock.virtual else min(left, _LONGEST_WAIT))
        if not host.stopping.is_set():
            await tick(host, schedule)


async def tick(host: Host, schedule: ScheduleSpec) -> Failure | None:
    """One tick, also by hand; one of a schedule at a time. Its exception is recorded, logged and answered; the next
    tick comes as planned. When a handler has changed the state that it has read, it is done again on the newer one,
    like a delivery."""
    return (await _ticked(host, schedule)).failure


class _Ticked(NamedTuple):
    """What became of a tick: how it failed, and whether another one is to follow at once."""

    failure: Failure | None = None
    again: bool = False


async def _ticked(host: Host, schedule: ScheduleSpec) -> _Ticked:
    turns = _turns.setdefault(host, {})
    async with turns.setdefault(schedule.name, asyncio.Lock()):
        while host.lifecycle.state in DELIVERING:
            conflict, ticked = await _tick(host, schedule)
            if conflict is None:
                return ticked
            log.info("%s.%s: %s", host.address, schedule.name, conflict, extra=host.named)
    return _Ticked()


async def _tick(host: Host, schedule: ScheduleSpec) -> tuple[StateConflict | None, _Ticked]:
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
    outcome = host.calls.hop_outcome(hop, error)
    if outcome.failure is not None:
        host.log_failure(hop, outcome.failure)
    done: asyncio.Future[Exception | None] | None = None
    if outcome.writes:
        done = asyncio.get_running_loop().create_future()
    host.dispatcher.settle_hop(hop, outcome, host, done)
    refused = await done if done is not None else None
    ticked = _Ticked(outcome.failure, schedule.repeats and value is True and error is None)
    return refused if isinstance(refused, StateConflict) else None, ticked


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
