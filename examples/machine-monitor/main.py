"""Watches this machine: sensors, rules that keep the last hour, alerts in a file, a live page. One file, four services.

Start it with `junctor run examples/machine-monitor`, with `python main.py`, or with F5 in an editor.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import psutil

from junctor import Flow, Receipt, Service, Target, action, every, get, handler, run, setting
from junctor.http import Response, html

Sensor = Literal["cpu", "memory", "disk", "network"]


@dataclass(frozen=True)
class Reading:
    sensor: Sensor
    value: float
    time: float


@dataclass(frozen=True)
class Alert:
    sensor: Sensor
    text: str
    time: float


class Sensors(Service):
    """Reads the machine and sends what it finds."""

    readings: Target[Reading]  # connects by itself: one service of the flow handles Reading
    disk: Path = setting(Path("/"), doc="A folder on the disk to watch")

    @every("2s")
    def poll(self) -> None:  # a plain `def` runs in a thread, so it may block: here for a second
        before = psutil.net_io_counters()
        cpu = psutil.cpu_percent(interval=1)
        after = psutil.net_io_counters()
        network = (after.bytes_recv - before.bytes_recv + after.bytes_sent - before.bytes_sent) / 1e6
        memory, disk = psutil.virtual_memory().percent, psutil.disk_usage(str(self.disk)).percent
        found: dict[Sensor, float] = {"cpu": cpu, "memory": memory, "disk": disk, "network": round(network, 3)}
        for sensor, value in found.items():
            self.readings.send(Reading(sensor, value, round(time.time(), 1)))


class Rules(Service):
    """Keeps the last hour of each sensor, and tells when a value stays too high or rises too fast."""

    alerts: Target[Alert]
    cpu: float = setting(90.0, ge=0, le=100, unit="percent")
    memory: float = setting(90.0, ge=0, le=100, unit="percent")
    disk: float = setting(90.0, ge=0, le=100, unit="percent")
    network: float = setting(50.0, gt=0, unit="MB/s")
    rise: float = setting(70.0, gt=0, le=100, unit="percent of the limit in 10 s")

    @handler
    async def on_reading(self, reading: Reading) -> None:
        # The hour is a ring of one row a minute, each written over an hour later: the table never grows, nothing is
        # deleted, and its 30 readings fit the one page that an SD card has to write for a single reading anyway.
        minute, state = int(reading.time // 60), self.state  # the state under the message's key, the sensor
        points = [point for point in state.get(f"{minute % 60}", []) if reading.time - point[0] < 60]
        points.append((reading.time, reading.value))
        state[f"{minute % 60}"] = points  # kept together with what is sent below, or not at all

        recent = [*state.get(f"{(minute - 1) % 60}", []), *points]
        values = [value for at, value in recent if reading.time - at < 14]
        if text := judge(values, getattr(self, reading.sensor), self.rise):
            self.log.warning("%s %s", reading.sensor, text)
            await self.alerts.send(Alert(reading.sensor, text, reading.time))

    @get("/history/{sensor}")
    async def history(self, sensor: Sensor) -> list[tuple[float, float]]:
        """The last hour: time and value of each reading."""
        since, minutes = time.time() - 3600, self.state.of(sensor)
        return sorted((at, value) for minute in minutes for at, value in minutes[minute] if at > since)

    @get("/readings")
    async def readings(self) -> dict[str, Any]:
        """The latest reading of each sensor, and its limit."""
        latest = {sensor: (await self.history(sensor))[-1:] for sensor in get_args(Sensor)}
        return {
            sensor: {"time": at, "value": value, "limit": getattr(self, sensor)}
            for sensor, points in latest.items()
            for at, value in points
        }

    @action
    async def drill(self, sensor: Sensor = "cpu") -> Receipt | None:
        """Send a test alert, to see that alerts arrive. The receipt has the session to follow it by."""
        return await self.alerts.send(Alert(sensor, "test alert: nothing is wrong", round(time.time(), 1)))


class Alerts(Service):
    """Writes alerts to a file, one line of JSON each."""

    file: Path = setting(Path("alerts.jsonl"), doc="Where alerts are written")

    @handler
    def on_alert(self, alert: Alert) -> None:
        # After a crash between the write and its commit the same message comes again; its id in the line tells.
        with self.file.open("a+") as file:
            file.seek(0)
            if not any(self.message.id == json.loads(line)["id"] for line in file):
                file.write(json.dumps({"id": self.message.id, **vars(alert)}) + "\n")
                file.flush()
                os.fsync(file.fileno())

    @get("/alerts")
    def newest(self, limit: int = 20) -> list[dict[str, Any]]:
        """Alerts, the newest first."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [json.loads(line) for line in lines[-limit:][::-1]]


class Page(Service):
    """The live page."""

    @get("/")
    def page(self) -> Response:
        return html(Path(__file__).with_name("page.html").read_text())


def judge(values: list[float], limit: float, rise: float) -> str | None:
    """What is wrong with the last six values and was not with the six before them; None when all is well."""
    now, before = values[-6:], values[-7:-1]
    if len(now) == 6 and min(now) > limit and not (len(before) == 6 and min(before) > limit):
        return f"above {limit:g} for 10 s, now {now[-1]:g}"
    if len(now) == 6 and now[-1] - now[0] > limit * rise / 100 >= before[-1] - before[0]:
        return f"rose from {now[0]:g} to {now[-1]:g} in 10 s"
    return None


flow = (
    Flow("machine-monitor")
    .add(Sensors)
    .add(Rules, pool=4, key="sensor", durability="written")  # each sensor in order; saves two fsyncs of three
    .add(Alerts, retry={"on": {"OSError": "hold"}})  # a full disk is an outage: alerts wait, none is given up
    .add(Page)
)

if __name__ == "__main__":
    run(flow)
