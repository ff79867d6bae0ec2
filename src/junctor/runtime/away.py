"""Ticks and ``loop()`` of a service while the other side is away: told once at the begin and once at the end, tried
again in between."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from junctor.clock import SECOND, Timer
from junctor.core.outage import LOOP, Outage
from junctor.core.outcome import Failure
from junctor.runtime.pending import resolve

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.runtime")

FOR_EVER = 30 * 86_400.0
"""Seconds: what waits for so long waits for a person."""


class Away:
    """The outages of one host. They are kept in its inbox, so a service that starts again, or is changed, goes on with
    them; only what waits for the next try is of this host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._outages = host.inbox.outages
        self._waiting: dict[str, tuple[asyncio.Future[None], float]] = {}

    def begin(self) -> None:
        """The service starts: what it has no entry for any more cannot be away."""
        spec = self._host.spec
        self._outages.keep({*(schedule.name for schedule in spec.schedules), *((LOOP,) if spec.main else ())})

    def met(self, entry: str, failure: Failure) -> bool:
        """Whether a failure is an outage by the policies of the service; then it is told, where it begins."""
        host, outages = self._host, self._outages
        before, away = outages.of(entry), outages.away
        outage = outages.met(entry, failure, host.spec.policies, host.engine.clock.time_ns())
        if outage is None:
            return False
        if outage.rests and (before is None or not before.rests):
            log.info("%s rests: %s", host.address, outage.error, extra=host.named)
        if away is None and not outage.rests:
            self._tell_begin(outage)
        elif away is not None and outages.away is None:
            self._tell_end(away)
        return True

    def reached(self) -> None:
        """``loop()`` says that it has reached the other side."""
        self.over(LOOP, proven=False)

    def over(self, entry: str, proven: bool = True) -> None:
        """The other side was there for this entry.

        :param proven: as of :meth:`Outages.end`.
        """
        away = self._outages.away
        ended = self._outages.end(entry, self._host.engine.clock.time_ns(), proven)
        if ended is None:
            return
        if away is not None and self._outages.away is None:
            self._tell_end(ended)
        if entry in self._waiting:  # it got through by hand
            resolve(self._waiting[entry][0], None)

    def lasts(self, entry: str) -> bool:
        return self._outages.of(entry) is not None

    async def wait(self, entry: str) -> None:
        """Until the entry is to be tried again; not when the service is asked to stop, ``loop()`` not when it is to
        rest."""
        host, outage = self._host, self._outages.of(entry)
        if outage is None or host.stopping.is_set() or (entry is LOOP and host.resting.is_set()):
            return
        clock = host.engine.clock
        woken = asyncio.get_running_loop().create_future()
        timer = clock.call_later(outage.wait, lambda: resolve(woken, None))
        self._waiting[entry] = woken, clock.monotonic() + outage.wait
        sleepers = (host.sleepers, host.own_sleepers) if entry is LOOP else (host.sleepers,)
        for those in sleepers:
            those.add(woken)
        try:
            await woken
        finally:
            timer.cancel()
            del self._waiting[entry]
            for those in sleepers:
                those.discard(woken)

    def try_now(self) -> bool:
        """Let what waits be tried at once. False where nothing does."""
        waiting = [woken for woken, _ in self._waiting.values() if not woken.done()]
        for woken in waiting:
            resolve(woken, None)
        return bool(waiting)

    def calm(self) -> Timer | None:
        """A timer for a ``loop()`` that begins: one that runs for ``hold.max`` has reached the other side, also where
        it does not say so. None where that is known."""
        if self._outages.reached and not self.lasts(LOOP):
            return None
        return self._host.engine.clock.call_later(self._host.spec.policies.hold.max, lambda: self.over(LOOP))

    # What is shown ------------------------------------------------------------------------------------------

    @property
    def outage(self) -> Outage | None:
        """The one to show."""
        return self._outages.first

    @property
    def known(self) -> bool:
        """Whether it is known how the other side is: an entry has been there, or the service has none to be tried."""
        spec = self._host.spec
        return self._outages.reached or not (spec.schedules or spec.main)

    @property
    def until_try(self) -> float | None:
        """Seconds until the next try; None where nothing waits for one."""
        if not self._waiting:
            return None
        return max(0.0, min(at for _, at in self._waiting.values()) - self._host.engine.clock.monotonic())

    def _tell_begin(self, outage: Outage) -> None:
        host = self._host
        at = f"next try in {outage.wait:.1f} s" if outage.wait < FOR_EVER else f"junctor resume {host.service}"
        text = f"{host.address}: the other side is away: {outage.error}"
        log.warning("%s; %s", text.rstrip("."), at, extra=host.named)
        host.alert("away", text)

    def _tell_end(self, outage: Outage) -> None:
        host = self._host
        seconds = (host.engine.clock.time_ns() - outage.since) / SECOND
        text = f"{host.address}: the other side is back after {seconds:.0f} s"
        log.info("%s", text, extra=host.named)
        host.alert("back", text)
