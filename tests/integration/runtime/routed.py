"""Services whose targets have conditions; a worker process imports them by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from junctor import Service, Target, handler


@dataclass(frozen=True)
class Reading:
    sensor: str
    value: float
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Batch:
    readings: list[Reading]


@dataclass
class Ask:
    value: float
    tags: dict[str, str]


@dataclass(frozen=True)
class Verdict:
    by: str


class Sorter(Service):
    """Sends each reading on its own."""

    readings: Target[Reading]
    judges: Target[Reading, Verdict]

    @handler
    async def on_batch(self, batch: Batch) -> None:
        for reading in batch.readings:
            await self.readings.send(reading)

    @handler
    async def on_ask(self, ask: Ask) -> Verdict:
        return await self.judges.request(Reading("asked", ask.value, ask.tags))


class Alarm(Service):
    @handler
    async def on_reading(self, reading: Reading) -> None: ...


class Log(Service):
    @handler
    def on_reading(self, reading: Reading) -> None: ...


class Low(Service):
    @handler
    async def judge(self, reading: Reading) -> Verdict:
        message = self.message
        return Verdict(message.target if message is not None else "")
