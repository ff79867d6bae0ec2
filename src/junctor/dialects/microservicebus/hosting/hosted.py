"""A service of microServiceBus in its node: made, started, stopped, and started again."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Mapping
from typing import Any

from junctor.core.spec import Context, service_address
from junctor.dialects.microservicebus.hosting.actions import whole
from junctor.dialects.microservicebus.hosting.bus import Bus, bus_of
from junctor.dialects.microservicebus.hosting.loop import PATIENCE, ServiceLoop
from junctor.dialects.microservicebus.hosting.queue import ServiceQueue
from junctor.dialects.microservicebus.hosting.work import Work
from junctor.dialects.microservicebus.services import BaseService
from junctor.runtime.threads import CallThreads

START_TIME, STOP_TIME = 2.0, 3.0
"""Seconds that ``Start`` has to end when it is cancelled, and ``Stop`` for what it does."""

END_TIME = PATIENCE + START_TIME + STOP_TIME

_POLL = 0.05

LONG = 3600.0


class Hosted:
    """One instance from its constructor to its end. ``loop`` is the event loop of its code, in a thread of its own;
    ``threads`` run its actions that are plain functions."""

    def __init__(self, cls: type[BaseService], config: Mapping[str, Any], context: Context) -> None:
        self.port = context.port
        self.address = service_address(context.flow, context.service)
        self.bus: Bus
        self.id: str
        self.queue: ServiceQueue
        self.loop = ServiceLoop(f"{self.address} loop", self._told_blocked)
        self.threads = CallThreads(self.address)
        self.service: BaseService
        self._cls = cls
        self._config = config
        self._blocked = False
        self._end: Work | None = None

    async def make(self) -> None:
        """Join the bus, which is there once the service is one of the node, and call the constructor, in the thread of
        the service: it may block, and no loop runs yet, as there."""
        flow, name = self.port.flow, self.port.service
        self.bus = bus_of(flow, name)
        self.id = self.bus.join(name, self._cls)
        self.queue = ServiceQueue(self.port, self.bus, connects=name in self.bus.classes)
        await self.loop.open(self._construct)
        own = getattr(self.service, "id", self.id)
        if isinstance(own, str) and own != self.id:
            self.id = own
            self.bus.claim(self.port.service, own)

    def _construct(self) -> None:
        self.service = construct(self._cls, self.id, self.queue, self._config)

    async def live(self) -> None:
        """``Start``, once; then rest until the service stops or is paused. ``Stop`` is called at the end of either."""
        await self._until_end()
        self._end = self.queue.over = None
        if not await self.bus.follow(self.port.service):
            return
        start = self.loop.begin(self._start, (), None, lasts=True)
        try:
            await asyncio.shield(start.future)
            while not self.port.stopping:
                await self.port.sleep(LONG)
        finally:
            self._begin_end(start)

    async def _start(self) -> None:
        self.service.task = asyncio.current_task()
        await whole(self.service.Start())

    def _begin_end(self, start: Work) -> None:
        self.loop.cancel(start)
        start.future.add_done_callback(_looked_at)
        self.queue.over = start.task
        self._end = self.loop.begin(self._stop, (start.task,), None)
        self._end.future.add_done_callback(_looked_at)

    async def _stop(self, start: asyncio.Task[Any] | None = None) -> None:
        """On a loop of the service: wait for ``Start``, then call ``Stop``."""
        if start is not None and not await _ended(start):
            self.port.log.error("Start does not end when it is cancelled; it is left behind")
        try:
            await whole(self.service.Stop())
        except Exception as error:
            self.port.log.error("Stop failed: %r", error, exc_info=error)

    async def close(self) -> None:
        """The end of the instance: what ``Stop`` does is waited for."""
        try:
            await self._until_end()
        finally:
            self.loop.close()
            self.threads.close()

    async def _until_end(self) -> None:
        """Wait for ``Stop``, where one is under way. What stops together has its time together."""
        if self._end is None:
            return
        await asyncio.wait([self._end.future], timeout=max(0.0, self._end.since + END_TIME - time.monotonic()))
        if not self._end.future.done():
            self.port.log.error("Stop does not return; it is left behind")
            self.loop.cancel(self._end)

    def _told_blocked(self) -> None:
        """Once; it may block again and again."""
        if self._blocked:
            return
        self._blocked = True
        self.port.log.warning(
            "code of the service blocks its event loop; what waits is done by a second one (use await in place of "
            "time.sleep and the like)"
        )


def construct(cls: type[BaseService], id: str, queue: ServiceQueue, config: Mapping[str, Any]) -> BaseService:
    """A service, with the arguments that its constructor takes."""
    if takes_config(cls):
        made: BaseService = cls(id, queue, config)  # type: ignore[call-arg]
        return made
    return cls(id, queue)


def takes_config(cls: type[BaseService]) -> bool:
    """Whether the constructor has a third argument, as that of custom services."""
    if cls.__init__ is BaseService.__init__:
        return False
    try:
        inspect.signature(cls).bind("", None, {})
    except TypeError:
        return False
    return True


async def _ended(task: asyncio.Task[Any]) -> bool:
    """Whether a task, perhaps of a loop that is blocked, ends in time."""
    if task.get_loop() is asyncio.get_running_loop():
        await asyncio.wait([task], timeout=START_TIME)
    else:
        for _ in range(int(START_TIME / _POLL)):
            if task.done():
                break
            await asyncio.sleep(_POLL)
    return task.done()


def _looked_at(future: asyncio.Future[Any]) -> None:
    """What it raised was told, or is the cancellation."""
    if not future.cancelled():
        future.exception()
