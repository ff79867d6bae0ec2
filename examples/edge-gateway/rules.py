"""The rules of the gateway. A service of Junctor's own, between those of microServiceBus."""

from __future__ import annotations

from dataclasses import dataclass

from junctor import Service, Target, handler, setting


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float
    unit: str
    time: float


@dataclass(frozen=True)
class Alarm:
    sensor: str
    alarm: str
    time: float


@dataclass(frozen=True)
class Pace:
    seconds: float


class Rules(Service):
    """Tells when a sensor comes above its limit or back below it, and has it read faster meanwhile."""

    alarms: Target[Alarm]
    pace: Target[Pace]
    limits: dict[str, float] = setting({"cpu": 90.0, "memory": 90.0, "disk": 90.0}, doc="By sensor")
    slow: float = setting(2.0, gt=0, unit="s", doc="From one reading to the next")
    fast: float = setting(0.5, gt=0, unit="s", doc="The same while a sensor is above its limit")

    @handler
    async def on_reading(self, reading: Reading) -> None:
        limit = self.limits.get(reading.sensor)
        if limit is None or (reading.value > limit) == self.state.get("above", False):
            return
        above = self.state["above"] = reading.value > limit  # kept with what is sent below, or not at all
        text = f"{reading.value:g} is {'above' if above else 'below'} {limit:g} {reading.unit}"
        self.log.warning("%s: %s", reading.sensor, text)
        await self.alarms.send(Alarm(reading.sensor, text, reading.time))
        await self.pace.send(Pace(self.fast if above else self.slow))
