"""The envelope: what travels between services. Frozen; how often it was tried belongs to the delivery, not to it."""

from __future__ import annotations

import enum
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Self

import msgspec

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

HANDLER = "junctor-handler"
"""The header with the name of the handler that a message is for. Without it the type of the body decides."""

CONDITION = "junctor-condition"
"""The header with the reason why the condition of a connection could not be evaluated. Such a message is parked at the
service it would have gone to."""

RESEND_OF = "junctor-resend-of"
"""The header with the id of the message that this one is a resend of."""

EFFECT = "junctor-effect"
"""The header with the id of the first message of a chain of resends: see :attr:`Message.effect`."""

ASKER = "junctor-asker"
"""The header of a request that a run asked: who gets the reply as a message, see :class:`junctor.core.run.Asker`."""

ANSWERS = "junctor-answers"
"""The header of a message to a run with the step of it that this ends: a reply, or a timer."""

ENDED = "junctor-ended"
"""The header of a reply to a run that says how the request ended: the name of its status in lower case."""

PASSED = "junctor-passed"
"""The header of a message that a durable service passed on into the line of one of its runs: the number of the message
that it was, 0 where nobody waits for its end, and the ASKER of that one."""

CONTINUES = "junctor-continues"
"""The header of a message that begins a run which carries on another one: the numbers of the first of them and of the
one before, the session of the first, and who asked that: :class:`junctor.core.run.Continues`."""

RUN_HEADERS = (ASKER, ANSWERS, ENDED, PASSED, CONTINUES)
"""The headers by which a message belongs to a run; a resend to the same service keeps them."""

_HEX = frozenset("0123456789abcdef")

RESERVED = "junctor-"
"""Headers that begin so are the engine's own: nobody else may give them."""


def without_reserved(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that may come from anybody: a service that passes on those of its message passes on no more."""
    if not any(name[:8].lower() == RESERVED for name in headers):
        return headers
    return {name: text for name, text in headers.items() if name[:8].lower() != RESERVED}


class Kind(enum.IntEnum):
    """What a record stands for. The number is stored; never renumber.

    SEND, REQUEST and EVENT travel through a queue. REPLY answers a request. The others are first hops: they have no
    queue and no stored input, and exist so that a session begins somewhere.
    """

    SEND = 0
    REQUEST = 1
    REPLY = 2
    EVENT = 3
    TICK = 4
    ROUTE = 5
    ACTION = 6


class Status(enum.IntEnum):
    """Where a record is. The number is stored; never renumber. Below DONE it is still owed to a handler.

    READY waits for a free slot. CLAIMED was handed out: after an unclean stop it is a suspect. WAITING has a due time
    (delayed send or retry). DONE, EXPIRED and FAILED (a first hop that raised) are final. PARKED was put aside with its
    error until an operator decides: then it is RESENT, a new message in its place carries on, or DISCARDED. BEGUN has
    left the queue and a run goes on that began with it: it ends as DONE or FAILED when that has its result.
    """

    READY = 0
    CLAIMED = 1
    WAITING = 2
    DONE = 3
    PARKED = 4
    EXPIRED = 5
    FAILED = 6
    RESENT = 7
    DISCARDED = 8
    BEGUN = 9


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=False):
    """A frozen envelope around a typed body.

    ``seq`` numbers the records of a node in the order of acceptance; ``id`` is it with the node's name in front, unique
    over all nodes. ``session`` (128 bits) follows a message through all hops and serves as a W3C trace id. ``cause`` is
    the ``seq`` of the hop that made this message, 0 for none. ``origin`` identifies the act of sending: cause, counter
    and a hash of target, type and body, or an idempotency key; the same origin is accepted once. Times are nanoseconds
    since 1970 (UTC), 0 where there is none: ``due`` is the earliest delivery, ``deadline`` ends a request.
    ``headers`` are text to text and readable without decoding the body.

    ``payload`` is the body as it is carried: the object itself where the transport passes frozen bodies by reference,
    else its JSON encoding as ``bytes``.
    """

    seq: int
    node: str
    session: int
    kind: Kind
    source: str
    target: str
    type: str
    payload: Any
    time: int
    cause: int = 0
    version: int = 1
    key: str | None = None
    deadline: int = 0
    due: int = 0
    origin: bytes | None = None
    headers: Mapping[str, str] = NO_HEADERS

    @classmethod
    def example(cls, body: Any = None, **fields: Any) -> Self:
        """A message with this body, for a unit test of a handler: ``service.message = Message.example(Order(7))``.

        :param fields: any field of the envelope: ``seq=7``, ``source="shop/counter"``, ``headers={"who": "me"}``.
        """
        from junctor.messages.types import is_body_class, type_name

        kind = type(body) if is_body_class(type(body)) else Any
        usual: dict[str, Any] = {
            "seq": 1,
            "node": "example",
            "session": 1,
            "kind": Kind.SEND,
            "source": "example/client",
            "target": "example/service",
            "type": type_name(kind),
            "payload": body,
            "time": time.time_ns(),
        }
        return cls(**(usual | fields))

    @property
    def id(self) -> str:
        return f"{self.node}-{self.seq}"

    @property
    def effect(self) -> str:
        """The key under which an effect outside counts once: the id of the message, or of the one that it is a resend
        of, unless the operator wanted the effect again. For idempotency keys of other systems."""
        return self.headers.get(EFFECT) or self.id

    @property
    def repeats(self) -> str:
        """The id of the message whose effect this one has: that it is a resend of, or that an earlier delivery sent at
        the same place. Empty for nearly every message."""
        effect = self.headers.get(EFFECT, "")
        return effect and self.headers.get(RESEND_OF, effect)

    @property
    def session_id(self) -> str:
        return session_text(self.session)

    @property
    def body(self) -> Any:
        """The body as an object, or as plain JSON values where only its encoding is at hand."""
        return msgspec.json.decode(self.payload) if type(self.payload) is bytes else self.payload

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(self.time / 1e9, UTC)


def session_text(session: int) -> str:
    """32 hexadecimal digits, the form of a W3C trace id."""
    return f"{session:032x}"


def session_called(name: str) -> int:
    """The session that has a name of its own in another system, as a correlation id: 32 hexadecimal digits, with dashes
    or without, are the session itself; of any other text one is made, always the same."""
    digits = name.replace("-", "").lower()
    if len(digits) == 32 and not set(digits) - _HEX and (found := int(digits, 16)):
        return found
    return int.from_bytes(sha256(name.encode("utf-8", "surrogatepass")).digest()[:16], "big") or 1


def parse_id(text: str) -> tuple[str, int]:
    """Node name and sequence number of a message id; the node is empty when only the number is given.

    :raises ValueError: the text is not an id.
    """
    node, dash, seq = text.rpartition("-")
    if not (seq.isascii() and seq.isdigit()) or (dash and not node):
        raise ValueError(f"{text!r} is not a message id: it looks like a1b2c3d4e5f6-42, or 42 within one node")
    return node, int(seq)
