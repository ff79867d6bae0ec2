"""What a turn of a run comes to: its row in the history, and who is told when the run ends."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec

from junctor.core.history import Entry, read_entry, write_entry
from junctor.core.outcome import Answer, Failure, Reply
from junctor.core.port import Port
from junctor.core.run import Continues, Run, RunStatus, RunWrite, Turn
from junctor.errors import WorkflowCancelled, storable, text_of
from junctor.messages import Message
from junctor.services.workflow.driver import Continue
from junctor.services.workflow.live import Live
from junctor.services.workflow.plan import Plan

STATUS = {
    "": RunStatus.OPEN,
    "done": RunStatus.DONE,
    "failed": RunStatus.FAILED,
    "cancelled": RunStatus.CANCELLED,
    "continued": RunStatus.CONTINUED,
}


class Settling:
    """Has turns written together with all that they do. Everything here joins the delivery that runs."""

    def __init__(self, port: Port, plan: Plan, address: str) -> None:
        self._port = port
        self._plan = plan
        self._address = address

    def settle(self, live: Live, entry: Entry, message: Message, run: Run | None) -> Any:
        """Write a turn, and end the run where that is over. At the begin, what the message is answered at once."""
        runs, driver = self._port.runs, live.driver
        assert driver.main is not None
        error = driver.main.error
        runs.write(self._row(live, entry, message, error))
        if run is None and entry.end == "done" and not live.first:
            return driver.main.result()
        if run is None:
            runs.defer()
        if isinstance(error, Continue):
            self._carry_on(live, error.body)
        elif entry.end:
            self._answer(live, error)
        return None

    def _row(self, live: Live, entry: Entry, message: Message, error: BaseException | None) -> RunWrite:
        driver = live.driver
        told = error is not None and not isinstance(error, Continue)
        return RunWrite(
            driver.number,
            self._address,
            driver.turns - 1,
            _status(entry, driver.key),
            driver.handler,
            driver.key,
            write_entry(entry),
            message.seq,
            driver.time,
            0 if entry.end else driver.due,
            code=self._plan.code,
            asker=live.asker,
            session=live.session,
            error=f"{_name(error)}: {_text(error)}" if error is not None and told else "",
        )

    def _answer(self, live: Live, error: BaseException | None) -> None:
        """End the message that began the run, and that which began all where this run carries it on."""
        runs, driver = self._port.runs, live.driver
        assert driver.main is not None
        reply: Reply | None = None
        failure: Failure | None = None
        if error is not None:
            failure = Failure(_name(error), _text(error))
        else:
            reply = runs.reply(driver.handler, driver.main.result())
        if live.first:
            runs.answer(Answer(live.first, live.first_session, reply, failure, live.asker))
            runs.answer(Answer(driver.number, live.session, None, failure))
        else:
            runs.answer(Answer(driver.number, live.session, reply, failure, live.asker))

    def give_up(self, run: Run, turns: Sequence[Turn], now: int) -> None:
        """End a run whose code cannot go on: it is cancelled as it is. Who asked is told.

        :param turns: its history, as far as there is one.
        """
        runs = self._port.runs
        error = WorkflowCancelled("it was suspended, and was cancelled as it was", where=self._address)
        status = RunStatus.CANCELLED
        runs.write(RunWrite(run.seq, run.service, run.turns, status, time=now, error=f"{_name(error)}: {error.what}"))
        failure = Failure(_name(error), error.what)
        first, session = _first(turns)
        if first:
            runs.answer(Answer(first, session, None, failure, run.asker))
        runs.answer(Answer(run.seq, run.session, None, failure, "" if first else run.asker))

    def _carry_on(self, live: Live, body: Any) -> None:
        """Send the message that begins the run which carries this one on. Who asked goes on waiting."""
        runs, number = self._port.runs, live.driver.number
        first, session = (live.first, live.first_session) if live.first else (number, live.session)
        handler = self._plan.begins_for(body, self._address).name
        runs.carry_on(handler, body, str(Continues(first, number, session, live.asker)))
        if live.first:
            runs.answer(Answer(number, live.session))


def _status(entry: Entry, key: str | None) -> RunStatus:
    """A key is held until the run that carries on has begun."""
    hands_over = entry.end == "continued" and key is not None
    return RunStatus.CONTINUING if hands_over else STATUS[entry.end]


def _first(turns: Sequence[Turn]) -> tuple[int, int]:
    """Number and session of the run that one carries on, as far as its history can be read."""
    with contextlib.suppress(ValueError, msgspec.MsgspecError):
        came = read_entry(turns[0].data).input if turns else None
        return (came.first, int(came.session or "0", 16)) if came is not None else (0, 0)
    return 0, 0


def _name(error: BaseException) -> str:
    return type(error).__qualname__


def _text(error: BaseException) -> str:
    return storable(str(getattr(error, "what", None) or text_of(error)))
