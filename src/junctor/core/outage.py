"""When the ticks and the ``loop()`` of a service find the other side away: for how long, and when it is tried again.

Pure, as the decisions about messages are. There is no message to hold here, so each entry has an outage of its own; the
service goes on with everything else.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from junctor.clock import SECOND
from junctor.core.alarm import CALM
from junctor.core.outcome import Failure, Settlement, is_rest
from junctor.core.policy import Policies
from junctor.core.retry import decide

LOOP = "loop()"
"""The entry that ``loop()`` is here; no schedule can have the name."""

SHORTEST = 0.05
"""Seconds between two tries at least, whatever an exception asks for."""


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry has met. ``since`` and ``over`` in nanoseconds since 1970, ``over`` None while it lasts; ``tries``
    in vain, and the ``wait`` in seconds before the next. ``rests``: it is planned, and alarms nobody."""

    error: str
    since: int
    tries: int
    wait: float
    rests: bool = False
    over: int | None = None

    @property
    def note(self) -> str:
        """What is shown of it: ``away: ConnectionError: nobody there``; of a rest its reason."""
        return self.error if self.rests else f"away: {self.error}"


class Outages:
    """Those of one service, by entry. ``reached``: an entry came to its end with the other side there, since the node
    started."""

    def __init__(self) -> None:
        self.reached = False
        self._known: dict[str, Outage] = {}

    def met(
        self, entry: str, failure: Failure, policies: Policies, now: int, chance: float | None = None
    ) -> Outage | None:
        """The outage that a failure is by the policies; None where it is none.

        One that comes again soon after an end that was not proven goes on with its waits: a side that cuts every
        connection as soon as it is made is tried ever more rarely, like one that makes none.
        """
        known = self._known.get(entry)
        again = known is not None and (known.over is None or now - known.over < CALM * SECOND)
        tries = known.tries if known is not None and again else 0
        settlement, wait = decide(failure, policies.retry, policies.hold, 1, tries, chance)
        if settlement is not Settlement.HOLD:
            return None
        rests = is_rest(failure)
        lasting = known is not None and known.over is None and known.rests is rests
        outage = self._known[entry] = Outage(
            error=failure.text if rests else f"{failure.type}: {failure.text}",
            since=known.since if known is not None and lasting else now,
            tries=tries + 1,
            wait=max(wait, SHORTEST),
            rests=rests,
        )
        return outage

    def end(self, entry: str, now: int, proven: bool = True) -> Outage | None:
        """The other side was there for this entry: the outage that is over by that, if one lasted.

        :param proven: its work came to an end, or goes on for long; not that it has only begun.
        """
        self.reached = True
        known = self._known.get(entry)
        if known is None:
            return None
        if proven:
            del self._known[entry]
        elif known.over is None:
            self._known[entry] = msgspec.structs.replace(known, over=now)
        return known if known.over is None else None

    def of(self, entry: str) -> Outage | None:
        """The one that lasts."""
        known = self._known.get(entry)
        return known if known is not None and known.over is None else None

    def keep(self, entries: Collection[str]) -> None:
        """Forget those of other entries: the service has them no more."""
        self._known = {entry: outage for entry, outage in self._known.items() if entry in entries}

    @property
    def first(self) -> Outage | None:
        """The one that lasts longest, a rest only where there is nothing else."""
        lasting = [outage for outage in self._known.values() if outage.over is None]
        return min(lasting, key=lambda outage: (outage.rests, outage.since), default=None)

    @property
    def away(self) -> Outage | None:
        """The first that is not planned."""
        first = self.first
        return first if first is not None and not first.rests else None
