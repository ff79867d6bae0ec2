"""What tests of services share: a flow of them, and what they have noted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from junctor.dialects.microservicebus import CustomService, QueueMessage

PATIENCE = 20.0


class Notes(list[Any]):
    """What services have done, from any thread; tests wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def note(self, value: Any) -> None:
        with self._lock:
            self.append(value)

    async def until(self, met: Callable[[Notes], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not met(self):
                await asyncio.sleep(0.005)

    async def count(self, number: int) -> None:
        await self.until(lambda notes: len(notes) >= number)


def receiver(notes: Notes, name: str = "Receiver") -> type[CustomService]:
    """A class that notes what its ``Process`` gets."""

    async def process(self: CustomService, message: QueueMessage) -> None:
        notes.note(message)

    return type(name, (CustomService,), {"Process": process, "__module__": __name__})
