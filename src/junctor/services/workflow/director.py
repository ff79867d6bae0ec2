"""The director of a workflow service: it finds the run that a delivery is for, and gives it its turn."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any

import msgspec

from junctor.core.history import LONG, MAX_TURNS, Input
from junctor.core.hop import current
from junctor.core.port import Port
from junctor.core.run import Run, RunStatus, RunWrite, Turn, continues_of
from junctor.core.spec import Context
from junctor.errors import HistoryTooLong, JunctorError, NotDurable, RunExists, RunSuspended, UnknownRun, text_of
from junctor.messages import ANSWERS, ASKER, CONTINUES, ENDED, PASSED, RESEND_OF, Message, codec, parse_id
from junctor.observe.hidden import hide
from junctor.services.workflow.driver import Block, Driver
from junctor.services.workflow.live import Live, LiveRuns
from junctor.services.workflow.plan import Begins, Plan
from junctor.services.workflow.settling import Settling

log = logging.getLogger("junctor.workflow")

_PAUSE = 32
"""Turns after which other work of the node gets its chance: a queue of many is not given back between two of them."""


class Director:
    """Made once for each service; it stands where other services have their instance.

    :param plan: what the class declares.
    """

    def __init__(self, context: Context, plan: Plan) -> None:
        self._port: Port = context.port
        self._plan = plan
        self._address = f"{context.flow}/{context.service}"
        self._live = LiveRuns(context, plan, self._address)
        self._settling = Settling(context.port, plan, self._address)
        self._turns = 0

    async def stop(self) -> None:
        """The service stops: no run stays in memory."""
        self._live.close()

    # Deliveries -----------------------------------------------------------------------------------------------

    async def begin(self, begins: Begins, body: Any) -> Any:
        """A message that begins a run."""
        message, runs = self._message(), self._port.runs
        key = begins.key_of(body)
        whole = continues_of(message.headers[CONTINUES]) if CONTINUES in message.headers else None
        if whole is not None and not self._takes_over(whole.before):
            return None
        holder = runs.called(key) if key is not None else 0
        if holder and (whole is None or holder != whole.before):
            fix = f"Send it a signal, or wait for its end: `junctor workflows show {holder}`."
            raise RunExists(f"run {holder} is open and is called {key!r}", where=self._address, fix=fix)
        came = Input(
            came="begin",
            name=begins.name,
            type=message.type,
            version=message.version,
            body=_raw(message),
            seed=message.id,
            first=whole.first if whole is not None else 0,
            session=f"{whole.session:032x}" if whole is not None else "",
        )
        live = self._live.fresh(message.seq, message.id, key)
        live.asker, live.session = message.headers.get(ASKER, ""), message.session
        if whole is not None:
            live.asker, live.first, live.first_session = whole.asker, whole.first, whole.session
        return await self._turn(live, came, message, None, body)

    def _takes_over(self, before: int) -> bool:
        """End the run that this delivery carries on, so that its key is free with the same commit. False where it was
        ended otherwise meanwhile: nothing carries it on."""
        run, runs = self._port.runs.find(before), self._port.runs
        if run is not None and run.status is RunStatus.CONTINUING:
            runs.write(RunWrite(before, run.service, run.turns, RunStatus.CONTINUED, time=self._port.time_ns()))
        elif run is not None and run.status is RunStatus.CANCELLED:
            log.info("%s: run %d was ended, and is not carried on", self._address, before)
            return False
        return True

    async def replied(self, body: Any) -> None:
        """The end of a request of a run."""
        message = self._message()
        came = Input(
            came="reply",
            step=_step(message),
            ended=message.headers.get(ENDED, ""),
            type=message.type,
            version=message.version,
            body=_raw(message),
        )
        await self._for_run(self._port.runs.find(int(message.key or 0)), came, message)

    async def woken(self, body: Any) -> None:
        """A timer of a run."""
        message = self._message()
        came = Input(came="timer", step=_step(message))
        await self._for_run(self._port.runs.find(int(message.key or 0)), came, message)

    async def signalled(self, name: str, body: Any) -> None:
        """A signal, by the key or id of its run."""
        message = self._message()
        run = self._meant(message)
        if not run.is_open:
            raise _over(run, self._address)
        _not_between(run, self._address)
        if message.key != str(run.seq):
            self._port.runs.pass_on(run.seq, name)
            return
        came = Input(came="signal", name=name, type=message.type, version=message.version, body=_raw(message))
        await self._for_run(run, came, message)

    async def cancelled(self, name: str, body: Any) -> None:
        """A request to cancel a run. One that has ended stays as it is."""
        message = self._message()
        run = self._meant(message)
        if not run.is_open:
            log.info("%s: run %d has ended and is not cancelled", self._address, run.seq)
            return
        _not_between(run, self._address)
        if message.key != str(run.seq):
            self._port.runs.pass_on(run.seq, name)
        elif run.status is RunStatus.SUSPENDED and not await self._goes_on(run):
            log.warning("%s: run %d ends as it is, nothing that it did is undone", self._address, run.seq)
            self._port.runs.enter(run)
            self._settling.give_up(run, self._port.runs.turns(run.seq), self._port.time_ns())
        else:
            await self._for_run(run, Input(came="cancel"), message, again=True)

    async def query(self, name: str, run: str, **arguments: Any) -> Any:
        """What a ``@query`` tells of a run, open or over, by its key or id."""
        known = self._named(run, "")
        live = await self._live_of(known)
        driver, before = live.driver, dict(vars(live.instance))
        driver.place = "query"
        try:
            value = getattr(live.instance, name)(**arguments)
        finally:
            driver.place = ""
        now = vars(live.instance)
        changed = [each for each in {*before, *now} if before.get(each) is not now.get(each)]
        if changed:
            live.close()
            what = f"the query changed {', '.join(sorted(changed))}"
            fix = "A query only reads; what changes a run is a @signal."
            raise NotDurable(what, where=f"{self._address}.{name}", fix=fix)
        self._live.hold(live)
        return value

    # Which run ------------------------------------------------------------------------------------------------

    def _meant(self, message: Message) -> Run:
        """The run that a signal is for, or the one that has carried it on."""
        run = self._first_meant(message)
        if run.status is RunStatus.CONTINUED and run.key is not None:
            return self._port.runs.find(self._port.runs.called(run.key)) or run
        return run

    def _first_meant(self, message: Message) -> Run:
        if message.key is None:
            fix = "Give its business key or id as key= of the message."
            raise UnknownRun("the message names no run", where=self._address, fix=fix)
        if PASSED in message.headers:
            found = self._port.runs.find(int(message.key))
            if found is not None:
                return found
        return self._named(message.key, message.node)

    def _named(self, name: str, node: str) -> Run:
        """The run of a business key, an id, or a number.

        :raises UnknownRun: there is none.
        """
        runs = self._port.runs
        number = runs.called(name) or self._number(name, node)
        found = runs.find(number) if number else None
        if found is None or found.service != self._address:
            fix = "Give the business key of an open run, or an id: that of the message which began it."
            raise UnknownRun(f"no run is called {name!r}", where=self._address, fix=fix)
        return found

    def _number(self, name: str, node: str) -> int:
        """The number of a run by its id; by itself only where runs have no keys: it could be that of an order."""
        try:
            where, number = parse_id(name)
        except ValueError:
            return 0
        if not where:
            return 0 if self._plan.keyed else number
        return number if where == node or self._began(number, name) else 0

    def _began(self, number: int, name: str) -> bool:
        """Whether a run began with the message of this id."""
        run = self._port.runs.find(number)
        if run is None or run.service != self._address:
            return False
        first = self._port.runs.turns(number)[:1]
        return any(name.encode() in turn.data for turn in first)

    # Turns ----------------------------------------------------------------------------------------------------

    async def _goes_on(self, run: Run) -> bool:
        """Whether the code of a suspended run follows its history again."""
        try:
            self._live.hold(await self._live_of(run))
        except Exception as error:  # noqa: BLE001 - whatever stops it, the run cannot go on
            log.info("%s: run %d cannot go on: %s", self._address, run.seq, error)
            return False
        return True

    async def _for_run(self, run: Run | None, came: Input, message: Message, again: bool = False) -> None:
        """:param again: a suspended run may go on with it."""
        if run is None or not run.is_open or run.status is RunStatus.CONTINUING:
            tell = self._port.log.info if came.came == "reply" else log.debug
            tell("%s: a %s came late for run %s, which has ended; it is ignored", self._address, came.came, message.key)
            return
        if run.status is RunStatus.SUSPENDED and not (again or _is_retry(message, run, self._port.time_ns())):
            raise RunSuspended(f"run {run.seq} is suspended", where=self._address)
        runs, now = self._port.runs, self._port.time_ns()
        runs.enter(run)
        runs.on_park(RunWrite(run.seq, run.service, run.turns, RunStatus.SUSPENDED, time=now, due=run.due))
        live = await self._live_of(run)
        if live.driver.takes(came):
            await self._turn(live, came, message, run)
            return
        log.debug("%s: a %s for step %d of run %d comes late", self._address, came.came, came.step, run.seq)
        self._live.hold(live)
        if run.status is RunStatus.SUSPENDED:  # code and history agree again
            runs.write(RunWrite(run.seq, run.service, run.turns, time=now, due=run.due))

    async def _turn(self, live: Live, came: Input, message: Message, run: Run | None, body: Any = None) -> Any:
        driver = live.driver
        self._turns += 1
        if self._turns % _PAUSE == 0:
            await asyncio.sleep(0)
        try:
            self._open(driver)
            # What was handed over by reference is read from its encoding, as at a replay.
            self._give(live, came, body if type(message.payload) is bytes else None)
            hidden = _hide(driver, 0)
            driver.enter(driver.run)
            while (block := driver.next_block()) is not None:
                await self._carry_out(driver, block)
                hidden = _hide(driver, hidden)
                driver.enter(driver.run)
            for step, due in driver.spent():
                self._port.runs.unwake(driver.number, step, due)
            entry = driver.close_turn(came)
            answer = self._settling.settle(live, entry, message, run)
        except BaseException:
            live.close()
            raise
        if entry.end:
            live.close()
        else:
            self._live.hold(live)
        return answer

    def _open(self, driver: Driver) -> None:
        """
        :raises HistoryTooLong: the run has too many turns already.
        """
        if driver.turns >= MAX_TURNS:
            raise HistoryTooLong(f"run {driver.number} has {driver.turns:,} turns", where=self._address)
        if driver.turns == LONG:
            text = "%s: run %d has %d turns; self.continue_as_new(body) lets it go on with an empty history"
            log.warning(text, self._address, driver.number, LONG)
        driver.open_turn(self._port.time_ns())

    def _give(self, live: Live, came: Input, body: Any) -> None:
        try:
            self._live.give(live, came, body)
        except Exception:
            if came.came == "signal":  # that is at fault, not the run: it is parked alone
                self._port.runs.on_park(None)
            raise

    async def _carry_out(self, driver: Driver, block: Block) -> None:
        """Do a block of ``once``, and note its result."""
        await self._port.runs.stored(driver.number)
        driver.place = "block"
        try:
            work = block.work
            value = work() if inspect.iscoroutinefunction(work) else await self._port.runs.blocking(work)
            if inspect.isawaitable(value):
                value = await value
            result = msgspec.Raw(codec.encode(value))
        except Exception as error:
            if getattr(error, "reaction", None) is not None:  # Hold, Retry, Park: for the engine
                raise
            driver.carried_out(block, msgspec.Raw(b"null"), type(error).__qualname__, text_of(error))
        else:
            driver.carried_out(block, result)
        finally:
            driver.place = ""

    # Live runs ------------------------------------------------------------------------------------------------

    async def _live_of(self, run: Run) -> Live:
        """The run in memory as it is committed."""
        live = self._live.take(run)
        return live if live is not None else await self.replay(run, self._port.runs.turns(run.seq))

    async def replay(self, run: Run, turns: list[Turn]) -> Live:
        """Make a run again from its history; see :meth:`LiveRuns.replay`. Nothing is asked of the engine."""
        return await self._live.replay(run, turns)

    def _message(self) -> Message:
        message = self._port.message()
        assert message is not None
        return message


def _hide(driver: Driver, after: int) -> int:
    """Let what the code says from now on not quote what came to the run, in this turn or an earlier one. How much did.

    :param after: so much is hidden already.
    """
    for payload, paths in driver.hidden[after:]:
        hide(current.get(), payload, paths)
    return len(driver.hidden)


def _step(message: Message) -> int:
    """The step that a reply or timer ends.

    :raises UnknownRun: the message is none of those that the engine sends.
    """
    step = message.headers.get(ANSWERS)
    if step is None:
        raise UnknownRun("only the engine sends ends of requests and timers", where=message.target)
    return int(step)


def _is_retry(message: Message, run: Run, now: int) -> bool:
    """Whether an operator has sent it again since the run is suspended. Of several that were sent again together, none
    overtakes one that fails again. A clock that was set back tells nothing."""
    return RESEND_OF in message.headers and (message.time >= run.changed or now < run.changed)


def _raw(message: Message) -> msgspec.Raw:
    payload = message.payload
    return msgspec.Raw(payload if type(payload) is bytes else codec.encode(payload))


def _not_between(run: Run, address: str) -> None:
    """
    :raises UnknownRun: it has ended, and the one that carries it on has not begun yet: to be tried again.
    """
    if run.status is RunStatus.CONTINUING:
        raise UnknownRun(f"run {run.seq} is being carried on by another one", where=address)


def _over(run: Run, address: str) -> JunctorError:
    error = UnknownRun(f"run {run.seq} has ended: {run.status.name.lower()}", where=address)
    error.reaction = "park"  # type: ignore[attr-defined]
    return error
