"""A service of microServiceBus in its node: made, started, stopped, and started again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from junctor.core.spec import Context, service_address
from junctor.dialects.microservicebus.errors import StartFails
from junctor.dialects.microservicebus.hosting.actions import whole
from junctor.dialects.microservicebus.hosting.bus import Bus, bus_of
from junctor.dialects.microservicebus.hosting.life import Life, has_ended
from junctor.dialects.microservicebus.hosting.loop import PATIENCE
from junctor.dialects.microservicebus.hosting.spelling import tell_misspelled
from junctor.dialects.microservicebus.hosting.wanted import takes_state, tell_state
from junctor.dialects.microservicebus.hosting.work import Work
from junctor.dialects.microservicebus.services import BaseService
from junctor.runtime.threads import CallThreads

START_TIME, STOP_TIME = 2.0, 3.0
"""Seconds that ``Start`` has to end when it is cancelled, and ``Stop`` for what it does."""

END_TIME = PATIENCE + START_TIME + STOP_TIME

AGAIN, LONGEST_AGAIN = 1.0, 30.0
"""Seconds until a ``Start`` that goes on is cancelled again; each time twice as long."""

WORKS = 1.0
"""Seconds after which a ``Start`` that has failed before works."""

_POLL = 0.1

LONG = 3600.0


class Hosted:
    """A service from its first start to its end. ``life`` is the instance that works: each start makes one, as the
    usual code expects it, whose ``Stop`` ends the loop of ``Start`` by an attribute that the constructor sets.
    ``threads`` run its actions that are plain functions."""

    def __init__(self, cls: type[BaseService], config: Mapping[str, Any], context: Context) -> None:
        self.port = context.port
        self.address = service_address(context.flow, context.service)
        self.bus: Bus
        self.id: str
        self.threads = CallThreads(self.address)
        self.life = Life(self.port, self.address)
        self._cls = cls
        self._config = config
        self._end: Work | None = None
        self._untold: set[Work] = set()
        self._closed = False

    def at_home(self, call: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """See :meth:`ServiceLoop.at_home`."""
        return self.life.loop.at_home(call)

    async def make(self) -> None:
        """Join the bus, which is there once the service is one of the node, and make the first instance."""
        self.bus = bus_of(self.port.flow, self.port.service)
        self.id = await self.life.make(self._cls, self.bus, self._config)
        tell_misspelled(self._cls, self.port)

    @property
    def is_between(self) -> bool:
        """Whether ``Stop`` is called, or was: another instance follows, or none. Or ``Start`` has failed, and nobody
        knows yet whether it works this time."""
        return self._end is not None or self._fails

    @property
    def _fails(self) -> bool:
        return self.port.service in self.bus.failing

    async def current(self) -> Life:
        """The instance that takes a message. One that comes with the resuming waits for the new instance, and for
        ``Start`` where that has failed.

        :raises StartFails: it has failed again; the message waits on.
        """
        while self.is_between and not (self.port.stopping or self._closed):  # noqa: ASYNC110 - it is rare
            await asyncio.sleep(_POLL)
        if self._fails:
            raise StartFails(f"{self.address} has not started")
        return self.life

    async def live(self) -> None:
        """``Start``, once; then rest until the service stops or is paused. ``Stop`` is called at the end of either."""
        await self._until_end()
        if not await self.bus.follow(self.port.service):
            return
        if self._end is not None:
            await self._renew()
        life = self.life
        start = life.loop.begin(self._start, (life,), None, lasts=True)
        told = life.loop.begin(tell_state, (self, life), None, lasts=True) if takes_state(self._cls) else None
        works = asyncio.get_running_loop().call_later(WORKS, self.bus.failing.discard, self.port.service)
        try:
            await asyncio.shield(start.future)
            self.bus.failing.discard(self.port.service)
            while not self.port.stopping:
                await self.port.sleep(LONG)
        except Exception:
            self.bus.failing.add(self.port.service)
            raise
        finally:
            works.cancel()
            if told is not None:
                life.loop.cancel(told)
                told.future.add_done_callback(_looked_at)
            self._begin_end(life, start)

    async def _renew(self) -> None:
        """Another instance, when the service starts again. Where its constructor fails the service does."""
        life = Life(self.port, self.address)
        try:
            self.id = await life.make(self._cls, self.bus, self._config)
        except BaseException:
            life.loop.close()
            raise
        old, self.life, self._end = self.life, life, None
        old.retire()

    async def _start(self, life: Life) -> None:
        life.service.task = asyncio.current_task()
        await whole(life.service.Start())

    def _begin_end(self, life: Life, start: Work) -> None:
        life.loop.cancel(start)
        start.future.add_done_callback(_looked_at)
        life.queue.ending.start = start.task
        self._end = life.loop.begin(self._stop, (life, start), None, lasts=True)
        self._end.future.add_done_callback(_looked_at)
        self._untold.add(self._end)
        asyncio.get_running_loop().call_later(END_TIME, self._tell_end, life, self._end)
        asyncio.get_running_loop().call_later(START_TIME + AGAIN, self._cancel_again, life, start, AGAIN)

    async def _stop(self, life: Life, start: Work) -> None:
        """On a loop of the instance: wait for ``Start``, then call ``Stop``."""
        if start.task is not None and not await has_ended(start.task, START_TIME):
            self.port.log.error(
                "Start does not end when it is cancelled; it is left behind, and sends no more (it needs an await, and "
                "`except Exception` in place of `except`)"
            )
        try:
            await whole(life.service.Stop())
        except Exception as error:
            self.port.log.error("Stop failed: %r", error, exc_info=error)

    def _cancel_again(self, life: Life, start: Work, wait: float) -> None:
        """A ``Start`` that has caught its cancellation."""
        if start.task is None or start.task.done() or life.loop.closed:
            return
        life.loop.cancel(start)
        wait = min(wait * 2, LONGEST_AGAIN)
        asyncio.get_running_loop().call_later(wait, self._cancel_again, life, start, wait)

    async def close(self) -> None:
        """The end of the service: what ``Stop`` does is waited for."""
        try:
            await self._until_end()
        finally:
            self._closed = True
            self.life.loop.close()
            self.threads.close()

    async def _until_end(self) -> None:
        """Wait for ``Stop``, where one is under way. What stops together has its time together."""
        if self._end is None:
            return
        await asyncio.wait([self._end.future], timeout=max(0.0, self._end.since + END_TIME - time.monotonic()))
        self._tell_end(self.life, self._end)

    def _tell_end(self, life: Life, end: Work) -> None:
        """Its time is over."""
        if end not in self._untold:
            return
        self._untold.discard(end)
        if not end.future.done():
            self.port.log.error("Stop does not return; it is left behind")
            life.loop.cancel(end)


def _looked_at(future: asyncio.Future[Any]) -> None:
    """What it raised was told, or is the cancellation."""
    if not future.cancelled():
        future.exception()
