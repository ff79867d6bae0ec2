"""One instance of a service, from its constructor on, with its event loop and its queue."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from junctor.dialects.microservicebus.hosting.loop import ServiceLoop
from junctor.dialects.microservicebus.hosting.queue import ServiceQueue
from junctor.dialects.microservicebus.services import BaseService

if TYPE_CHECKING:
    from junctor.core.port import Port
    from junctor.dialects.microservicebus.hosting.bus import Bus


class Life:
    """An instance. Each has a loop and a queue of its own: what the one before has left blocked, spinning or waiting
    holds up nothing of the next one, and sends nothing beside it."""

    def __init__(self, port: Port, address: str) -> None:
        self.port = port
        self.loop = ServiceLoop(f"{address} loop", self._told_blocked)
        self.queue: ServiceQueue
        self.service: BaseService
        self._blocked = False

    async def make(self, cls: type[BaseService], bus: Bus, config: Mapping[str, Any]) -> str:
        """Call the constructor, in the thread of the instance: it may block, and no loop runs yet, as there.
        Returns the id that the instance has given itself."""
        name = self.port.service
        id = bus.join(name, cls)
        self.queue = ServiceQueue(self.port, bus, connects=name in bus.classes)

        def construct_it() -> None:
            self.service = construct(cls, id, self.queue, config)

        await self.loop.open(construct_it)
        own = getattr(self.service, "id", id)
        own = own if isinstance(own, str) else id
        bus.claim(name, own)
        return own

    def retire(self) -> None:
        """Another instance takes its place: its actions end, everything else of it is cancelled."""
        self.queue.ending.over = True
        self.loop.retire()

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


async def has_ended(task: asyncio.Task[Any], seconds: float, poll: float = 0.05) -> bool:
    """Whether a task, perhaps of a loop that is blocked, ends in time."""
    if task.get_loop() is asyncio.get_running_loop():
        await asyncio.wait([task], timeout=seconds)
    else:
        for _ in range(int(seconds / poll)):
            if task.done():
                break
            await asyncio.sleep(poll)
    return task.done()
