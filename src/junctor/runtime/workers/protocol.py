"""What a node and its worker say to each other over a socket pair.

Frames are MessagePack behind a length of four bytes. The node speaks first: :class:`Build`, answered by :class:`Built`.
Then each :class:`Deliver` is answered by one :class:`Settled`, each :class:`Call` by one :class:`Returned`; in between
the worker may :class:`Ask`, :class:`Submit` and :class:`Read`, each answered by :class:`Answer`. :class:`Stop` or the
end of the stream ends the worker. Nothing is unpickled; what a worker imports is named by ``Build``, which comes from
the flow and never from a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from junctor.core.outcome import Draft, Failure, LogLine, Outcome, StateWrite
from junctor.core.records import Sent
from junctor.core.spec import Wire
from junctor.messages import Kind, Message

LIMIT = 256 * 1024 * 1024
"""Bytes of the longest frame; bodies are bounded much lower."""

State = dict[str, tuple[bytes, int]]
"""Entries of one key: name to value as JSON and version."""

Part = Literal["schedules", "actions", "routes", "main"]
"""The field of a service's spec that has the entry of a call."""


class Neighbour(msgspec.Struct, frozen=True):
    """A service that the worker may send to: its address, the names of the types it handles and subscribes to, the
    field of a body that is its key, and the names of its handlers."""

    address: str
    handles: tuple[str, ...]
    subscribes: tuple[str, ...]
    key: str | None = None
    named: tuple[str, ...] = ()


class Build(msgspec.Struct, frozen=True, tag="build"):
    """Make the service. ``code`` is the importable name of its class, ``path`` the node's module search path. ``slot``
    is the number of this worker; ``log_level`` what the node logs."""

    code: str
    path: tuple[str, ...]
    node: str
    flow: str
    service: str
    settings: dict[str, Any]
    links: dict[str, tuple[Wire, ...]]
    neighbours: tuple[Neighbour, ...]
    pool: int
    key: str | None
    max_body: int
    slot: int = 0
    log_level: int = 20


class Built(msgspec.Struct, frozen=True, tag="built"):
    """The service is ready, or ``failure`` says why it cannot be made."""

    failure: Failure | None = None


class Deliver(msgspec.Struct, frozen=True, tag="deliver"):
    """One attempt. ``session`` is apart from the message because MessagePack has no 128-bit numbers. ``state`` is that
    of the message's key, None where it is left to the worker to :class:`Read` it. ``strict``: a failure leaves what
    waits behind it unstarted."""

    message: Message
    session: str
    attempt: int
    sent: tuple[Sent, ...] = ()
    state: State | None = None
    strict: bool = False


class Settled(msgspec.Struct, frozen=True, tag="settled"):
    """The outcome of the delivery of message ``seq``; None when it has not begun. A failure's settlement is the node's
    to decide."""

    seq: int
    outcome: Outcome | None = None


class Recall(msgspec.Struct, frozen=True, tag="recall"):
    """Deliveries that have not begun are not to begin."""


class Call(msgspec.Struct, frozen=True, tag="call"):
    """Run an entry beside the queue. ``arguments`` is a JSON object. ``seq`` is the number of its hop, 0 without one,
    which ``joins`` sends or not."""

    number: int
    part: Part
    name: str
    arguments: bytes = b"{}"
    seq: int = 0
    session: str = ""
    kind: Kind = Kind.TICK
    joins: bool = False
    caller: str = ""


class Error(msgspec.Struct, frozen=True):
    """An exception that its caller is to get: the code of one of ours and its arguments, or a status of another."""

    code: str
    what: str
    where: str = ""
    fix: str = ""
    more: dict[str, Any] = {}


class Value(msgspec.Struct, frozen=True):
    """What an entry returned: JSON, plain bytes, or (``status`` is not 0) a whole HTTP response."""

    body: bytes = b"null"
    plain: bool = False
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Returned(msgspec.Struct, frozen=True, tag="returned"):
    """A call is over: with a value, or with an error whose ``failure`` tells more. What it did comes with it."""

    number: int
    value: Value = Value()
    error: Error | None = None
    failure: Failure | None = None
    drafts: tuple[Draft, ...] = ()
    writes: tuple[StateWrite, ...] = ()


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Nobody waits for the call any more."""

    number: int


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Commit the ``drafts`` of a hop now; the last one is a request whose reply is wanted under ``number``."""

    number: int
    seq: int
    drafts: tuple[Draft, ...]


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """Accept a message by itself: of a call whose sends do not join it (``seq``), or of no hop at all (0)."""

    number: int
    seq: int
    draft: Draft


class Read(msgspec.Struct, frozen=True, tag="read"):
    """The state under a key is wanted."""

    number: int
    key: str


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The reply to a request as JSON with the name of its type, a receipt, the state of a key, or the error."""

    number: int
    reply: bytes = b"null"
    kind: str = ""
    receipt: tuple[str, str, bool] | None = None
    state: State | None = None
    error: Error | None = None


class Log(msgspec.Struct, frozen=True, tag="log"):
    """A log record for the node's log, and for the trace of hop ``seq``. ``printed``: only for the trace, the line has
    appeared already."""

    seq: int
    line: LogLine
    service: str = ""
    exception: str = ""
    printed: bool = False


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """What the service has counted since it was told the last time."""

    sums: dict[str, int]


class Reached(msgspec.Struct, frozen=True, tag="reached"):
    """``loop()`` has reached the other side."""


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    """Whether the service is asked to stop, or to rest."""

    stopping: bool
    resting: bool


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Close the service and end."""


Frame = (
    Build
    | Built
    | Deliver
    | Settled
    | Recall
    | Call
    | Returned
    | Cancel
    | Ask
    | Submit
    | Read
    | Answer
    | Log
    | Counted
    | Reached
    | Signal
    | Stop
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def pack(frame: Frame) -> bytes:
    data = _encoder.encode(frame)
    return len(data).to_bytes(4, "big") + data


class Feed:
    """Makes frames of the bytes of a stream."""

    def __init__(self) -> None:
        self._data = bytearray()

    def frames(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole with these bytes.

        :raises ValueError: that is no frame.
        """
        kept = self._data
        kept += data
        begin, end = 0, len(kept)
        while end - begin >= 4:
            length = int.from_bytes(kept[begin : begin + 4], "big")
            if length > LIMIT:
                raise ValueError(f"a frame of {length} bytes exceeds {LIMIT}")
            if end - begin - 4 < length:
                break
            with memoryview(kept) as view, view[begin + 4 : begin + 4 + length] as part:
                frame = _decoder.decode(part)
            begin += 4 + length
            yield frame
        del kept[:begin]
