"""The sensors of this machine. A service of microServiceBus, as it would run there."""

import asyncio
import time

import psutil
from base_service import CustomService


class Sensors(CustomService):
    def __init__(self, id, queue, config):
        super().__init__(id, queue, config)
        self.interval = float(self.GetPropertyValue("static", "interval"))
        self.disk = self.GetPropertyValue("static", "disk")
        self.run, self.number = round(time.time(), 3), 0

    async def Start(self):
        await self.Debug(f"Reading every {self.interval:g} s")
        while True:
            for sensor, value, unit in self.read():
                self.number += 1
                await self.SubmitMessage(
                    {
                        "run": self.run,
                        "number": self.number,
                        "sensor": sensor,
                        "value": round(value, 1),
                        "unit": unit,
                        "time": round(time.time(), 3),
                    }
                )
            await asyncio.sleep(self.interval)

    async def Process(self, message):
        """Read faster, or slower again: what the rules send."""
        self.interval = message.message[0]["seconds"]
        await self.Warning(f"Reading every {self.interval:g} s from now on")

    async def StateUpdate(self, state):
        await self.Debug(f"The cloud wants {state.message[0]}")

    def read(self):
        # This blocks for a tenth of a second, in a coroutine: other services do not wait for it.
        yield "cpu", psutil.cpu_percent(interval=0.1), "percent"
        yield "memory", psutil.virtual_memory().percent, "percent"
        yield "disk", psutil.disk_usage(self.disk).percent, "percent"
        for chip, found in getattr(psutil, "sensors_temperatures", dict)().items():
            yield f"temperature-{chip}", found[0].current, "Celsius"
