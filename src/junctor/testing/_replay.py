"""The run of a replay: recorded deliveries given to the code one after the other, in virtual time."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import TYPE_CHECKING, Any

from junctor.clock import SECOND
from junctor.core.lifecycle import State
from junctor.core.outcome import Failure, StateWrite
from junctor.errors import ConfigurationError
from junctor.flows import FlowModel
from junctor.flows.model import default_name
from junctor.messages import HANDLER, Kind, Message, Status, codec, type_name
from junctor.node.capture.file import Capture, CapturedHop
from junctor.runtime.failures import failure_of
from junctor.testing._capture import Replay, ReplayedHop, SentMessage
from junctor.testing._differences import differences_of
from junctor.testing._idle import NotAtRest
from junctor.testing._plant import RunningFlow, options_of
from junctor.testing._port import Watched
from junctor.testing._recording import Delivery, Recording
from junctor.testing._scene import FOREVER, Scene, plain, plain_body

if TYPE_CHECKING:
    from junctor.testing._stage import Testable

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

WITHIN = 24 * 3600
"""Seconds of virtual time that one delivery may take."""


async def replayed(
    capture: Capture,
    subject: Testable,
    service: str | None,
    state: Mapping[Any, Any],
    fill: Mapping[str, Any],
    ignored: Collection[str],
    patience: float,
) -> Replay:
    """See :func:`junctor.testing.replay`."""
    recording = Recording(capture, service or _named(subject), fill)
    run = _Run(recording, subject, patience)
    async with run.running(state):
        run.check()
        return Replay([await run.deliver(delivery, ignored) for delivery in recording.deliveries])


def _named(subject: Testable) -> str:
    if isinstance(subject, FlowModel | str) or hasattr(subject, "__fspath__"):
        raise ConfigurationError("a flow has several services", where="replay()", fix='Say which: service="orders".')
    return default_name(subject)


class _Run:
    def __init__(self, recording: Recording, subject: Testable, patience: float) -> None:
        self._scene = Scene(recording)
        first = recording.deliveries[0].at
        self._plant = RunningFlow(self._scene.model(subject), options_of({"start": first, "patience": patience}))

    @contextlib.asynccontextmanager
    async def running(self, state: Mapping[Any, Any]) -> AsyncIterator[None]:
        """The service up, with what it had stored."""
        await self._plant.start()
        self._scene.type_named = self._plant.node.engine.types_of(self._scene.recording.address).named
        try:
            self._check_started()
            writes = [_write(name, value) for name, value in state.items()]
            if writes:
                await self._plant.node.engine.committed(writes=writes, source=self._scene.recording.address)
            yield
        finally:
            await self._plant.stop(check=False)

    def _check_started(self) -> None:
        host = self._plant.node.engine.hosts[self._scene.recording.address]
        if host.lifecycle.state is not State.RUNNING:
            raise ConfigurationError(
                f"the service does not start: {host.last_error or host.lifecycle.state.value}",
                where=host.address,
                fix="Its on_start runs in a replay as on a node: give it what it needs, or a subclass without it.",
            )

    # Deliveries ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        """:raises DecodeError: a body does not fit its handler any more."""
        for delivery in self._scene.recording.deliveries:
            self._body_of(delivery.hop)

    def _body_of(self, hop: CapturedHop) -> tuple[Any, Any]:
        """The body of a recorded message, and the type under which its handler takes it."""
        host = self._plant.node.engine.hosts[self._scene.recording.address]
        kind = host.types.named(hop.type)
        if kind is not None and host.accepts(kind):
            place = f"message {hop.number} of the capture:"
            return kind.read(codec.encode(hop.body), hop.version, place), kind.cls
        accepted = [handler.accepts for handler in host.spec.handlers]
        if Any in accepted:
            return hop.body, Any
        handled = ", ".join(sorted(map(type_name, accepted)))
        raise ConfigurationError(
            f"no handler takes {hop.type}, message {hop.number} of the capture",
            where=self._scene.recording.address,
            fix=f"It handles {handled or 'nothing'}.",
        )

    async def deliver(self, delivery: Delivery, ignored: Collection[str]) -> ReplayedHop:
        """Give one recorded message to the service, and compare."""
        plant, hop = self._plant, delivery.hop
        if delivery.at > plant.now:
            await plant.advance_to(delivery.at)
        self._scene.begin(delivery)
        body, kind = self._body_of(hop)
        message = await self._handed_over(hop, body, kind)
        status, reply = await self._settled(message.seq)
        result = ReplayedHop(hop, body)
        self._tell_error(result, status, message.seq)
        result.reply = reply
        result.sends = [self._sent(one) for one in self._effects(message.seq)]
        result.logs = [
            log.line.text
            for log in plant._ledger.logs
            if log.seq == message.seq and not log.line.logger.startswith("junctor.")
        ]
        result.differences = differences_of(result, delivery, ignored)
        return result

    async def _handed_over(self, hop: CapturedHop, body: Any, kind: Any) -> Message:
        plant, ledger = self._plant, self._plant._ledger
        client = plant.node.engine.client(plant.name)
        link = client.link_to(self._scene.recording.service, kind, handler=hop.headers.get(HANDLER))
        before = len(ledger.messages)
        pending: Any
        if hop.kind == "request":
            pending = client.request(link, body, key=hop.key, timeout=FOREVER, headers=hop.headers)
        else:
            pending = client.send(link, body, key=hop.key, headers=hop.headers)
        await plant.driven(_quiet(pending), WITHIN)
        return next(one for one in ledger.messages[before:] if one.source == client.address)

    async def _settled(self, seq: int) -> tuple[Status, Any]:
        """How the delivery ended, with its reply; time passes as far as it needs."""
        plant = self._plant
        end = plant._clock.time_ns() + WITHIN * SECOND
        while True:
            await plant.idle()
            record = plant.node.engine.transport.archive.record(seq)
            if record is not None and record.status >= Status.DONE:
                reply = record.reply.payload if record.reply is not None else None
                return record.status, plain(reply)
            if not plant._clock.step(end):
                raise NotAtRest(f"the delivery does not end within {WITHIN / 3600:g} h of virtual time")

    def _tell_error(self, result: ReplayedHop, status: Status, seq: int) -> None:
        if self._scene.raised is not None:
            failure: Failure | None = failure_of(self._scene.raised)
        else:  # refused by the engine itself, as a wrong reply is
            record = self._plant.node.engine.transport.archive.record(seq)
            failure = record.failure if record is not None and status is not Status.DONE else None
        if failure is not None:
            result.error, result.traceback = f"{failure.type}: {failure.text}", failure.traceback

    def _effects(self, seq: int) -> list[Message]:
        """What the delivery sent. An event goes to every service that stands for another; those that never got one of
        its type in the recording are left out, where others did."""
        sent = [one for one in self._plant._ledger.messages if one.cause == seq]
        known = {type for events in self._scene.recording.peers.values() for type in events}
        return [
            one
            for one in sent
            if one.target != self._plant._stage.captured
            and (
                one.kind is not Kind.EVENT
                or one.type not in known
                or one.type in self._scene.recording.peers.get(self._scene.recorded(one.target), set())
            )
        ]

    def _sent(self, message: Message) -> SentMessage:
        recorded = message.seq not in self._scene.unrecorded
        return SentMessage(
            self._scene.recorded(message.target), message.type, message.kind.name.lower(), plain_body(message), recorded
        )


def _write(name: Any, value: Any) -> StateWrite:
    key, entry = name if isinstance(name, tuple) else ("", name)
    return StateWrite(key, entry, codec.encode(value), 0)


async def _quiet(pending: Any) -> None:
    """Wait for what was sent; what came of it is read from the archive."""
    with contextlib.suppress(Exception):
        await Watched(pending)
