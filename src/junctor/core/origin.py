"""The origin of a message: 16 bytes that say which act of sending it is. The same origin is accepted once."""

from __future__ import annotations

from hashlib import blake2b

PLACE = 8
"""How many bytes of an origin say which send of a delivery it is, whatever was sent."""


def origin_of(cause: str, counter: int, target: str, type_name: str, payload: bytes) -> bytes:
    """The origin of the ``counter``-th send of a delivery to a target: the counter (4 bytes), then a hash of the target
    (4 bytes) and one of everything (8 bytes).

    A handler that runs again makes the same origins as long as it sends the same; other content under the same counter
    is another origin, so it is a new message and never dropped. Each target is counted for itself: where a target leads
    to one service more, or to one less, the other sends of a delivery that is repeated are still recognized.

    :param cause: id of the message being handled.
    """
    text = f"{cause}\0{target}\0{type_name}\0".encode()
    return place_of(counter, target) + blake2b(text + payload, digest_size=8).digest()


def place_of(counter: int, target: str) -> bytes:
    """The begin of an origin: which send of a delivery to a target it is."""
    return counter.to_bytes(4, "big") + blake2b(target.encode(), digest_size=4).digest()


def origin_after(origin: bytes, seq: int) -> bytes:
    """The origin of a request that is made anew, because message ``seq`` with this origin expired undelivered."""
    again = blake2b(origin + seq.to_bytes(8, "big"), digest_size=8, person=b"expired").digest()
    return origin[:PLACE] + again


def same_place(origin: bytes, other: bytes) -> bool:
    """Whether two origins of a delivery are those of the same send to the same target."""
    return origin[:PLACE] == other[:PLACE]


def origin_of_key(target: str, idempotency_key: str) -> bytes:
    """The origin of a send with an idempotency key of its caller: counter 0, then a hash of target and key."""
    return bytes(4) + blake2b(f"{target}\0{idempotency_key}".encode(), digest_size=12, person=b"key").digest()
