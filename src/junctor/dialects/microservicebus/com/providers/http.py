"""Readings to an HTTP service."""

from __future__ import annotations

from junctor.adapters import HttpOut
from junctor.dialects.microservicebus.com.providers.base import Provider, Reading


class HttpProvider(HttpOut, Provider):
    """Posts each reading; its settings are those of the adapter ``http-out``. It has no device twin."""

    out: None = None  # an answer is not sent on

    async def send(self, reading: Reading) -> None:
        await self.call(reading.body)
