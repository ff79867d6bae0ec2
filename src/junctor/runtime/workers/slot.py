"""The node's side of a worker: a slot whose deliveries run in a process of their own."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import Delivery
from junctor.core.outcome import Outcome, Settlement
from junctor.core.port import Link
from junctor.core.spec import Wire
from junctor.errors import ConfigurationError, WorkerLost
from junctor.messages import TypeRegistry, codec
from junctor.runtime.slots import Slot, check_condition
from junctor.runtime.workers import protocol

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.worker")

ENTRY = "junctor.node.worker"
"""The module that a worker process runs; it stands above this layer because it knows how to load flows."""


_PATIENCE = 2.0
"""Seconds that a worker has to close its service."""


class WorkerSlot(Slot):
    """Runs one delivery at a time in its worker process, which is started again when it has died."""

    remote = True

    def __init__(self, host: Host, number: int) -> None:
        super().__init__(host, number)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._anything = TypeRegistry().register(Any)

    @property
    def pid(self) -> int:
        """The process id of the worker, 0 while there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def aclose(self) -> None:
        await super().aclose()
        process, writer = self._process, self._writer
        self._process = self._writer = None
        if writer is not None:
            writer.write(protocol.pack(protocol.Stop()))
            writer.close()
        if process is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            # It has nothing that is not in the journal: a worker that does not hear may be ended.
            process.kill()
            await process.wait()

    async def _attempt(self, delivery: Delivery) -> None:
        host = self.host
        delivery.started = started = self._time()
        deadline = delivery.message.deadline
        if deadline and started > deadline and self._late(delivery.message, started):
            host.dispatcher.settle(delivery, Outcome(Settlement.EXPIRE, started=started), host)
            return
        outcome = await self._in_worker(delivery)
        host.counters.busy += outcome.duration
        host.counters.durations[outcome.duration.bit_length()] += 1
        host.dispatcher.settle(delivery, outcome, host)

    async def _in_worker(self, delivery: Delivery) -> Outcome:
        try:
            check_condition(delivery.message)
            await self._ready()
            self._send(
                protocol.Deliver(
                    msgspec.structs.replace(delivery.message, session=0, headers=dict(delivery.message.headers)),
                    f"{delivery.session:032x}",
                    delivery.attempt,
                    tuple(delivery.sent.values()) if delivery.sent else (),
                    self._state(delivery),
                )
            )
            outcome = await self._settled(delivery)
        except asyncio.CancelledError:
            if self._halted:
                raise
            return self.host.outcome_of(WorkerLost("the delivery was cancelled"), delivery)
        except Exception as error:  # noqa: BLE001 - whatever went wrong with the worker costs this attempt
            return self.host.outcome_of(error, delivery)
        if outcome.failure is not None:
            return self.host.outcome_of_failure(outcome.failure, delivery, outcome)
        return outcome

    def _state(self, delivery: Delivery) -> dict[str, tuple[bytes, int]]:
        """The state under the message's key, with what is on its way to the store."""
        host = self.host
        key = delivery.lane if host.keyed and delivery.lane else ""
        state = dict(host.transport.state(host.address, key))
        for (own, name), (value, version, _) in host.pending_state.items():
            if own == key and value is not None:
                state[name] = (value, version)
            elif own == key:
                state.pop(name, None)
        return state

    async def _settled(self, delivery: Delivery) -> Outcome:
        """Serve the worker's requests until it settles."""
        assert self._reader is not None
        while True:
            frame = await protocol.read(self._reader)
            if isinstance(frame, protocol.Settled) and frame.seq == delivery.seq:
                return frame.outcome
            if isinstance(frame, protocol.Ask) and frame.seq == delivery.seq:
                self.host.engine.supervisor.start(f"{self.host.address} worker asks", self._ask(delivery, frame))
            elif frame is None:
                raise WorkerLost(
                    f"the worker process ended with {await self._ended()} while it handled message {delivery.seq}",
                    where=self.host.address,
                )

    async def _ended(self) -> str:
        process, self._process = self._process, None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        code = await process.wait() if process is not None else 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def _ask(self, delivery: Delivery, ask: protocol.Ask) -> None:
        *earlier, request = ask.drafts
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.host.dispatcher.savepoint(delivery, earlier, request, Link(request.target, self._anything), future)
        try:
            answer = protocol.Answer(ask.number, codec.encode(await future))
        except Exception as error:  # noqa: BLE001 - the handler in the worker gets it
            answer = protocol.Answer(ask.number, error=protocol.error_of(error))
        self._send(answer)

    def _send(self, frame: protocol.Frame) -> None:
        if self._writer is not None:
            self._writer.write(protocol.pack(frame))

    # The process --------------------------------------------------------------------------------------------

    async def _ready(self) -> None:
        """A worker that has built the service.

        :raises ConfigurationError: it cannot; its reason is in the text.
        """
        if self._writer is not None and self.pid:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", ENTRY, str(theirs.fileno()), pass_fds=(theirs.fileno(),)
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._send(self._build())
        built = await protocol.read(self._reader)
        if not isinstance(built, protocol.Built) or built.failure is not None:
            reason = built.failure.text if isinstance(built, protocol.Built) and built.failure else "it ended"
            raise ConfigurationError(f"a worker cannot build the service: {reason}", where=self.host.address)
        log.info("%s: worker %s", self.host.address, self.pid)

    def _build(self) -> protocol.Build:
        host = self.host
        spec = host.spec
        return protocol.Build(
            spec.code,
            tuple(sys.path),
            host.dispatcher.node,
            host.flow,
            host.service,
            {name: _plain(value) for name, value in spec.settings.items()},
            {name: tuple(Wire(link.address, link.when) for link in links) for name, links in host.links.items()},
            tuple(_neighbour(other) for other in host.dispatcher.hosts.values()),
            spec.policies.pool.size,
            spec.policies.pool.key,
            host.dispatcher.max_body,
        )


def _plain(value: Any) -> Any:
    reveal = getattr(value, "reveal", None)
    return codec.to_plain(reveal() if callable(reveal) else value)


def _neighbour(host: Host) -> protocol.Neighbour:
    handlers = [(handler, host.types.register(handler.accepts).name) for handler in host.spec.handlers]
    return protocol.Neighbour(
        host.address,
        tuple(name for _, name in handlers),
        tuple(name for handler, name in handlers if handler.subscribes),
        host.spec.policies.pool.key,
        tuple({handler.name: None for handler, _ in handlers}),
    )
