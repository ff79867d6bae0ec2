"""What a node and its worker say to each other over a socket pair.

Frames are MessagePack behind a length of four bytes. The node speaks first: :class:`Build`, answered by :class:`Built`.
Then each :class:`Deliver` is answered by one :class:`Settled`; in between the worker may :class:`Ask` (a savepoint with
a request), answered by :class:`Answer`. :class:`Stop` or the end of the stream ends the worker. Nothing is unpickled;
what a worker imports is named by ``Build``, which comes from the flow and never from a message.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from junctor.core.outcome import Draft, Failure, Outcome
from junctor.core.records import Sent
from junctor.core.spec import Wire
from junctor.errors import JunctorError, kind_of, text_of
from junctor.messages import Message

LIMIT = 256 * 1024 * 1024
"""Bytes of the longest frame; bodies are bounded much lower."""


class Neighbour(msgspec.Struct, frozen=True):
    """A service that the worker may send to: its address, the names of the types it handles and subscribes to, the
    field of a body that is its key, and the names of its handlers."""

    address: str
    handles: tuple[str, ...]
    subscribes: tuple[str, ...]
    key: str | None = None
    named: tuple[str, ...] = ()


class Build(msgspec.Struct, frozen=True, tag="build"):
    """Make the service. ``code`` is the importable name of its class, ``path`` the node's module search path."""

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


class Built(msgspec.Struct, frozen=True, tag="built"):
    """The service is ready, or ``failure`` says why it cannot be made."""

    failure: Failure | None = None


class Deliver(msgspec.Struct, frozen=True, tag="deliver"):
    """One attempt. ``session`` is apart from the message because MessagePack has no 128-bit numbers."""

    message: Message
    session: str
    attempt: int
    sent: tuple[Sent, ...]
    state: dict[str, tuple[bytes, int]]


class Settled(msgspec.Struct, frozen=True, tag="settled"):
    """The outcome of the delivery of message ``seq``. A failure's settlement is the node's to decide."""

    seq: int
    outcome: Outcome


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Commit the ``drafts`` of a delivery now; the last one is a request whose reply is wanted under ``number``."""

    number: int
    seq: int
    drafts: tuple[Draft, ...]


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The reply to a request as JSON, or the error: its stable code, what, where and fix."""

    number: int
    reply: bytes = b"null"
    error: tuple[str, str, str, str] | None = None


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Close the service and end."""


Frame = Build | Built | Deliver | Settled | Ask | Answer | Stop

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def pack(frame: Frame) -> bytes:
    data = _encoder.encode(frame)
    return len(data).to_bytes(4, "big") + data


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None when the other side has gone."""
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > LIMIT:
            raise ValueError(f"a frame of {length} bytes exceeds {LIMIT}")
        return _decoder.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def error_of(exception: BaseException) -> tuple[str, str, str, str]:
    """An exception for the wire."""
    if isinstance(exception, JunctorError):
        return exception.code, exception.what, exception.where or "", exception.fix
    return "", f"{type(exception).__qualname__}: {text_of(exception)}", "", ""


def exception_of(error: tuple[str, str, str, str]) -> JunctorError:
    """The exception back from the wire; an unknown code becomes the root error."""
    code, what, where, fix = error
    return kind_of(code)(what, where=where or None, fix=fix or None)
