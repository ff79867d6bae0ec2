"""Hops in a worker process: what is logged or printed in them goes to the node at once, so that the trace has it also
when the process ends in the middle."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from junctor.core.hop import AskedHop, Asking, Delivery, Hop, current
from junctor.core.outcome import LogLine
from junctor.observe.logs import noted
from junctor.runtime.workers import protocol
from junctor.runtime.workers.channel import Channel

Tell = Callable[[protocol.Log], object]


class WorkerDelivery(Delivery, eq=False, gc=False):
    """A delivery whose printed lines are told to the node."""

    tell: Any = None

    def note(self, line: LogLine) -> None:
        self.tell(protocol.Log(self.seq, line, printed=True))


class WorkerCall(AskedHop, eq=False, gc=False):
    """A tick, action or route whose printed lines are told to the node."""

    tell: Any = None

    def note(self, line: LogLine) -> None:
        self.tell(protocol.Log(self.seq, line, printed=True))


def delivery_in(frame: protocol.Deliver, started: int, tell: Tell) -> WorkerDelivery:
    """The delivery that a frame hands over."""
    message = msgspec.structs.replace(frame.message, session=int(frame.session, 16))
    made = WorkerDelivery(message.kind, message.target, "", message.session, message.seq, started, message)
    made.attempt = frame.attempt
    made.sent = {sent.origin: sent for sent in frame.sent} or None
    made.lane = message.key
    made.tell = tell
    return made


def call_in(frame: protocol.Call, address: str, started: int, tell: Tell) -> Hop | None:
    """The hop of a call, None for one that has none (``loop()``)."""
    if not frame.seq:
        return None
    made = WorkerCall(frame.kind, address, frame.name, int(frame.session, 16), frame.seq, started)
    made.joins, made.tell = frame.joins, tell
    made.asking = Asking(caller=frame.caller)
    return made


class NodeHandler(logging.Handler):
    """Sends log records to the node, which writes them into its own log and the trace of their hop."""

    def __init__(self, address: str, channel: Channel) -> None:
        super().__init__()
        self._address = address
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        if not self._channel.ours:
            if logging.lastResort is not None:
                logging.lastResort.handle(record)
            return
        try:
            said = noted(record)
        except Exception:  # noqa: BLE001 - as everywhere in logging, a wrong format does not fail the caller
            self.handleError(record)
            return
        hop = current.get()
        seq = hop.seq if hop is not None and hop.open else 0
        line = LogLine(int(record.created * 1e9), record.levelno, record.name, said.text)
        self._channel.send(protocol.Log(seq, line, said.service or self._address, said.exception))
