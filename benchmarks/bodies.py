"""Message bodies shared by both sides of every job, so that neither side has the cheaper message."""

from __future__ import annotations

from dataclasses import dataclass

PAYLOAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Ping:
    n: int


@dataclass(frozen=True, slots=True)
class Pong:
    n: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Encodes to about ``PAYLOAD_BYTES``: the text and a few bytes of framing."""

    text: str


SAMPLE = Sample("x" * (PAYLOAD_BYTES - len('{"text":""}')))
