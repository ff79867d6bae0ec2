"""The service that writes to the console."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

from junctor.dialects.microservicebus.companions.service import InternalService
from junctor.dialects.microservicebus.services import QueueMessage
from junctor.dialects.microservicebus.services.actions import said


class Logger(InternalService):
    """Writes lines of other kinds of services to the console; services of this dialect write their own ones, so that
    a line has the name of its service."""

    NAME: ClassVar[str] = "logger"

    async def _debug(self, message: QueueMessage) -> None:
        """A line."""
        self._line(logging.INFO, message, debug=True)

    async def _warning(self, message: QueueMessage) -> None:
        """A line in yellow."""
        self._line(logging.WARNING, message)

    async def _error(self, message: QueueMessage) -> None:
        """A line in red."""
        self._line(logging.ERROR, message)

    async def _track(self, message: QueueMessage) -> None:
        """A tracking record."""
        payload = message.message[0]
        await self.Track(payload if isinstance(payload, Mapping) else {"message": payload})

    async def _change_debug(self, message: QueueMessage) -> None:
        """Show Debug lines in the console, or not."""
        self.bus.set_debug(bool(message.message[0]))

    def _line(self, level: int, message: QueueMessage, debug: bool = False) -> None:
        self.queue.door.say(level, f"{message.source}: {said(message.message[0])}", debug=debug)
