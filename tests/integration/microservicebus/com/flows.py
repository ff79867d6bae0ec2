"""Flows with a Com service, for tests."""

from __future__ import annotations

from typing import Any

from junctor import Flow
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.dialects.microservicebus.com import Com
from tests.integration.adapters.mqtt.flows import QUICK, comes, note_of, url

__all__ = ("QUICK", "Sensor", "comes", "gateway", "note_of", "readings", "state_of", "submit", "url")


class Sensor(CustomService):
    """Submits what it is sent, and remembers what the cloud wants."""

    updates: list[Any] = []
    called: list[Any] = []
    running = 0

    async def Start(self) -> None:
        type(self).running += 1

    async def Stop(self) -> None:
        type(self).running -= 1

    async def Process(self, message: QueueMessage) -> None:
        await self.SubmitMessage(message.message[0])

    async def Reboot(self, message: QueueMessage) -> None:
        self.called.append(message.message[0])

    async def StateUpdate(self, state: QueueMessage) -> None:
        self.updates.append(state.message[0])


def gateway(provider: str, rate: str | None = None, actions: dict[str, str] | None = None, **settings: Any) -> Flow:
    """A sensor and a Com service with a provider."""
    Sensor.updates, Sensor.called, Sensor.running = [], [], 0
    com = Com(provider=provider, rate=rate, actions=actions or {}, settings=settings)
    return Flow("edge").add(Sensor, name="sensor").add(com, name="com", hold=QUICK)


async def submit(node: Any, numbers: range) -> None:
    for number in numbers:
        await node.target("sensor", Any, handler="Process").send({"n": number})


def readings(numbers: range) -> list[bytes]:
    """What is published of them."""
    return [b'{"n":%d}' % number for number in numbers]


def state_of(node: Any, service: str) -> str:
    return str(next(one.state for one in node.status().services if one.service == service))
