"""The queue in the constructor of a service: what is put into it goes to the service that it names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Generator
from typing import Any

from junctor.core.hop import current
from junctor.core.port import Port
from junctor.dialects.microservicebus.hosting.bus import Bus
from junctor.dialects.microservicebus.hosting.door import PortDoor
from junctor.dialects.microservicebus.hosting.ending import Ending
from junctor.dialects.microservicebus.hosting.outbox import Outbox
from junctor.dialects.microservicebus.hosting.routes import Routes
from junctor.dialects.microservicebus.hosting.work import course
from junctor.dialects.microservicebus.names import ALL, LOGGER
from junctor.dialects.microservicebus.services import QueueMessage
from junctor.dialects.microservicebus.services.actions import said
from junctor.errors import JunctorError

LINES = {"_debug": logging.INFO, "_warning": logging.WARNING, "_error": logging.ERROR}
"""Actions of the logger that are a line of who asks for it: no message travels for that."""


class ServiceQueue:
    """The queue of one service: see :class:`~junctor.dialects.microservicebus.services.door.Queue`.

    Each instance has one. ``ending`` tells its end: what goes on after it sends no more.
    """

    def __init__(self, port: Port, bus: Bus, connects: bool = True) -> None:
        self.port = port
        self.bus = bus
        self.routes = Routes(port, bus)
        self.ending = Ending()
        self.door = PortDoor(port, bus, self.routes, self.ending, connects)
        self._outbox = Outbox(port)

    def put(self, item: QueueMessage) -> Put:
        """Hand a message over: await it, give it to ``asyncio.run`` or ``create_task``, or leave it alone.

        In a thread of the service what is wrong with it is an error in the log and an alert: an exception would end the
        thread.
        """
        if asyncio._get_running_loop() is not None or current.get() is not None:
            return Put(self._hand_over(item), self.port)
        try:
            return Put(self._hand_over(item), self.port)
        except JunctorError as error:
            self.door.fault(f"a message of a thread was not accepted: {error}", error.code, None)
            return Put(None, self.port)

    def put_nowait(self, item: QueueMessage) -> None:
        """The same, for code that does not wait."""
        self.put(item)

    def _hand_over(self, item: QueueMessage) -> Any:
        """What to wait for; None where nothing is to be waited for."""
        payload = item.message[0]
        if item.destination == LOGGER and item.action in LINES and self.routes.has_logger:
            self.door.say(LINES[item.action], said(payload), debug=item.action == "_debug")
            return None
        if _is_outside():
            if self.ending.over:
                return self.door.left_out(f"{item.action} of {item.destination}")
            if self.ending.is_here:
                self.ending.reach()
                return self.ending.refuse()
        if item.destination == ALL:
            self.routes.check(item.action)
            return self.port.broadcast(payload, handler=item.action)
        link = self.routes.link(item.destination, item.action)
        # A hop takes what belongs to it; a thread without a loop blocks until the message is accepted.
        if asyncio._get_running_loop() is not None and _is_outside():
            return self._outbox.send(link, payload)
        return self.port.send(link, payload)


def _is_outside() -> bool:
    """Whether the code belongs to no action that runs: to ``Start``, or to a task that has outlived its action."""
    run = course.get()
    return current.get() is None or (run is not None and run.over)


class Put(Coroutine[Any, Any, None]):
    """A message that has been handed over. Awaiting it waits until it is accepted, and tells what is wrong with it;
    what nobody awaits is told in the log."""

    __slots__ = ("_iterator", "_pending", "_port")

    def __init__(self, pending: Any, port: Port) -> None:
        self._pending = pending
        self._port: Port | None = port
        self._iterator: Generator[Any, Any, None] | None = None
        if isinstance(pending, asyncio.Future):
            pending.add_done_callback(self._ended)

    def __await__(self) -> Generator[Any, Any, None]:
        pending, self._pending = self._pending, None
        self._port = None
        if pending is not None:
            yield from pending.__await__()

    def send(self, value: Any) -> Any:
        if self._iterator is None:
            self._iterator = self.__await__()
        return self._iterator.send(value)

    def throw(self, *error: Any) -> Any:
        if self._iterator is None:
            self._iterator = self.__await__()
        return self._iterator.throw(*error)

    def close(self) -> None:
        if self._iterator is not None:
            self._iterator.close()

    def _ended(self, pending: asyncio.Future[Any]) -> None:
        """Nobody has awaited it when its end comes."""
        if self._port is not None and not pending.cancelled() and (error := pending.exception()) is not None:
            self._port.log.error("a message was not accepted: %s", error)
