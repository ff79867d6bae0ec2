"""A small flow that the tests of the test kit run: a monitor, an alarm, an office outside."""

from __future__ import annotations

from dataclasses import dataclass

from junctor import Flow, Service, Target, action, every, get, handler, setting


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float


@dataclass(frozen=True)
class Ask:
    number: int


@dataclass(frozen=True)
class Mail:
    text: str


class Monitor(Service):
    readings: Target[Reading]

    @every("1m")
    async def poll(self) -> None:
        await self.readings.send(Reading("cpu", 1.0))


class Alarm(Service):
    limit: float = setting(80.0)
    mails: Target[Mail]

    @handler
    async def on_reading(self, reading: Reading) -> None:
        self.state["count"] = self.state.get("count", 0) + 1
        if reading.value < 0:
            raise ValueError(f"negative: {reading.value}")
        if reading.value > self.limit:
            self.log.warning("%s above %s", reading.sensor, self.limit)
            await self.mails.send(Mail(f"{reading.sensor} is at {reading.value:g}"))

    @handler
    def on_ask(self, ask: Ask) -> int:
        return ask.number + 1

    @action
    def reset(self) -> str:
        return "reset"

    @get("/alarms/{sensor}")
    async def latest(self, sensor: str, limit: int = 3) -> dict[str, object]:
        return {"sensor": sensor, "limit": limit, "count": self.state.get("count", 0)}


class Office(Service):
    """Stands for what a test must not reach."""

    @handler
    async def on_mail(self, mail: Mail) -> None:
        raise ConnectionError("there is no office here")


def plant() -> Flow:
    return Flow("plant").add(Monitor()).add(Alarm()).add(Office(), retry={"attempts": 1})
