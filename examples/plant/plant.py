"""A small plant: tanks that are read, an alarm, a history. What runs where is said in flow.yaml and in sites/."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal

from junctor import Service, Target, every, get, handler, setting

Unit = Literal["celsius", "fahrenheit"]


@dataclass(frozen=True)
class Reading:
    tank: str
    value: float
    time: float


@dataclass(frozen=True)
class Alert:
    tank: str
    text: str


class Tanks(Service):
    """Reads the tanks; here, a slow wave stands for the sensors."""

    readings: Target[Reading]
    tanks: list[str] = setting(["north", "south"], min_length=1, doc="Their names")
    unit: Unit = setting("celsius", doc="What is measured in")

    @every("1s")
    async def read(self) -> None:
        now = time.time()
        for number, tank in enumerate(self.tanks):
            celsius = 70 + 15 * math.sin(now / 30 + number)
            value = celsius if self.unit == "celsius" else celsius * 9 / 5 + 32
            await self.readings.send(Reading(tank, round(value, 1), round(now, 1)))


class Alarm(Service):
    """Gets the readings that the flow says are worth it, and tells once for each tank until it is well again."""

    alerts: Target[Alert]
    limit: float = setting(80.0, doc="Above it, it is too hot")

    @handler
    async def on_reading(self, reading: Reading) -> None:
        hot, known = reading.value > self.limit, self.state.get("hot", False)
        if hot and not known:
            await self.alerts.send(Alert(reading.tank, f"{reading.value:g} is above {self.limit:g}"))
        if hot != known:
            self.state["hot"] = hot


class History(Service):
    """The newest reading of each tank."""

    @handler
    async def on_reading(self, reading: Reading) -> None:
        self.state["newest"] = [reading.time, reading.value]

    @get("/tanks/{tank}")
    async def newest(self, tank: str) -> list[float] | None:
        found: list[float] | None = self.state.of(tank).get("newest")
        return found


class Pager(Service):
    """Calls somebody. Without a token it only writes the alert into the log."""

    token: str = setting("", secret=True, doc="For the pager")
    site: str = setting("here", doc="Where this is")

    @handler
    async def on_alert(self, alert: Alert) -> None:
        way = "paged" if self.token else "nobody paged"
        self.log.warning("%s %s: %s (%s)", self.site, alert.tank, alert.text, way)
