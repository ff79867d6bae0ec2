"""One turn of a conversation: what its callbacks did becomes part of the delivery, whole or not at all."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from junctor.core.hop import current
from junctor.core.outcome import Answer, Failure, Reply
from junctor.core.port import Port
from junctor.core.run import Asker, Run, RunStatus, RunWrite, TimerEnd
from junctor.core.snapshot import NOTHING, OpenRequest, OpenTimer, Snapshot, Waiting, write_snapshot
from junctor.errors import JunctorError
from junctor.messages import ASKER, Message
from junctor.observe.logs import FAILURE
from junctor.services.conversation.bounds import check_size
from junctor.services.conversation.callbacks import Callback
from junctor.services.conversation.live import Asking, Live, later
from junctor.services.conversation.plan import Plan


class Turn:
    """``run`` is None in the delivery that begins the conversation. ``answers`` is the message that the callback
    answers with what it returns; without one this is the reply of the conversation."""

    def __init__(
        self, port: Port, plan: Plan, address: str, live: Live, message: Message, run: Run | None, instance: Any
    ) -> None:
        self.live = live
        self.instance = instance
        self.answers = Waiting(0)
        self._port = port
        self._plan = plan
        self._address = address
        self._message = message
        self._run = run
        self._known = frozenset(vars(instance))
        self._timers = _timers_of(live.snapshot)
        self._ended_one = False
        self._done: dict[str, Any] = {}
        self._callbacks: list[str] = []
        self._returned: Any = None

    # While it runs ------------------------------------------------------------------------------------------

    def note(self, what: str, name: str) -> None:
        """Say in the history what this turn is about."""
        self._done[what] = name
        self._ended_one = what in ("replied", "failed")

    def called(self, callback: Callback) -> None:
        """A callback is about to be called; logs and traces name it."""
        hop = current.get()
        if hop is not None:
            hop.name = callback.name
        self._callbacks.append(callback.name)

    def take(self, callback: Callback, value: Any) -> None:
        """What a callback has returned."""
        if value is None:
            return
        if self.answers.seq and callback.name in self._plan.callbacks.handlers:
            self._returned = value
        elif not self.live.replied:
            self.live.give(value)

    @property
    def is_complete(self) -> bool:
        """Whether the last request has ended just now, or there is nothing else to wait for."""
        live = self.live
        if live.ended or live.waiting:
            return False
        return self._ended_one or self.has_nothing_left

    @property
    def has_nothing_left(self) -> bool:
        """Whether nothing can come any more for the conversation. After ``on_complete`` only new requests keep it."""
        live, complete = self.live, self._plan.callbacks.complete
        if live.ended or live.waiting:
            return False
        if complete is not None and complete.name in self._callbacks:
            return True
        return not live.timers and live.key is None

    # Its end ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """A turn in which no callback runs."""
        self._write(self._fact(RunStatus.OPEN, write_snapshot(self._taken_over({}))))

    def suspended(self, error: JunctorError) -> RunWrite:
        """What becomes of the conversation when its delivery is parked because it cannot be restored."""
        return msgspec.structs.replace(self._fact(RunStatus.SUSPENDED), error=str(error), data=None)

    def cancel(self, reason: str) -> None:
        """End it without its callbacks."""
        self.live.fail(reason)
        self.live.failed_as = "ConversationCancelled"
        self._end_at_once(RunStatus.CANCELLED)

    def finish(self) -> None:
        """Put what was done into the delivery.

        :raises NotStorable: an attribute cannot be stored.
        :raises EncodeError: a request or reply cannot be encoded, or is not of its type.
        """
        before = _Before.of(current.get())
        try:
            self._finish()
        except Exception as error:
            if not self.instance.__junctor_ends_with__(error):
                raise
            before.undo(current.get())
            self.live.undo()
            self.live.fail(error)
            self._tell_failed()
            self._end_at_once(RunStatus.FAILED)

    def _tell_failed(self) -> None:
        what = ("conversation %d failed: %s", self.live.number, self.live.failure)
        self._port.log.warning(*what, extra={"event": FAILURE})

    def _end_at_once(self, status: RunStatus) -> None:
        """With the attributes as they are stored."""
        snapshot = self._taken_over(self.live.snapshot.attributes)
        self._answer(snapshot)
        snapshot.requests, snapshot.timers = {}, {}
        self._take_back({})
        self._write(self._fact(status, write_snapshot(snapshot)))

    def _finish(self) -> None:
        live, attributes = self.live, self._plan.attributes
        live.closed = True
        if live.failure:
            self._tell_failed()
        attributes.refuse_undeclared(name for name in vars(self.instance) if name not in self._known)
        before = live.snapshot.attributes
        snapshot = self._taken_over(attributes.taken(self.instance, before))
        for asking in live.asked:
            self._ask(snapshot, asking)
        for name, seconds in live.started.items():
            self._start(snapshot, name, seconds)
        self._answer(snapshot)
        if live.ended:
            snapshot.requests, snapshot.timers = {}, {}
        self._take_back(_timers_of(snapshot))
        data, known = write_snapshot(snapshot), self._run.snapshot if self._run is not None else None
        where = f"{self._plan.cls.__name__}, conversation {live.number}"
        check_size(snapshot, len(data), len(known or b""), self._port.runs.limit, where, self._port.log)
        kept = None if data == known else data
        status = RunStatus.FAILED if live.failure else RunStatus.DONE if live.ended else RunStatus.OPEN
        self._write(self._fact(status, kept, snapshot.due))

    def _taken_over(self, attributes: dict[str, msgspec.Raw]) -> Snapshot:
        """The snapshot without what was cancelled or replaced."""
        live, before = self.live, self.live.snapshot
        return msgspec.structs.replace(
            before,
            attributes=attributes,
            requests=dict(live.open_requests),
            timers={
                step: one for step, one in before.timers.items() if one.name not in {*live.started, *live.cancelled}
            },
            hides=self._plan.attributes.hides(before.hides),
        )

    def _ask(self, snapshot: Snapshot, asking: Asking) -> None:
        step = snapshot.steps = snapshot.steps + 1
        runs, now = self._port.runs, self._port.time_ns()
        asker = Asker(self._address, self.live.number, step)
        timeout = asking.timeout
        runs.ask(asking.link, asking.body, asker, timeout=timeout, key=asking.key, headers=asking.headers)
        until = 0 if timeout is None else later(now, timeout)
        if until:
            runs.wake(self.live.number, step, until)
        kind, raw = self._plan.kept(asking.body) if self._plan.callbacks.keeps_requests else ("", NOTHING)
        snapshot.requests[step] = OpenRequest(asking.name, asking.target, now, until, raw, kind)

    def _start(self, snapshot: Snapshot, name: str, seconds: float) -> None:
        step = snapshot.steps = snapshot.steps + 1
        at = later(self._port.time_ns(), seconds)
        self._port.runs.wake(self.live.number, step, at)
        snapshot.timers[step] = OpenTimer(name, at)

    def _take_back(self, kept: dict[int, int]) -> None:
        """The timers that this turn made superfluous."""
        for step, at in self._timers.items():
            if step not in kept:
                self._port.runs.unwake(self.live.number, step, at)

    def _answer(self, snapshot: Snapshot) -> None:
        """End the messages that wait: the one that this turn is about, and those of the conversation."""
        live = self.live
        if self.answers.seq:
            self._answer_own(snapshot)
        given = live.replied and not snapshot.replied
        if snapshot.replied or not (given or live.ended):
            return
        snapshot.replied = True
        failure = Failure(live.failed_as, live.failure) if live.failure and not given else None
        reply = None if failure is not None else self._reply(snapshot.handler, live.reply, snapshot.owed)
        asker = self._run.asker if self._run is not None else self._message.headers.get(ASKER, "")
        for waiting in (Waiting(live.number, asker), *snapshot.waiting):
            self._port.runs.answer(Answer(waiting.seq, self._session, reply, failure, waiting.asker))
        snapshot.waiting = ()

    def _answer_own(self, snapshot: Snapshot) -> None:
        """The message that this turn is about gets what its handler returned; where it returned nothing and could have
        begun the conversation, the reply of that."""
        handler = self._callbacks[0]
        if self._returned is None and self._plan.callbacks.handlers[handler][1].begins and not snapshot.replied:
            snapshot.waiting = (*snapshot.waiting, self.answers)
            snapshot.owed = True
            return
        reply = self._reply(handler, self._returned, True)
        self._port.runs.answer(Answer(self.answers.seq, self._message.session, reply, asker=self.answers.asker))

    def _reply(self, handler: str, value: Any, owed: bool) -> Reply | None:
        """The reply that a value is; a message that nobody waits for needs none."""
        if handler not in self._plan.callbacks.handlers:  # it began with a handler of another name
            return None if value is None else self._plan.reply(value)
        return self._port.runs.reply(handler, value) if value is not None or owed else None

    @property
    def _session(self) -> int:
        return self._run.session if self._run is not None else self._message.session

    def _write(self, write: RunWrite) -> None:
        self._port.runs.write(msgspec.structs.replace(write, data=msgspec.json.encode(self._history())))

    def _history(self) -> dict[str, Any]:
        """What this turn was, for who reads the history of the conversation."""
        live = self.live
        did: dict[str, Any] = {"callbacks": self._callbacks, **self._done, "asked": [one.name for one in live.asked]}
        did |= {"timers": list(live.started), "answered": live.replied and not live.snapshot.replied}
        return {name: what for name, what in did.items() if what}

    def _fact(self, status: RunStatus, snapshot: bytes | None = None, due: int = 0) -> RunWrite:
        live, message, run = self.live, self._message, self._run
        return RunWrite(
            live.number,
            self._address,
            run.turns if run is not None else 0,
            status,
            handler=live.snapshot.handler,
            key=live.key,
            delivered=message.seq,
            time=self._port.time_ns(),
            due=due if status is RunStatus.OPEN else 0,
            snapshot=snapshot,
            code=self._plan.code,
            asker=run.asker if run is not None else message.headers.get(ASKER, ""),
            session=self._session,
            error=live.failure,
        )


class _Before(NamedTuple):
    """What was in a delivery before a turn put something into it."""

    drafts: tuple[Any, ...]
    answers: tuple[Answer, ...]
    timers: tuple[TimerEnd, ...]

    @classmethod
    def of(cls, hop: Any) -> _Before:
        work = getattr(hop, "work", None)
        ended = (tuple(work.answers), tuple(work.timers)) if work is not None else ((), ())
        return cls(tuple(getattr(hop, "drafts", None) or ()), *ended)

    def undo(self, hop: Any) -> None:
        """Take out what was put into it since."""
        if getattr(hop, "drafts", None) is not None:
            hop.drafts[:] = self.drafts
        if getattr(hop, "work", None) is not None:
            hop.work.answers[:], hop.work.timers[:] = self.answers, self.timers


def _timers_of(snapshot: Snapshot) -> dict[int, int]:
    """When the timers, and the timeouts of requests, are due, by their step."""
    timers = {step: timer.at for step, timer in snapshot.timers.items()}
    return timers | {step: request.until for step, request in snapshot.requests.items() if request.until}
