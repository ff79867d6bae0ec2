"""Services of microServiceBus as its users write them; they run on either system. What they see is in ``MEASURED``."""

import asyncio
import threading
import time
from pathlib import Path

from base_service import CustomService

TEXT = "x" * 492  # with its names and times a message encodes to about 512 bytes
LOOK = 0.001  # seconds between two looks


class Measured:
    """What has arrived: when it began, and how long each message was on its way, in seconds."""

    def __init__(self):
        self.handled = 0
        self.started = 0
        self.waits = []
        self.begun = 0.0
        self.end = 0.0
        self.done = threading.Event()

    def begin(self):
        self.waits.clear()
        self.begun = time.perf_counter()

    def finish(self):
        self.end = time.perf_counter()
        self.done.set()

    def figures(self):
        waits = sorted(self.waits)
        middle, most = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
        return {
            "rate": len(waits) / (self.end - self.begun),
            "p50_ms": 1000 * middle,
            "p99_ms": 1000 * most,
            "worst_ms": 1000 * waits[-1],
        }


MEASURED = Measured()


class Receiver(CustomService):
    async def Process(self, message):
        body = message.message[0]
        MEASURED.waits.append(time.perf_counter() - body["at"])
        MEASURED.handled += 1


class Sender(CustomService):
    """Submits messages from several tasks, each when its last one is accepted: first some that do not count."""

    async def Start(self):
        await self._burst(self.GetPropertyValue("static", "warm_up"))
        MEASURED.begin()
        await self._burst(self.GetPropertyValue("static", "messages"))
        MEASURED.finish()

    async def _burst(self, number):
        tasks = self.GetPropertyValue("static", "tasks")
        until = MEASURED.handled + max(1, number // tasks) * tasks
        await asyncio.gather(*(self._submit(max(1, number // tasks)) for _ in range(tasks)))
        while MEASURED.handled < until:
            await asyncio.sleep(LOOK)

    async def _submit(self, number):
        pause = self.GetPropertyValue("static", "pause")
        for _ in range(number):
            await self.SubmitAction("receiver_py", "Process", {"at": time.perf_counter(), "text": TEXT})
            if pause:
                await asyncio.sleep(pause)


class Crowd(CustomService):
    """One of several senders: each begins when all have sent what does not count."""

    async def Start(self):
        senders = self.GetPropertyValue("static", "senders")
        await self._submit(self.GetPropertyValue("static", "warm_up") // senders)
        MEASURED.started += 1
        while MEASURED.started < senders or not MEASURED.begun:
            await asyncio.sleep(LOOK)
        await self._submit(self.GetPropertyValue("static", "messages") // senders)

    async def _submit(self, number):
        for _ in range(number):
            await self.SubmitAction("receiver_py", "Process", {"at": time.perf_counter(), "text": TEXT})


class Starter(CustomService):
    """Lets the crowd go when all that does not count has arrived, and ends when all has."""

    async def Start(self):
        senders = self.GetPropertyValue("static", "senders")
        before = self.GetPropertyValue("static", "warm_up") // senders * senders
        while MEASURED.started < senders or MEASURED.handled < before:
            await asyncio.sleep(LOOK)
        MEASURED.begin()
        until = before + self.GetPropertyValue("static", "messages") // senders * senders
        while MEASURED.handled < until:
            await asyncio.sleep(LOOK)
        MEASURED.finish()


class Echo(CustomService):
    async def Process(self, message):
        await self.SubmitAction(message.source, "Process", message.message[0])


class Asker(CustomService):
    """Sends a message, and the next one when it came back."""

    async def Start(self):
        self._back = asyncio.Event()
        await self._ask(self.GetPropertyValue("static", "warm_up"))
        MEASURED.begin()
        await self._ask(self.GetPropertyValue("static", "messages"))
        MEASURED.finish()

    async def _ask(self, number):
        for _ in range(number):
            self._back.clear()
            await self.SubmitAction("echo_py", "Process", {"at": time.perf_counter(), "text": TEXT})
            await self._back.wait()

    async def Process(self, message):
        MEASURED.waits.append(time.perf_counter() - message.message[0]["at"])
        self._back.set()


class Resting(CustomService):
    """One of many that have nothing to do. The last one that starts makes a file."""

    async def Start(self):
        MEASURED.started += 1
        if MEASURED.started == self.GetPropertyValue("static", "services"):
            Path(self.GetPropertyValue("static", "mark")).touch()
