"""How a crowd of messages is sent again: in batches that grow while they succeed, and no further once too many fail.

One message first, as a canary in a roll-out, because what parked a thousand messages may still be there. The retry
groups of ServicePulse and a shovel of RabbitMQ send all at once.
"""

from __future__ import annotations

import msgspec

SIZES = (1, 5, 20, 100)
"""Messages of the first batches; all further ones are as large as the last of these."""

SLICES = 20
"""Parts of a second in which messages are sent when a rate is given."""

RATE = 1e9
"""Messages a second that a rate stays below."""

STOP_AT = 0.2
"""The share of failures that is borne where nobody says another one."""


class Tally(msgspec.Struct):
    """What came of messages that were sent again."""

    handled: int = 0
    failed: int = 0

    @property
    def share(self) -> float:
        """Of all that ended, those that failed: 0 to 1."""
        return self.failed / max(1, self.handled + self.failed)

    def add(self, other: Tally) -> None:
        """Count what came of others too."""
        self.handled += other.handled
        self.failed += other.failed


def batch_size(number: int) -> int:
    """Messages of a batch.

    :param number: of the batch, from 0.
    """
    return SIZES[min(number, len(SIZES) - 1)]


def reason_to_stop(batch: Tally, whole: Tally, stop_at: float) -> str:
    """Why the next batch is not to be sent; empty when it may be.

    :param batch: of the last batch alone, ``whole`` of all so far.
    :param stop_at: the share of failures that is still borne: 0 to 1.
    """
    for tally, what in ((batch, "of the last batch"), (whole, "so far")):
        if tally.share > stop_at:
            return f"{tally.failed} of {tally.handled + tally.failed} {what} failed, more than {stop_at:.0%}"
    return ""


def slice_size(rate: float) -> int:
    """How many messages are sent at once under a rate (messages a second); 0 is no rate: a batch at once."""
    return max(1, int(rate / SLICES)) if rate else SIZES[-1]


def free_at(before: float, now: float, count: int, rate: float) -> float:
    """When the next message may be sent, in seconds of the same clock. What was not sent in time is not made up for:
    a rate is what the other side bears at any moment.

    :param before: what this said last; ``count`` messages are sent ``now``.
    :param rate: messages a second, 0 for any.
    """
    return max(before, now) + count / rate if rate else now
