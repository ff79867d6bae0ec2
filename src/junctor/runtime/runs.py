"""Runs in the engine: what a durable service asks of its port, and the messages by which requests of a run end."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import Delivery, Hop, RunWork, current
from junctor.core.outcome import Answer, Draft, Failure, Outcome, Reply, Settlement
from junctor.core.port import Link
from junctor.core.run import FAILURE, REPLIED, WOKEN, Asker, Run, RunStatus, RunWrite, TimerEnd, Turn, asker_of
from junctor.errors import StateError, StoreDamaged
from junctor.messages import (
    ANSWERS,
    ASKER,
    CONTINUES,
    ENDED,
    HANDLER,
    PASSED,
    Kind,
    Message,
    MessageType,
    codec,
    without_reserved,
)
from junctor.runtime.deadlines import nanoseconds

if TYPE_CHECKING:
    from junctor.runtime.handling import Handling
    from junctor.runtime.host import Host
    from junctor.runtime.port import HostPort

ENDS = {Settlement.DONE: "done", Settlement.PARK: "parked", Settlement.EXPIRE: "expired"}


class HostRuns:
    """The runs of one service, as its port offers them: see :class:`junctor.core.run.RunPort`."""

    def __init__(self, port: HostPort, host: Host) -> None:
        self._port = port
        self._host = host

    @property
    def limit(self) -> int:
        return self._host.dispatcher.max_body

    def ask(
        self,
        link: Link,
        body: Any,
        asker: Asker,
        *,
        timeout: float | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        hop = self._hop("ask")
        wait = nanoseconds(math.inf if timeout is None else timeout)
        deadline = self._port.time_ns() + wait if wait else 0
        draft = self._port.draft(Kind.REQUEST, link, body, key, deadline, headers)
        named = {**(draft.headers or {}), ASKER: str(asker)}
        _join(hop, msgspec.structs.replace(draft, headers=named))

    def wake(self, run: int, step: int, at: int) -> None:
        headers = {HANDLER: WOKEN, ANSWERS: str(step)}
        draft = Draft(self._host.address, Kind.SEND, "None", b"null", 1, str(run), at, 0, headers)
        _join(self._hop("wake"), draft)

    def unwake(self, run: int, step: int, at: int) -> None:
        hop = self._hop("unwake")
        for index, draft in enumerate(hop.drafts or ()):
            if draft.due == at and draft.key == str(run) and (draft.headers or {}).get(ANSWERS) == str(step):
                del (hop.drafts or [])[index]
                return
        self._work("unwake").timers.append(TimerEnd(self._host.address, run, step, at))

    def pass_on(self, run: int, handler: str) -> None:
        hop = self._hop("pass_on")
        message: Message = hop.message
        # One that was passed on before goes on speaking for the message that it was.
        deferred = hop.work is not None and hop.work.deferred
        passed = message.headers.get(PASSED) or f"{hop.seq if deferred else 0} {message.headers.get(ASKER, '')}"
        headers = {**without_reserved(message.headers), HANDLER: handler, PASSED: passed}
        target = self._host.address
        _join(hop, Draft(target, Kind.SEND, message.type, message.payload, message.version, str(run), 0, 0, headers))

    def enter(self, run: Run) -> None:
        self._hop("enter").session = run.session

    def defer(self) -> None:
        self._work("defer").deferred = True

    def answer(self, answer: Answer) -> None:
        self._work("answer").answers.append(answer)

    def write(self, write: RunWrite) -> None:
        self._work("write").runs.append(write)

    def on_park(self, write: RunWrite | None) -> None:
        self._work("on_park").parked = write

    def carry_on(self, handler: str, body: Any, continues: str) -> None:
        kind = self._host.types.of(body)
        headers = {HANDLER: handler, CONTINUES: continues}
        draft = Draft(self._host.address, Kind.SEND, kind.name, kind.encode(body), kind.version, None, 0, 0, headers)
        _join(self._hop("carry_on"), draft)

    def reply(self, handler: str, value: Any) -> Reply | None:
        replies = next(spec.replies for spec in self._host.spec.handlers if spec.name == handler)
        kind = self._host.types.register(replies) if replies is not None else None
        return self._host.reply_of(value, kind)

    def type_named(self, name: str) -> MessageType | None:
        return self._host.types.named(name)

    def blocking(self, work: Callable[[], Any]) -> Awaitable[Any]:
        return self._host.threads.call(work, (), self._hop("blocking"))

    async def stored(self, run: int) -> None:
        before = self._host.runs.pending.get(run)
        delivery: Any = self._hop("stored")
        for needs in (delivery.needs, before.commit if before is not None else None):
            if needs is not None:
                await self._host.engine.committed(needs=needs)

    def find(self, seq: int) -> Run | None:
        known = self._host.runs.find(seq)
        if known is not None:
            return known
        run = self._host.transport.run(seq)
        if run is not None and run.damaged:
            raise _damaged(run, self._host.address)
        return run

    def called(self, key: str) -> int:
        pending = self._host.runs.pending
        for each in list(pending.values()):
            if each.run.key == key and each.run.is_open:
                return each.run.seq
        seq = self._host.transport.run_called(self._host.address, key)
        return 0 if seq in pending else seq

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        found = self._host.transport.turns(seq, after)
        pending = self._host.runs.pending.get(seq)
        if pending is not None:
            known = found[-1].number if found else after
            found = found + [turn for turn in pending.turns if turn.number > known]
        return found

    def _hop(self, what: str) -> Hop:
        hop = current.get()
        if hop is not None and hop.open and hop.joins and hop.address == self._host.address:
            return hop
        hop = self._port.hop()
        if hop is None or not hop.joins:
            raise StateError(f"runs.{what}() outside a delivery", where=self._host.address)
        return hop

    def _work(self, what: str) -> RunWork:
        hop = self._hop(what)
        if hop.work is None:
            hop.work = RunWork()
        work: RunWork = hop.work
        return work


def _damaged(run: Run, where: str) -> StoreDamaged:
    """Nothing of it can be trusted, not even whether it is open: what comes for it is put aside."""
    error = StoreDamaged(
        f"run {run.seq} is not what was written", where=where, fix="An earlier backup may have it; see junctor verify."
    )
    error.reaction = "park"  # type: ignore[attr-defined]
    return error


def _join(hop: Hop, draft: Draft) -> None:
    if hop.drafts is None:
        hop.drafts = []
    hop.drafts.append(draft)


# Deliveries that fail for good ------------------------------------------------------------------------------


def suspended_by(host: Handling, delivery: Delivery, failure: Failure) -> tuple[RunWrite, ...]:
    """What becomes of a run by a delivery that is parked: what its service says, and where that was never asked, as
    the body cannot be read or kills the node, it waits for an operator."""
    write = delivery.work.parked if delivery.work is not None else _unasked(host, delivery)
    if write is None:
        return ()
    error = f"{failure.type}: {failure.text}"
    command = f"junctor workflows show {write.seq}"
    host.alert("run-suspended", f"run {write.seq} of {host.address} is suspended: {error}", command)
    return (msgspec.structs.replace(write, error=error, time=host.engine.clock.time_ns()),)


def _unasked(host: Handling, delivery: Delivery) -> RunWrite | None:
    message: Message = delivery.message
    if host.spec.runs != "workflow" or ANSWERS not in message.headers or message.key is None:
        return None
    run = host.runs.find(int(message.key)) or host.transport.run(int(message.key))
    if run is None or not run.is_open:
        return None
    return RunWrite(run.seq, run.service, run.turns, RunStatus.SUSPENDED, due=run.due)


# Ends of requests -------------------------------------------------------------------------------------------


def end_of(message: Message, outcome: Outcome) -> Draft | None:
    """The message that tells a run how a request of it ended; None where no run asked, or it has not ended."""
    asker = message.headers.get(ASKER) if message.headers else None
    ended = ENDS.get(outcome.settlement)
    if asker is None or ended is None:
        return None
    return _end(asker, ended, outcome.reply if ended == "done" else None, outcome.failure)


def end_by(answer: Answer) -> Draft | None:
    """The same for a request whose delivery deferred it."""
    if not answer.asker:
        return None
    return _end(answer.asker, "done" if answer.failure is None else "parked", answer.reply, answer.failure)


def _end(text: str, ended: str, reply: Reply | None, failure: Failure | None) -> Draft:
    asker = asker_of(text)
    kind, payload, version = "None", b"null", 1
    if ended == "done" and reply is not None:
        kind, version = reply.type, reply.version
        payload = reply.payload
    elif ended != "done":
        kind, payload = FAILURE, codec.encode(failure or Failure("", ""))
    headers = {HANDLER: REPLIED, ANSWERS: str(asker.step), ENDED: ended}
    return Draft(asker.address, Kind.REPLY, kind, payload, version, str(asker.run), 0, 0, headers)
