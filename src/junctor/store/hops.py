"""The checksum of what changes of a record.

The checksum of a message covers what never changes. One flipped bit in the status of its hop would turn a message that
waits into one that is done: dropped, and nobody told. So number, status, attempt and due time have a checksum too: a
sum modulo a prime, which every flipped bit changes and which SQL can compute, for millions of hops in a blink, and
change along with the status of a hop without looking at the rest of it.
"""

from __future__ import annotations

from junctor.messages import Status

PRIME = 32749
"""The largest one of 15 bits, so that the checksum takes two bytes."""

_STATUS, _ATTEMPT, _DUE = 7919, 6491, 15413


def hop_checksum(seq: int, status: int, attempt: int, due: int) -> int:
    """The checksum of a hop: 0 to ``PRIME - 1``."""
    return (seq + _STATUS * status + _ATTEMPT * attempt + _DUE * due) % PRIME


def checksum_of(seq: str, status: str, attempt: str, due: str) -> str:
    """The same as an SQL expression of these expressions."""
    return (
        f"({seq} % {PRIME} + {_STATUS} * ({status} % {PRIME}) + {_ATTEMPT} * ({attempt} % {PRIME})"
        f" + {_DUE} * ({due} % {PRIME})) % {PRIME}"
    )


def set_status(status: Status) -> str:
    """The assignments of an UPDATE that change nothing but the status. A checksum that was wrong stays wrong."""
    change = f"checksum + {_STATUS} * ({status:d} - status % {PRIME}) % {PRIME} + {PRIME}"  # never below zero
    return f"status = {status:d}, checksum = ({change}) % {PRIME}"


IS_SOUND = f"checksum = {checksum_of('seq', 'status', 'attempt', 'due')}"
"""The condition that a hop is as it was written."""
