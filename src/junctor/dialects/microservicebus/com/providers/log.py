"""Readings into the log: the provider where a flow chooses none."""

from __future__ import annotations

from junctor.dialects.microservicebus.com.providers.base import Provider, Reading
from junctor.messages import codec


class LogProvider(Provider):
    """Writes each reading as a line of the log, for a flow that has no cloud yet."""

    pace = ""

    async def send(self, reading: Reading) -> None:
        self.log.info("%s: %s", reading.source, codec.encode(reading.body).decode())
