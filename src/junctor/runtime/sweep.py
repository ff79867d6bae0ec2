"""Retention at work: what is finished is forgotten after its age, and when the store outgrows its share of the disk.

What goes is decided in :mod:`junctor.core.retention`. Here it is carried out in small slices: read on a reading
connection, removed by a commit like any other, and after each slice the traffic has its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from junctor.clock import SECOND
from junctor.core.outcome import StateWrite
from junctor.core.policy import Policies, Recording
from junctor.core.retention import (
    Candidate,
    ClockWatch,
    Pressure,
    Retention,
    Rule,
    Rules,
    Verdict,
    budget,
    compactable,
    dated,
    pause,
    portions,
)
from junctor.core.upkeep import Fill, Upkeep
from junctor.errors import JunctorError, NotRunning, StoreDamaged
from junctor.transports.base import AlertRecord

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.retention")

ADDRESS, _CLOCK = "node:retention", "clock"
"""What is kept of the clock: state under an address that no service can have."""

SLICE = 512
"""Records that are judged at once, and so at most removed in one commit: a millisecond or two of the journal."""

_PORTION = 4 * 1024 * 1024
"""Bytes of bodies that one commit removes, or a single one that is larger."""

COMPACTED = 1024 * 1024
"""Bytes that are given back to the disk in one step."""

_PATIENCE, _CALM, _HASTE = 9.0, 19.0, 0.2
"""A slice is followed by so many times its own time for the traffic alone. Most of it for services that record less:
they are to be no slower by that, and what is left over a busy hour goes in the next quiet one. Least of it while the
store is too large."""

_WIDE = 2048
"""Records that are looked at for those of some services."""

_UNRECORDED = -1.0
_BEHIND = 20_000

_TURN = 30.0
"""Seconds after which a walk is interrupted, so that the size of the store is looked at; the next sweep goes on."""

_FOREVER = 1e9  # seconds: more than thirty years

_WHOLE = 3600.0
"""Seconds between two walks over everything that is left: what was owed, parked or kept when its turn was. What is no
record is looked through as often."""


_REPAIR = "junctor restore FILE"


class Swept(msgspec.Struct):
    """What a sweep did. ``removed`` records; ``size`` is what the store takes now, ``limit`` what it may, in bytes.
    ``ages`` is False while the clock is not trusted: then nothing goes by age."""

    removed: int = 0
    size: int = 0
    limit: int = 0
    ages: bool = True


class Sweep:
    """Keeps the store of an engine small. ``last`` is what the latest sweep did."""

    def __init__(self, engine: Engine, upkeep: Upkeep) -> None:
        self._engine = engine
        self._upkeep = upkeep
        self._clock: ClockWatch | None = None
        self._cursors: dict[float, int] = {}
        self._whole = 0.0
        self._pruned = 0.0
        self._swept = Swept()
        self._told: set[str] = set()
        self._busy = asyncio.Lock()
        self.last = Swept()

    async def begin(self) -> None:
        """Look at the clock before anything is accepted: by what a wrong clock stamps, it would look right."""
        clock = self._engine.clock
        with contextlib.suppress(JunctorError):  # a store that cannot be read is told of by the first sweep
            (await self._watch()).trusts(clock.time_ns(), clock.monotonic())

    async def run(self) -> None:
        """Sweep again and again, until cancelled. What goes wrong is told, and tried again at the next time."""
        while True:
            await asyncio.sleep(pause(self._retentions(), bool(self._unrecorded())))
            try:
                await self.once()
            except NotRunning:
                return
            except JunctorError as error:
                self._tell("store", f"old records cannot be removed: {error}", "junctor status")

    async def once(self) -> Swept:
        """One sweep.

        :raises StoreError: the store cannot be read.
        """
        async with self._busy:
            self._swept = Swept(ages=await self._trusts_clock())
            for step in (self._walk_unrecorded, self._walk_ages, self._make_room, self._tidy):
                try:
                    await step()
                except StoreDamaged as error:  # the next step may be about other pages
                    self._tell("store-damaged", f"old records cannot be removed: {error}", _REPAIR)
            self.last = self._swept
            return self.last

    # By age --------------------------------------------------------------------------------------------------

    async def _trusts_clock(self) -> bool:
        clock, watch = self._engine.clock, await self._watch()
        trusted = watch.trusts(clock.time_ns(), clock.monotonic())
        await self._keep_clock(watch.left)
        if not trusted:
            text = "the clock has jumped by more than a day: nothing is removed by age until it is steady for a day"
            self._tell("clock", text)
        else:
            self._told.discard("clock")
        return trusted

    async def _watch(self) -> ClockWatch:
        if self._clock is None:
            kept, _ = self._engine.transport.state(ADDRESS, _CLOCK).get(_CLOCK, (b"0", 0))
            self._clock = ClockWatch(await self._upkeep.newest(), msgspec.json.decode(kept, type=float))
        return self._clock

    async def _keep_clock(self, left: float) -> None:
        """Let a restart know how long the clock is still not trusted; to the hour."""
        kept, version = self._engine.transport.state(ADDRESS, _CLOCK).get(_CLOCK, (b"0", 0))
        if bool(left) != (version > 0) or abs(left - msgspec.json.decode(kept, type=float)) > _WHOLE:
            value = msgspec.json.encode(left) if left else None
            write = StateWrite(_CLOCK, _CLOCK, value, version)
            await self._engine.committed(writes=(write,), source=ADDRESS)

    async def _walk_ages(self) -> None:
        """Each record is met once by each age that flows give, and once in a while again."""
        if not self._swept.ages:
            return
        monotonic = self._engine.clock.monotonic()
        if monotonic >= self._whole:
            self._whole = monotonic + _WHOLE
            self._cursors.clear()
        for age in sorted({age for one in self._retentions() for age in (one.done, one.failures)}):
            self._cursors[age] = await self._walk(self._cursors.get(age, 0), Pressure.AGE, age)

    async def _walk(self, after: int, pressure: Pressure, age: float = 0.0, limit: int = 0) -> int:
        """Judge records from a number on, until they are younger than ``age`` or the store has come down to ``limit``.

        :return: the number from which the next walk is to go on.
        """
        rules, now = self._rules(), self._engine.clock.time_ns()
        horizon = now - int(min(age, _FOREVER) * SECOND)
        end = time.monotonic() + _TURN
        while True:
            began = time.monotonic()
            look = await self._upkeep.look(after, SLICE)
            if look.damage:
                self._tell(
                    "store-damaged", f"a part of the store cannot be read: {look.damage}", "junctor restore FILE"
                )
            records = dated(look.records, now)
            old = [record for record in records if record.accepted <= horizon or record.accepted > now]
            surplus = (await self._upkeep.fill()).used - limit if limit else None
            await self._remove(old, rules, now, pressure, surplus)
            if len(old) < len(records):
                return _before(records, horizon, now, after)
            after = look.last
            if not look.more or (surplus is not None and surplus <= 0):
                return after
            if pressure is Pressure.AGE and began >= end:
                return after
            await asyncio.sleep((time.monotonic() - began) * (_PATIENCE if pressure is Pressure.AGE else _HASTE))

    async def _walk_unrecorded(self) -> None:
        """Forget what ended in services that record less than all. The next walk begins with what is open there now;
        behind a long queue it does not, and what was open then has its turn with the walk over everything."""
        targets = self._unrecorded()
        if not targets:
            return
        rules, now = self._rules(), self._engine.clock.time_ns()
        low = await self._upkeep.open_from(targets)
        after = self._cursors.get(_UNRECORDED, 0)
        end = time.monotonic() + _TURN
        while True:
            began = time.monotonic()
            look = await self._upkeep.look(after, _WIDE, targets)
            await self._remove(look.records, rules, now, Pressure.AGE)
            after = look.last
            if not look.more or began >= end:
                break
            await asyncio.sleep((time.monotonic() - began) * _CALM)
        self._cursors[_UNRECORDED] = low - 1 if low and after - low < _BEHIND else after

    async def _remove(
        self, records: Sequence[Candidate], rules: Rules, now: int, pressure: Pressure, surplus: int | None = None
    ) -> None:
        """Judge records and forget those that are to go: of ``surplus`` bytes, or all."""
        judged = [(record, rules[record.target].judge(record, now, pressure)) for record in records]
        asked = [record for record, verdict in judged if verdict is Verdict.IF_WELL]
        failing = await self._upkeep.failing(asked) if asked else set()
        gone = [
            record
            for record, verdict in judged
            if verdict is Verdict.REMOVE or (verdict is Verdict.IF_WELL and record.session not in failing)
        ]
        for seqs in portions(gone, _PORTION, surplus):
            await self._forget(seqs)

    async def _forget(self, seqs: list[int]) -> None:
        try:
            await self._engine.committed(removes=seqs, durability="written")
        except NotRunning:
            raise
        except JunctorError as error:
            text = f"records {min(seqs)} to {max(seqs)} cannot be removed: {error}"
            self._tell("store-damaged", text, _REPAIR)
        else:
            self._swept.removed += len(seqs)

    # By room -------------------------------------------------------------------------------------------------

    async def _make_room(self) -> None:
        room = self._engine.transport.room()
        if room is None:
            return
        limit = budget(self._retentions(), room)
        used = (await self._upkeep.fill()).used
        if used > limit:
            for pressure in (Pressure.WELL, Pressure.FAILURES):
                await self._walk(0, pressure, limit=limit - limit // 20)
                used = (await self._upkeep.fill()).used
                if used <= limit:
                    break
        self._swept.size, self._swept.limit = used, limit
        if used > limit:
            text = (
                f"the store has {used >> 20} MiB and may have {limit >> 20}: all of it is owed, parked, or recent keys"
            )
            self._tell("store-budget", text, "junctor parked")
        elif used < limit * 0.9:
            self._told.discard("store-budget")

    async def _tidy(self) -> None:
        """Forget once in a while what has outlived its records, and give free pages back."""
        monotonic = self._engine.clock.monotonic()
        if self._swept.ages and monotonic >= self._pruned:
            self._pruned = monotonic + _WHOLE
            await self._prune()
        fill = await self._upkeep.fill()
        if not fill.shrinks and "compact" not in self._told:
            self._told.add("compact")
            log.info("the database was made without auto_vacuum: its file does not shrink; a restored backup does")
        await self._compact(fill)

    async def _prune(self) -> None:
        longest = min(max(max(one.done, one.failures) for one in self._retentions()), _FOREVER)
        before = self._engine.clock.time_ns() - int(longest * SECOND)
        more = True
        while more:
            more = await self._upkeep.prune(before)
            await asyncio.sleep(0.01)

    async def _compact(self, fill: Fill) -> None:
        room = self._engine.transport.room()
        short = room is not None and not room.reserve
        before = fill.size
        while fill.shrinks and (size := compactable(fill.size, fill.free, self._swept.limit, short)):
            await self._upkeep.compact(min(size, COMPACTED))
            await asyncio.sleep(0.02)
            left = await self._upkeep.fill()
            if left.free >= fill.free:
                break
            fill = left
        if fill.size < before:
            await self._upkeep.shrink()

    # What counts ---------------------------------------------------------------------------------------------

    def _retentions(self) -> list[Retention]:
        return [flow.retention for flow in self._engine.flows.values()] or [Retention()]

    def _rules(self) -> Rules:
        return Rules(self._rule)

    def _rule(self, target: str) -> Rule:
        flow = self._engine.flows.get(target.partition("/")[0])
        return Rule(flow.retention if flow is not None else Retention(), self._recording(target))

    def _recording(self, target: str) -> Recording:
        host = self._engine.hosts.get(target)
        policies = host.spec.policies if host is not None else Policies()
        return policies.trace

    def _unrecorded(self) -> list[str]:
        return [address for address in self._engine.hosts if self._recording(address) != "all"]

    def _tell(self, kind: str, text: str, command: str = "") -> None:
        """An alert, once until it is over."""
        if kind in self._told:
            return
        self._told.add(kind)
        log.warning("%s", text)
        self._engine.note_alert(AlertRecord(self._engine.clock.time_ns(), kind, "", text, command))


def _before(records: list[Candidate], horizon: int, now: int, after: int) -> int:
    """The number of the last record in front of the first that is too young."""
    for record in records:
        if horizon < record.accepted <= now:
            return after
        after = record.seq
    return after
