"""Serves the wishes of one worker in the node: requests, sends, state and log lines of its code."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from junctor.core.hop import AskedHop, Hop
from junctor.core.outcome import Draft, LogLine
from junctor.core.port import Link, Receipt
from junctor.messages import Kind, TypeRegistry, codec
from junctor.observe.secrets import mask
from junctor.runtime.workers import protocol
from junctor.runtime.workers.errors import error_of

if TYPE_CHECKING:
    from junctor.runtime.host import Host
    from junctor.runtime.workers.child import Child


class Desk:
    """``hops`` are those that run in the worker, by their number."""

    def __init__(self, host: Host) -> None:
        self.hops: dict[int, Hop] = {}
        self.child: Child | None = None
        self._host = host
        self._anything = TypeRegistry().register(Any)

    def serve(self, frame: protocol.Frame) -> None:
        """Do what a worker asks for."""
        if isinstance(frame, protocol.Log):
            self._log(frame)
        elif isinstance(frame, protocol.Counted):
            for what, amount in frame.sums.items():
                self._host.counters.counts.add(what, amount)
        elif isinstance(frame, protocol.Reached):
            self._host.away.reached()
        elif isinstance(frame, protocol.Read):
            self._send(protocol.Answer(frame.number, state=state_of(self._host, frame.key)))
        elif isinstance(frame, protocol.Ask | protocol.Submit):
            self._host.engine.supervisor.start(f"{self._host.address} worker asks", self._asked(frame))

    def _send(self, frame: protocol.Frame) -> None:
        if self.child is not None:
            self.child.send(frame)

    async def _asked(self, frame: protocol.Ask | protocol.Submit) -> None:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            if isinstance(frame, protocol.Ask):
                self._save(frame, future)
            else:
                self._submit(frame, future)
            answer = self._answer(frame.number, await future)
        except Exception as error:  # noqa: BLE001 - the code in the worker gets it
            answer = protocol.Answer(frame.number, error=error_of(error))
        self._send(answer)

    def _save(self, frame: protocol.Ask, future: asyncio.Future[Any]) -> None:
        *earlier, request = frame.drafts
        hop = self.hops.get(frame.seq)
        if hop is None or not hop.open:
            future.cancel()
            return
        self._host.dispatcher.savepoint(hop, earlier, request, self._link(request), future)

    def _submit(self, frame: protocol.Submit, future: asyncio.Future[Any]) -> None:
        hop, draft = self.hops.get(frame.seq), frame.draft
        if isinstance(hop, AskedHop):
            draft = hop.mark(draft)
        link = self._link(draft) if draft.kind is Kind.REQUEST else None
        self._host.dispatcher.submit(draft, self._host.address, hop, link, future)

    def _link(self, request: Draft) -> Link:
        return Link(request.target, self._anything)

    def _answer(self, number: int, result: Any) -> protocol.Answer:
        if isinstance(result, Receipt):
            return protocol.Answer(number, receipt=(result.id, result.session, result.duplicate))
        name = self._host.types.of(result).name if result is not None else ""
        return protocol.Answer(number, codec.encode(result), name)

    def _log(self, frame: protocol.Log) -> None:
        line, hop = frame.line, self.hops.get(frame.seq)
        if hop is not None and hop.open and line.level >= logging.INFO:
            text = f"{line.text}\n{frame.exception}" if frame.exception else line.text
            hop.note(LogLine(line.time, line.level, line.logger, mask(text)))
        logger = logging.getLogger(line.logger)
        if frame.printed or not logger.isEnabledFor(line.level):
            return
        text = f"{line.text}\n{frame.exception}" if frame.exception else line.text
        record = logger.makeRecord(
            line.logger, line.level, "", 0, text, (), None, extra={"service": frame.service, "hop": hop}
        )
        record.created = line.time / 1e9
        record.msecs = line.time // 1_000_000 % 1000
        logger.handle(record)


def state_of(host: Host, key: str) -> protocol.State:
    """The state under a key, with what is on its way to the store."""
    state = dict(host.transport.state(host.address, key))
    for (own, name), (value, version, _) in host.pending_state.items():
        if own == key and value is not None:
            state[name] = (value, version)
        elif own == key:
            state.pop(name, None)
    return state
