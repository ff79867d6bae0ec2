"""What services say to others: ``SubmitAction`` and all that is made of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from junctor.dialects.microservicebus.names import COM, LOGGER
from junctor.dialects.microservicebus.services.door import Queue, door_of
from junctor.dialects.microservicebus.services.message import QueueMessage


class Actions:
    """The built-in functions that send. ``id`` and ``queue`` are those of the constructor."""

    id: str
    queue: Queue

    async def SubmitAction(self, destination: str, action: str, message: Any) -> None:
        """Call a method of another service with a message.

        Inside an action the message goes out when the action has ended, and not at all if it fails; elsewhere it is
        accepted when this returns.

        :param destination: the name of the service in any spelling, ``someService_py``, ``MyOtherService``,
            ``emailhandler``; ``*`` for all services that have the action.
        :param action: the name of its method.
        :param message: anything that JSON can carry.
        :raises UnknownTarget: there is no such service, with the nearest names.
        :raises UnknownAction: it has no such method.
        :raises EncodeError: the message cannot be encoded.
        """
        await self.queue.put(QueueMessage(self.id, destination, action, message))

    async def SubmitMessage(self, message: Any) -> None:
        """Hand a reading to the Com service, which passes it on to the cloud; where the flow connects ``messages``, to
        ``Process`` of the services there whose conditions hold.

        :param message: anything that JSON can carry.
        """
        door = door_of(self.queue)
        if (sent := door.submit(message)) is not None:
            await sent
            return
        action = door.action_on(COM, "_sendEvent", "Process")
        await self.queue.put(QueueMessage(self.id, COM, action, message))

    async def Debug(self, message: Any) -> None:
        """A line in the console."""
        await self.queue.put(QueueMessage(self.id, LOGGER, "_debug", message))

    async def Warning(self, message: Any) -> None:
        """A line in the console, in yellow."""
        await self.queue.put(QueueMessage(self.id, LOGGER, "_warning", message))

    async def ThrowError(
        self, message: Any, fault_code: str | None = None, fault_description: str | None = None
    ) -> None:
        """A line in the console, in red, and an alert. Raises nothing.

        :param message: text, or a mapping.
        :param fault_code: kept for text, too; below 90000 they are yours.
        """
        door_of(self.queue).fault(said(message), fault_code, fault_description)

    async def Track(self, message: Any, description: str | None = None) -> None:
        """Keep a record that the trace shows with what is being handled.

        :param message: a mapping; anything else is left out with a warning.
        """
        door = door_of(self.queue)
        if isinstance(message, Mapping):
            door.track(message, description)
        else:
            door.say(logging.WARNING, "Track takes a dictionary; this message is not tracked")

    def printf(self, message: Any = "", *more: Any) -> None:
        """A line in the console, from any thread; it does not block."""
        door_of(self.queue).say(logging.INFO, " ".join(said(part) for part in (message, *more)))

    async def StartService(self, service: Any) -> None:
        """Not offered: a flow has its services in its file. Tells so in the console."""
        door_of(self.queue).say(logging.WARNING, "StartService does nothing here: add the service to the flow")

    async def StopCustomServices(self) -> None:
        """Stop all custom services of the flow; they get nothing until they are started again."""
        await self.SubmitAction("orchestrator", "_stop_custom_services", {})

    async def StartCustomServices(self) -> None:
        """Start all custom services of the flow."""
        await self.SubmitAction("orchestrator", "_start_custom_services", {})


def said(message: Any) -> str:
    """A message as text."""
    return message if isinstance(message, str) else str(message)
