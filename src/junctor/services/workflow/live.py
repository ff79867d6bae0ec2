"""Runs in memory: made from their history, kept while there is room, and thrown away when the store knows more."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from junctor.core.history import Entry, Input, read_entry
from junctor.core.run import Run, Turn
from junctor.core.spec import Context
from junctor.errors import StoreDamaged
from junctor.services.workflow.driver import Driver
from junctor.services.workflow.plan import Plan
from junctor.services.workflow.targets import RunTarget
from junctor.services.workflow.workflow import DRIVER, Workflow

HELD = 2048
"""Runs of a service that stay in memory between their turns. Others are made again when something comes for them."""

_PAUSE = 500
"""Turns of a replay after which other work gets its chance."""


class Live(msgspec.Struct, eq=False):
    """A run in memory: the user's object and what drives it.

    ``asker`` and ``session`` are those of the message that began it; ``first`` and ``first_session`` belong to the run
    that began all, where this one carries it on.
    """

    driver: Driver
    instance: Workflow
    asker: str = ""
    session: int = 0
    first: int = 0
    first_session: int = 0

    def close(self) -> None:
        """Forget it. Nothing that its code still does on its way out has an effect."""
        self.driver.close()


class LiveRuns:
    """The runs of one service that are in memory."""

    def __init__(self, context: Context, plan: Plan, address: str) -> None:
        self._context = context
        self._plan = plan
        self._address = address
        self._held: OrderedDict[int, Live] = OrderedDict()

    def take(self, run: Run) -> Live | None:
        """A run that is held and as far as the store is; it is held no more. Its last turn must be the one that is
        stored, and not another one of the same number, whose commit was refused."""
        live = self._held.pop(run.seq, None)
        if live is not None and (live.driver.turns, live.driver.time) != (run.turns, run.changed):
            live.close()
            return None
        return live

    def hold(self, live: Live) -> None:
        """Keep a run for its next turn."""
        held, number = self._held, live.driver.number
        other = held.pop(number, None)
        if other is not None and other.driver.turns > live.driver.turns:
            live, other = other, live
        if other is not None:
            other.close()
        held[number] = live
        if len(held) > HELD:
            held.popitem(last=False)[1].close()

    def close(self) -> None:
        """Forget all."""
        for live in self._held.values():
            live.close()
        self._held.clear()

    def fresh(self, number: int, seed: str, key: str | None) -> Live:
        """A run that has done nothing yet: an object of the class of its own, with targets that write its history."""
        driver = Driver(number, seed, self._address)
        driver.key = key
        instance = self._plan.build(self._context)
        inside = vars(instance)
        inside[DRIVER] = driver
        port = self._context.port
        for spec in self._plan.targets:
            links = port.links(spec.name)
            if links or not spec.optional:
                where = f"{self._context.service}.{spec.name}"
                replies = self._plan.replies.get(spec.name)
                inside[spec.name] = RunTarget(
                    port, links, spec.request, where, name=spec.name, driver=driver, replies=replies
                )
        return Live(driver, instance)

    async def replay(self, run: Run, turns: Iterable[Turn]) -> Live:
        """Make a run again from its history.

        :raises Divergence: the code does not follow it.
        :raises StoreDamaged: it cannot be read.
        """
        live: Live | None = None
        try:
            for turn in turns:
                entry = _entry(run, turn)
                if live is None:
                    live = self._begun(run, entry)
                self._repeat(live, turn, entry)
                if turn.number % _PAUSE == 0:
                    await asyncio.sleep(0)
            if live is None or live.driver.turns != run.turns:
                raise damaged(run, "turns are missing")
        except BaseException:
            if live is not None:
                live.close()
            raise
        return live

    def _begun(self, run: Run, entry: Entry) -> Live:
        came = entry.input
        if came.came != "begin":
            raise damaged(run, "its first turn is missing")
        live = self.fresh(run.seq, came.seed, run.key)
        live.asker, live.session = run.asker, run.session
        live.first, live.first_session = came.first, int(came.session or "0", 16)
        return live

    def _repeat(self, live: Live, turn: Turn, entry: Entry) -> None:
        driver = live.driver
        if entry.input.came == "terminate":  # its code was not asked
            driver.turns += 1
            return
        driver.open_turn(turn.time, entry.did)
        self.give(live, entry.input)
        driver.enter(driver.run)
        while (block := driver.next_block()) is not None:
            driver.recall(block)
            driver.enter(driver.run)
        driver.compare_end(entry)

    def give(self, live: Live, came: Input, body: Any = None) -> None:
        """Give an input to the code of a run. What can go on by that does with the next ``driver.run``.

        :param body: of a begin or signal, where it is read already.
        """
        driver, instance = live.driver, live.instance
        paths = self._plan.sensitive(came.type) if came.type else ()
        if paths:
            driver.hidden.append((bytes(came.body), paths))
        if came.came == "begin":
            begins = self._plan.begins_of(came)
            read = begins.read(came, self._address) if body is None else body
            driver.handler = begins.name
            handler = getattr(instance, begins.name)
            driver.enter(lambda: driver.start(lambda: handler(read)))
        elif came.came == "signal":
            read = self._plan.signal_of(came).read(came, self._address) if body is None else body
            driver.enter(lambda: getattr(instance, came.name)(read))
        else:
            driver.enter(lambda: driver.apply(came))


def _entry(run: Run, turn: Turn) -> Entry:
    if turn.damaged:
        raise damaged(run, f"turn {turn.number} fails its checksum")
    try:
        return read_entry(turn.data)
    except (ValueError, msgspec.MsgspecError) as error:
        raise damaged(run, f"turn {turn.number}: {error}") from error


def damaged(run: Run, what: str) -> StoreDamaged:
    error = StoreDamaged(f"the history of run {run.seq} cannot be read: {what}", where=run.service)
    error.reaction = "park"  # type: ignore[attr-defined]
    return error
