"""Alert records of parked messages: one for each new kind of failure at once, then a count in a while."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from junctor.core.records import AlertRecord

PAUSE = 60.0
"""Seconds between two records of one service and one kind of failure."""

KINDS = 1000
"""Kinds of failure that are remembered."""


class _Since(msgspec.Struct):
    monotonic: float
    time: int
    more: int = 0


class ParkedAlerts:
    """Says which parked messages are worth a record: a thousand failures a second are one, and then one a minute.

    :param monotonic: seconds of a clock that nobody sets.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: dict[tuple[str, str, str], _Since] = {}

    def of(self, now: int, service: str, kind: str, fingerprint: str, text: str, seq: int) -> AlertRecord | None:
        """The record of a message that is parked now, None where an earlier one has told of its like.

        :param kind: the class of the error, with its ``fingerprint`` the place in the code.
        :param text: what to say of this message.
        """
        key = (service, kind, fingerprint)
        since = self._known.get(key)
        moment = self._monotonic()
        if since is not None and moment - since.monotonic < PAUSE:
            since.more += 1
            return None
        self._known.pop(key, None)
        if len(self._known) >= KINDS:
            del self._known[next(iter(self._known))]
        self._known[key] = _Since(moment, now)
        if since is not None and since.more:
            text = f"{since.more} more with this error since the last one; {text}"
        return AlertRecord(now, "parked", service, text, f"junctor trace {seq}", seq)
