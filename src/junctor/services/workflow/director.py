"""The director of a workflow service: it owns the live runs and gives each delivery to the run it is for."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec

from junctor.core.history import LONG, MAX_TURNS, Entry, Input, read_entry, write_entry
from junctor.core.outcome import Answer, Failure, Reply
from junctor.core.port import Port
from junctor.core.run import Run, RunStatus, RunWrite, Turn
from junctor.core.spec import Context
from junctor.errors import (
    Divergence,
    HistoryTooLong,
    JunctorError,
    NotDurable,
    RunExists,
    RunSuspended,
    StoreDamaged,
    UnknownRun,
)
from junctor.messages import ANSWERS, ASKER, CONTINUES, ENDED, PASSED, RESEND_OF, Message, codec, parse_id
from junctor.services.workflow.driver import Block, Continue, Driver
from junctor.services.workflow.plan import Begins, Plan
from junctor.services.workflow.targets import RunTarget
from junctor.services.workflow.workflow import DRIVER, Workflow

log = logging.getLogger("junctor.workflow")

HELD = 512
"""Runs that stay in memory between their turns. Others are made again from their history."""

_PAUSE = 500
"""Turns of a replay after which other work gets its chance."""

_STATUS = {
    "": RunStatus.OPEN,
    "done": RunStatus.DONE,
    "failed": RunStatus.FAILED,
    "cancelled": RunStatus.CANCELLED,
    "continued": RunStatus.CONTINUED,
}


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
        self.driver.close()


class Director:
    """Made once for each service. ``plan`` says what its class declares."""

    def __init__(self, context: Context, plan: Plan) -> None:
        self._context = context
        self._port: Port = context.port
        self._plan = plan
        self._address = f"{context.flow}/{context.service}"
        self._held: OrderedDict[int, Live] = OrderedDict()

    # Deliveries -----------------------------------------------------------------------------------------------

    async def begin(self, begins: Begins, body: Any) -> Any:
        """A message that begins a run."""
        message, runs = self._message(), self._port.runs
        key = begins.key_of(body)
        holder = runs.called(key) if key is not None else 0
        if holder:
            fix = f"Send it a signal, or wait for its end: `junctor workflows {holder}`."
            raise RunExists(f"run {holder} is open and is called {key!r}", where=self._address, fix=fix)
        first, session, asker = _continued(message)
        came = Input(
            came="begin", name=begins.name, type=message.type, version=message.version, body=_raw(message),
            seed=message.id, first=first, session=session,
        )  # fmt: skip
        live = self._fresh(message.seq, message.id, key)
        live.asker, live.session = asker or message.headers.get(ASKER, ""), message.session
        live.first, live.first_session = first, int(session or "0", 16)
        return await self._turn(live, came, message, None, body)

    async def replied(self, body: Any) -> None:
        """The end of a request of a run."""
        message = self._message()
        headers = message.headers
        came = Input(
            came="reply", step=int(headers[ANSWERS]), ended=headers[ENDED], type=message.type,
            version=message.version, body=_raw(message),
        )  # fmt: skip
        await self._for_run(self._port.runs.find(int(message.key or 0)), came, message)

    async def woken(self, body: Any) -> None:
        """A timer of a run."""
        message = self._message()
        came = Input(came="timer", step=int(message.headers[ANSWERS]))
        await self._for_run(self._port.runs.find(int(message.key or 0)), came, message)

    async def signalled(self, name: str, body: Any) -> None:
        """A signal, by the number, id or key of its run."""
        message = self._message()
        run = self._meant(message)
        if not run.is_open:
            raise _over(run, self._address)
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
        elif message.key != str(run.seq):
            self._port.runs.pass_on(run.seq, name)
        else:
            await self._for_run(run, Input(came="cancel"), message)

    async def query(self, name: str, run: str, **arguments: Any) -> Any:
        """What a ``@query`` tells of a run: by number, id or key."""
        known = self._named(run, "")
        live = await self._live(known)
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
            raise NotDurable(
                f"the query changed {', '.join(sorted(changed))}",
                where=f"{self._address}.{name}",
                fix="A query only reads; what changes a run is a @signal.",
            )
        self._hold(live)
        return value

    # Which run ------------------------------------------------------------------------------------------------

    def _meant(self, message: Message) -> Run:
        """The run that a signal is for."""
        if message.key is None:
            fix = "Give its number, id or business key as key= of the message."
            raise UnknownRun("the message names no run", where=self._address, fix=fix)
        if PASSED in message.headers:
            found = self._port.runs.find(int(message.key))
            if found is not None:
                return found
        return self._named(message.key, message.node)

    def _named(self, name: str, node: str) -> Run:
        """The run of a business key, id or number.

        :raises UnknownRun: there is none.
        """
        runs = self._port.runs
        number = runs.called(name)
        if not number:
            number = self._number(name, node)
        found = runs.find(number) if number else None
        if found is None or found.service != self._address:
            raise UnknownRun(f"no run is called {name!r}", where=self._address)
        return found

    def _number(self, name: str, node: str) -> int:
        try:
            where, number = parse_id(name)
        except ValueError:
            return 0
        # Where runs have business keys, a bare number could be that of an order that is over.
        if (where and node and where != node) or (not where and self._plan.keyed):
            return 0
        return number

    # Turns ----------------------------------------------------------------------------------------------------

    async def _for_run(self, run: Run | None, came: Input, message: Message) -> None:
        if run is None or not run.is_open:
            log.debug("%s: a %s for run %s, which has ended", self._address, came.came, message.key)
            return
        suspended = run.status is RunStatus.SUSPENDED
        if suspended and RESEND_OF not in message.headers:
            raise RunSuspended(f"run {run.seq} is suspended: {run.error}", where=self._address)
        runs = self._port.runs
        runs.enter(run)
        runs.on_park(
            RunWrite(run.seq, run.service, run.turns, RunStatus.SUSPENDED, time=self._port.time_ns(), due=run.due)
        )
        live = await self._live(run)
        if live.driver.takes(came):
            await self._turn(live, came, message, run)
            return
        log.debug("%s: a %s for step %d of run %d comes late", self._address, came.came, came.step, run.seq)
        self._hold(live)
        if suspended:
            runs.write(RunWrite(run.seq, run.service, run.turns, time=self._port.time_ns(), due=run.due))

    async def _turn(self, live: Live, came: Input, message: Message, run: Run | None, body: Any = None) -> Any:
        driver, now = live.driver, self._port.time_ns()
        try:
            if driver.turns >= MAX_TURNS:
                what = f"run {driver.number} has {driver.turns:,} turns"
                raise HistoryTooLong(what, where=self._address)
            driver.open_turn(now)
            self._apply(live, came, body)
            while (block := driver.next_block()) is not None:
                await self._carry_out(driver, block)
                driver.enter(driver.run)
            entry = driver.close_turn(came)
            reply = self._commit(live, entry, message, run, now)
        except BaseException:
            live.close()
            raise
        if driver.turns == LONG:
            text = "%s: run %d has %d turns; self.continue_as_new(body) begins it with an empty history"
            log.warning(text, self._address, driver.number, LONG)
        if entry.end:
            live.close()
        else:
            self._hold(live)
        return reply

    def _apply(self, live: Live, came: Input, body: Any = None) -> None:
        """Give an input to the code of the run, and let that go on until it waits."""
        driver = live.driver
        if came.came == "begin":
            begins = self._plan.begins_of(came)
            given = begins.read(came, self._address) if body is None else body
            driver.handler = begins.name
            handler = getattr(live.instance, begins.name)
            driver.enter(lambda: driver.start(lambda: handler(given)))
        elif came.came == "signal":
            self._signal(live, came)
        else:
            driver.enter(lambda: driver.apply(came))
        driver.enter(driver.run)

    def _signal(self, live: Live, came: Input) -> None:
        given = self._plan.signal_of(came).read(came, self._address)
        try:
            live.driver.enter(lambda: getattr(live.instance, came.name)(given))
        except Divergence:
            raise
        except Exception:
            # The signal is at fault, not the run: it is parked alone.
            if not live.driver.replaying:
                self._port.runs.on_park(None)
            raise

    async def _carry_out(self, driver: Driver, block: Block) -> None:
        """Do a block of ``once``, and note its result."""
        driver.place = "block"
        try:
            work = block.work
            value = work() if inspect.iscoroutinefunction(work) else await self._port.runs.blocking(work)
            if inspect.isawaitable(value):
                value = await value
        except Exception as error:
            if getattr(error, "reaction", None) is not None:
                raise
            failure = type(error).__qualname__
            driver.carried_out(block, msgspec.Raw(b"null"), failure, str(error)[:2000])
        else:
            driver.carried_out(block, msgspec.Raw(codec.encode(value)))
        finally:
            driver.place = ""

    # What a turn comes to -------------------------------------------------------------------------------------

    def _commit(self, live: Live, entry: Entry, message: Message, run: Run | None, now: int) -> Any:
        """Have the turn written with all that it does. At the begin, the value that the message is answered with."""
        runs, driver, end = self._port.runs, live.driver, entry.end
        main = driver.main
        assert main is not None
        error = main.error if end in ("failed", "cancelled") else None
        runs.write(
            RunWrite(
                driver.number,
                self._address,
                driver.turns - 1,
                _STATUS[end],
                driver.handler,
                driver.key,
                write_entry(entry),
                message.seq,
                now,
                0 if end else driver.due,
                code=self._plan.code,
                asker=live.asker,
                session=live.session,
                error=f"{type(error).__qualname__}: {error}" if error is not None else "",
            )
        )
        if run is None and end == "done" and not live.first:
            return main.result()
        if run is None:
            runs.defer()
        if isinstance(main.error, Continue):
            self._continue(live, main.error.body)
        elif end:
            self._answer(live, error)
        return None

    def _answer(self, live: Live, error: BaseException | None) -> None:
        """End the message that began the run, or the one that began all where this run carries it on."""
        runs, driver = self._port.runs, live.driver
        assert driver.main is not None
        reply: Reply | None = None
        failure: Failure | None = None
        if error is not None:
            failure = Failure(type(error).__qualname__, getattr(error, "what", None) or str(error))
        else:
            reply = runs.reply(driver.handler, driver.main.result())
        if live.first:
            runs.answer(Answer(live.first, live.first_session, reply, failure, live.asker))
            runs.answer(Answer(driver.number, live.session, None, failure))
        else:
            runs.answer(Answer(driver.number, live.session, reply, failure, live.asker))

    def _continue(self, live: Live, body: Any) -> None:
        """Send the message that begins the run that carries this one on. Who asked goes on waiting."""
        runs, number = self._port.runs, live.driver.number
        first, session = (live.first, live.first_session) if live.first else (number, live.session)
        handler = self._plan.begins_for(body, self._address).name
        runs.carry_on(handler, body, f"{first} {session:032x} {live.asker}")
        if live.first:
            runs.answer(Answer(number, live.session))

    # Live runs ------------------------------------------------------------------------------------------------

    def _hold(self, live: Live) -> None:
        held = self._held
        old = held.pop(live.driver.number, None)
        if old is not None and old is not live:
            old.close()
        held[live.driver.number] = live
        if len(held) > HELD:
            held.popitem(last=False)[1].close()

    async def _live(self, run: Run) -> Live:
        """The run in memory as it is committed."""
        live = self._held.pop(run.seq, None)
        if live is not None and live.driver.turns == run.turns:
            return live
        if live is not None:
            live.close()
        return await self.replay(run, self._port.runs.turns(run.seq))

    async def replay(self, run: Run, turns: Iterable[Turn]) -> Live:
        """Make a run again from its history.

        :raises Divergence: the code does not follow it.
        :raises StoreDamaged: it cannot be read.
        """
        live: Live | None = None
        try:
            for turn in turns:
                entry = self._read(run, turn)
                if live is None:
                    live = self._fresh(run.seq, entry.input.seed, run.key)
                    live.asker, live.session = run.asker, run.session
                    live.first, live.first_session = entry.input.first, int(entry.input.session or "0", 16)
                self._repeat(live, turn, entry)
                if turn.number % _PAUSE == 0:
                    await asyncio.sleep(0)
            if live is None or live.driver.turns != run.turns:
                raise _damaged(run, "turns are missing")
        except BaseException:
            if live is not None:
                live.close()
            raise
        return live

    def _read(self, run: Run, turn: Turn) -> Entry:
        if turn.damaged:
            raise _damaged(run, f"turn {turn.number} fails its checksum")
        try:
            return read_entry(turn.data)
        except (ValueError, msgspec.MsgspecError) as error:
            raise _damaged(run, f"turn {turn.number}: {error}") from error

    def _repeat(self, live: Live, turn: Turn, entry: Entry) -> None:
        driver = live.driver
        driver.open_turn(turn.time, entry.did)
        self._apply(live, entry.input)
        while (block := driver.next_block()) is not None:
            driver.recall(block)
            driver.enter(driver.run)
        driver.compare_end(entry)

    def _fresh(self, number: int, seed: str, key: str | None) -> Live:
        """An object of the class for one run, with targets that write its history."""
        driver = Driver(number, seed, self._address)
        driver.key = key
        instance = self._plan.build(self._context)
        inside = vars(instance)
        inside[DRIVER] = driver
        for spec in self._plan.targets:
            links = self._port.links(spec.name)
            if links or not spec.optional:
                where = f"{self._context.service}.{spec.name}"
                replies = self._plan.replies.get(spec.name)
                inside[spec.name] = RunTarget(
                    self._port, links, spec.request, where, name=spec.name, driver=driver, replies=replies
                )
        return Live(driver, instance)

    def _message(self) -> Message:
        message = self._port.message()
        assert message is not None
        return message


def _raw(message: Message) -> msgspec.Raw:
    payload = message.payload
    return msgspec.Raw(payload if type(payload) is bytes else codec.encode(payload))


def _continued(message: Message) -> tuple[int, str, str]:
    """The run that a message carries on: number, session and asker of the first one."""
    text = message.headers.get(CONTINUES)
    if text is None:
        return 0, "", ""
    number, session, asker = text.split(" ", 2)
    return int(number), session, asker


def _damaged(run: Run, what: str) -> StoreDamaged:
    error = StoreDamaged(f"the history of run {run.seq} cannot be read: {what}", where=run.service)
    error.reaction = "park"  # type: ignore[attr-defined]
    return error


def _over(run: Run, address: str) -> JunctorError:
    error = UnknownRun(f"run {run.seq} has ended: {run.status.name.lower()}", where=address)
    error.reaction = "park"  # type: ignore[attr-defined]
    return error
