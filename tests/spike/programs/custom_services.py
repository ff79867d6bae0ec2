"""Two microServiceBus services of the pages that talk, and one that blocks for ever."""
# ruff: noqa: UP008

import asyncio
import threading
import time
from typing import Any

from tests.spike.dialects.base_service import CustomService

SEEN: list[tuple[str, str, str, Any]] = []
RELEASED = threading.Event()


class Sender(CustomService):
    def __init__(self, id, queue, config):
        super(Sender, self).__init__(id, queue, config)
        self.pin = self.GetPropertyValue("static", "gpio_pin")

    async def Start(self):
        try:
            await self.Debug("Started")
            while True:
                await asyncio.sleep(0.01)
        except Exception as ex:
            await self.Debug(f"Failed to start: {ex}")

    async def Stop(self):
        SEEN.append((self.id, "Stop", "", None))

    async def Process(self, message):
        SEEN.append((self.id, message.action, message.source, message.message))
        await self.SubmitAction("Receiver_py", "some_method", {"id": 42, "pin": self.pin})
        await self.SubmitAction("*", "announced", {"text": message.message[0]["request_string"]})
        await self.SubmitAction("nobody_py", "Process", {})


class Receiver(CustomService):
    async def some_method(self, message):
        SEEN.append((self.id, message.action, message.source, message.message))
        await self.SubmitAction("test", "action", "hello world")

    async def announced(self, message):
        SEEN.append((self.id, message.action, message.source, message.message))


class Stubborn(CustomService):
    """Its Start blocks the thread and never ends."""

    async def Start(self):
        SEEN.append((self.id, "Start", "", None))
        while not RELEASED.is_set():
            time.sleep(0.02)
