"""The base class of all services of microServiceBus."""

from __future__ import annotations

import asyncio
from typing import Any

from junctor.dialects.microservicebus.services.actions import Actions
from junctor.dialects.microservicebus.services.door import Queue, door_of
from junctor.dialects.microservicebus.services.message import QueueMessage
from junctor.dialects.microservicebus.services.properties import Properties

LIFECYCLE = ("Start", "Stop")
"""Methods that the node calls by itself; no message does."""

HOOKS = ("Process", "StateUpdate", "msb_signed_in")
"""Methods of the base class that messages call."""


class BaseService(Actions, Properties):
    """Derive a service from it, or from :class:`CustomService` where it has properties::

        class Receiver(CustomService):
            async def Start(self):
                await self.Debug("Started")

            async def Process(self, message):
                reading = message.message[0]

    ``Start`` is called once, on an event loop of the service's own, and may run for ever; actions are called meanwhile.
    Every other method that takes one argument is an action: it gets the :class:`QueueMessage`. One that raises is
    tried again, then its message is parked.
    """

    __junctor_dialect__ = "microservicebus"

    def __init__(self, id: str, queue: Queue) -> None:
        self.id = id
        self.queue = queue
        self.config = {}
        self.task = None
        self.msb_dir = str(door_of(queue).folder)

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """What the service does beside its actions; that of ``Start`` until it says so. An exception that ends it is
        told when it happens."""
        return self._task

    @task.setter
    def task(self, task: asyncio.Task[Any] | None) -> None:
        self._task = task
        if isinstance(task, asyncio.Task):
            task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            door_of(self.queue).fault(f"self.task has ended: {error!r}", type(error).__name__, None)

    async def Start(self) -> None:
        """Called when the service starts."""

    async def Stop(self) -> None:
        """Called when it stops, after ``Start`` was cancelled."""

    async def Process(self, message: QueueMessage) -> None:
        """What other services send by default."""

    async def StateUpdate(self, state: QueueMessage) -> None:
        """The state that is wanted of the node has changed: its payload is ``{"enabled": True, "debug": False}``."""

    async def msb_signed_in(self, args: QueueMessage) -> None:
        """The node has signed in at its hub."""

    def AddPipPackage(self, package: str, module: str, name: str) -> Any:
        """Install a package where it is missing, and import an object of it.

        :param package: its name on the index, such as ``paho-mqtt``, with a version where one is wanted.
        :param module: the module to import, ``paho.mqtt.client``.
        :param name: the name of the object, ``Client``; the type of it is returned.
        :raises PackageError: it cannot be installed or imported, with package and reason.
        """
        return door_of(self.queue).add_package(package, module, name)
