"""The deliveries of a conversation: each restores it, calls what goes on with it, and stores it again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from junctor.clock import instant
from junctor.core.hop import current
from junctor.core.outcome import Failure
from junctor.core.port import Port
from junctor.core.run import CANCEL, Run
from junctor.core.snapshot import OpenRequest, Snapshot, read_snapshot
from junctor.core.spec import Context, service_address
from junctor.errors import RequestError, RequestExpired, RequestFailed, RequestTimeout, UnknownRun
from junctor.messages import ANSWERS, ENDED, PASSED, Kind, Message, codec, parse_id
from junctor.observe.hidden import hide
from junctor.services.conversation.attributes import NotRestorable
from junctor.services.conversation.callbacks import Asked, Callback
from junctor.services.conversation.live import Live
from junctor.services.conversation.plan import Plan, passed
from junctor.services.conversation.turn import Turn

log = logging.getLogger("junctor.conversation")

Steps = Generator[Callable[[], Any], Any, None]
"""A delivery as calls of callbacks: each is made where the callbacks run, and what it returns comes back."""


class Director:
    """Takes the deliveries of all conversations of a service. It keeps none of them: what the store has is what
    counts."""

    def __init__(self, context: Context, plan: Plan) -> None:
        self.port: Port = context.port
        self.plan = plan
        self.address = service_address(context.flow, context.service)
        self._context = context

    # Messages that begin one or find it by its key ----------------------------------------------------------

    def begin(self, callback: Callback, body: Any) -> Steps:
        """A message that begins a conversation of its own."""
        message = self._message()
        snapshot = Snapshot(handler=callback.name, owed=message.kind is Kind.REQUEST)
        self.port.runs.defer()
        turn = self._turn(Live(message.seq, snapshot=snapshot), message, None)
        yield from self._go(turn, callback, (body,))

    async def find(self, callback: Callback, body: Any) -> None:
        """A message with a key: it goes on to the open conversation of this key, in its line, or opens one. On the
        loop, in the order in which such messages come."""
        self._route(callback, body)

    def _route(self, callback: Callback, body: Any) -> None:
        message, runs, mark = self._message(), self.port.runs, self.plan.callbacks.handlers[callback.name][1]
        key = self.plan.key_of(callback.name, body)
        found = runs.called(key)
        asked = message.kind is Kind.REQUEST
        if not found and not mark.begins:
            raise UnknownRun(
                f"no conversation is open with the key {key!r}",
                where=f"{self.address}.{callback.name}",
                fix="Send what begins it first; a handler that may begin one has no begins=False.",
            )
        if asked or not found:
            runs.defer()
        if not found:
            self._open(message, callback, key)
        runs.pass_on(found or message.seq, self.plan.inner(callback.name))

    def _open(self, message: Message, callback: Callback, key: str) -> None:
        """A conversation of which no callback has run yet."""
        before = passed(message)
        waiting = (before,) if before.seq else ()
        owed = message.kind is Kind.REQUEST or bool(waiting)
        snapshot = Snapshot(handler=callback.name, owed=owed, waiting=waiting)
        self._turn(Live(message.seq, key=key, snapshot=snapshot), message, None).open()

    def join(self, callback: Callback, body: Any) -> Steps:
        """A message that was passed on into the line of its conversation."""
        message = self._message()
        run = self._run(message)
        if run is None:  # it has ended meanwhile
            self._route(callback, body)
            return
        turn = self._enter(run, message)
        waiting = passed(message)
        if waiting.seq != run.seq and waiting not in turn.live.snapshot.waiting:
            turn.answers = waiting
        yield from self._go(turn, callback, (body,))

    # What comes back ----------------------------------------------------------------------------------------

    def replied(self, body: Any) -> Steps:
        """The end of a request."""
        message = self._message()
        run, step = self._run(message), int(message.headers[ANSWERS])
        if run is None:
            self._late("the end of a request", message)
            return
        turn = self._enter(run, message)
        request = turn.live.snapshot.requests.pop(step, None)
        if request is None:
            self._late("the end of a request", message)
            return
        ended = message.headers[ENDED]
        if ended == "done":
            yield from self._reply(turn, request, body)
        else:
            yield from self._failure(turn, request, self._error(message, ended, request, body))

    def _reply(self, turn: Turn, request: OpenRequest, body: Any) -> Steps:
        turn.note("replied", request.name)
        callback = self.plan.callbacks.reply(request.name)
        arguments = () if callback is None else self._with_asked(callback, request, callback.read(body))
        yield from self._go(turn, callback, arguments)

    def _failure(self, turn: Turn, request: OpenRequest, error: RequestError) -> Steps:
        turn.note("failed", request.name)
        callback = self.plan.callbacks.failure(request.name)
        if callback is None:
            turn.live.fail(error)
            turn.live.failure = f"the request {request.name!r} failed and no callback takes it: {error.what}"
            turn.finish()
            return
        yield from self._go(turn, callback, self._with_asked(callback, request, error))

    def _with_asked(self, callback: Callback, request: OpenRequest, end: Any) -> tuple[Any, ...]:
        if callback.takes < 2:
            return (end,)
        known = self.port.runs.type_named
        body = self.plan.read(request.type, bytes(request.request), known) if request.type else None
        return end, Asked(request.name, request.target, instant(request.at), body)

    def _error(self, message: Message, ended: str, request: OpenRequest, body: Any) -> RequestError:
        if ended == "expired":
            return RequestExpired("the request expired before its handler could start", where=request.target)
        failure = codec.convert(codec.to_plain(body), Failure)
        return RequestFailed(
            f"the handler failed and message {message.cause} is parked: {failure.type}: {failure.text}",
            where=request.target,
            fix=f"`junctor trace {message.cause}` shows the attempts; correct the cause and ask again.",
            error_type=failure.type,
        )

    def woken(self, body: Any) -> Steps:
        """A timer has run out, or the time of a request."""
        message = self._message()
        run, step = self._run(message), int(message.headers[ANSWERS])
        if run is None:
            return  # what it was for has ended
        turn = self._enter(run, message)
        snapshot = turn.live.snapshot
        timer, request = snapshot.timers.pop(step, None), snapshot.requests.pop(step, None)
        if timer is not None:
            turn.note("timer", timer.name)
            callback = self.plan.callbacks.timer(timer.name)
            yield from self._go(turn, callback, (timer.name,) if callback is not None and callback.takes else ())
        elif request is not None:
            error = RequestTimeout("no reply came in its time", where=request.target)
            yield from self._failure(turn, request, error)

    async def cancelled(self, body: Any) -> None:
        """An operator ends it, by its number, id or key. One that has ended stays as it is."""
        message = self._message()
        run = self._meant(message)
        if not run.is_open:
            log.info("%s: conversation %d has ended and is not cancelled", self.address, run.seq)
            return
        if message.key != str(run.seq):
            self.port.runs.pass_on(run.seq, CANCEL)
            return
        self.port.runs.enter(run)
        try:
            snapshot = _snapshot(run)
        except NotRestorable:  # it ends as it is
            snapshot = Snapshot(handler=run.handler)
        live = Live(run.seq, run.turns, run.key, snapshot)
        Turn(self.port, self.plan, self.address, live, message, run, self).cancel(str(body or "cancelled"))

    def _meant(self, message: Message) -> Run:
        """The conversation that a message of an operator names.

        :raises UnknownRun: there is none.
        """
        name, runs = message.key or "", self.port.runs
        number = 0 if PASSED in message.headers else runs.called(name)
        found = runs.find(number or _number(name, message.node))
        if found is None or found.service != self.address:
            fix = "Give its key, or the number or id of the message that began it."
            raise UnknownRun(f"there is no conversation {name!r}", where=self.address, fix=fix)
        return found

    # Turns --------------------------------------------------------------------------------------------------

    def _message(self) -> Message:
        message = self.port.message()
        assert message is not None
        return message

    def _run(self, message: Message) -> Run | None:
        """The open conversation that a message is for."""
        found = self.port.runs.find(int(message.key or 0))
        return found if found is not None and found.is_open else None

    def _enter(self, run: Run, message: Message) -> Turn:
        """The conversation as it was left.

        :raises NotRestorable: what is stored of it cannot be read; it is suspended when the message is parked.
        """
        self.port.runs.enter(run)
        try:
            return self._turn(Live(run.seq, run.turns, run.key, _snapshot(run)), message, run)
        except NotRestorable as error:
            turn = Turn(self.port, self.plan, self.address, Live(run.seq, run.turns, run.key), message, run, self)
            self.port.runs.on_park(turn.suspended(error))
            raise

    def _turn(self, live: Live, message: Message, run: Run | None) -> Turn:
        instance = self.plan.build(self._context)
        inside = vars(instance)
        inside["__junctor_live__"] = live
        inside["__junctor_asks__"] = live.ask
        for name in self.plan.targets:
            if inside.get(name) is not None:
                inside[name]._asks = live.ask
        attributes = live.snapshot.attributes
        if attributes and (paths := self.plan.attributes.hides(live.snapshot.hides)):
            hide(current.get(), codec.encode(attributes), paths)
        self.plan.attributes.restore(instance, attributes)
        return Turn(self.port, self.plan, self.address, live, message, run, instance)

    def _go(self, turn: Turn, callback: Callback | None, arguments: tuple[Any, ...]) -> Steps:
        """Call it, and what is called at the end of all; then store what has become of the conversation."""
        if callback is not None:
            turn.called(callback)
            turn.take(callback, (yield _call(turn.instance, callback, arguments)))
        complete = self.plan.callbacks.complete
        if complete is not None and turn.is_complete:
            turn.called(complete)
            turn.take(complete, (yield _call(turn.instance, complete, ())))
        if turn.has_nothing_left:
            turn.live.end()
        turn.finish()

    def _late(self, what: str, message: Message) -> None:
        text = "%s: %s came late for conversation %s, which no longer waits for it; it is ignored"
        self.port.log.info(text, self.address, what, message.key)


def _number(name: str, node: str) -> int:
    """The number in an id, 0 where it is none of this node."""
    try:
        where, number = parse_id(name)
    except ValueError:
        return 0
    return number if where in ("", node) else 0


def _snapshot(run: Run) -> Snapshot:
    """What is stored of a conversation.

    :raises NotRestorable: this version cannot read it.
    """
    try:
        return read_snapshot(run.snapshot)
    except ValueError as error:
        raise NotRestorable(f"what is stored of it is no snapshot: {error}", where=f"conversation {run.seq}") from error


def _call(instance: Any, callback: Callback, arguments: tuple[Any, ...]) -> Callable[[], Any]:
    return lambda: getattr(instance, callback.name)(*arguments)
