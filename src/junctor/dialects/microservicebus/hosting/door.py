"""What the built-in functions of a service ask of the node."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from junctor.core.hop import current
from junctor.core.outcome import LogLine
from junctor.core.port import Port
from junctor.core.spec import service_address
from junctor.dialects.microservicebus.hosting.adding import packages_of
from junctor.dialects.microservicebus.hosting.bus import Bus
from junctor.dialects.microservicebus.hosting.ending import Ending, LeftOut
from junctor.dialects.microservicebus.hosting.routes import Routes
from junctor.errors import JunctorError
from junctor.messages.codec import encode
from junctor.observe.secrets import mask
from junctor.services.target import Target

MESSAGES = "messages"
"""The target of a custom service that takes what it submits."""

FAULT, TRACKED = "fault", "tracked"
"""Events of lines: an error that a service has told of, a tracking record."""


class PortDoor:
    """See :class:`~junctor.dialects.microservicebus.services.door.Door`.

    :param connects: the service has the target :data:`MESSAGES`.
    """

    def __init__(self, port: Port, bus: Bus, routes: Routes, ending: Ending, connects: bool = True) -> None:
        self._ending = ending
        self._connects = connects
        self._port = port
        self._bus = bus
        self._routes = routes

    @property
    def folder(self) -> Path:
        return self._bus.folder

    def add_package(self, package: str, module: str, name: str) -> Any:
        return packages_of(self._port, self._bus).add(package, module, name)

    def settings(self) -> dict[str, Any]:
        return self._bus.settings()

    def say(self, level: int, text: str, debug: bool = False) -> None:
        self._ending.reach()
        if debug and not self._bus.debug:
            self._keep(level, text)
            return
        self._port.log.log(level, "%s", text)

    def _keep(self, level: int, text: str) -> None:
        """The trace has it all the same."""
        hop = current.get()
        if hop is not None and hop.open:
            hop.note(LogLine(self._port.time_ns(), level, f"{self._port.flow}.{self._port.service}", mask(text)))

    def fault(self, text: str, code: str | None, description: str | None) -> None:
        told = f"{code}: {text}" if code else text
        told = mask(f"{told} ({description})" if description else told)
        self._port.log.error("%s", told, extra={"event": FAULT})
        node, address = self._bus.node, service_address(self._port.flow, self._port.service)
        host = node.engine.hosts.get(address) if node is not None else None
        if host is not None:
            command = f"junctor logs --service {address}"
            with contextlib.suppress(RuntimeError):  # the node has ended, and this thread was left behind
                self._bus.loop.call_soon_threadsafe(host.fault, str(code or ""), told, command)

    def track(self, body: Mapping[str, Any], description: str | None) -> None:
        record = {"description": description, **body} if description else dict(body)
        with contextlib.suppress(JunctorError, msgspec.MsgspecError):
            text = encode(record).decode()
            self._port.log.info("%s", text, extra={"event": TRACKED})
            return
        self._port.log.warning("a tracking record cannot be encoded: %s", type(body).__name__)

    def submit(self, payload: Any) -> Awaitable[Any] | None:
        if self._ending.is_here:
            self._ending.reach()
            return self._ending.refuse()
        if self._ending.over and current.get() is None:
            return self.left_out("a message")
        links = self._port.links(MESSAGES) if self._connects else ()
        where = f"{self._port.service}.{MESSAGES}"
        return Target(self._port, links, Any, where).send(payload) if links else None

    def left_out(self, what: str) -> Awaitable[None]:
        """Something that an instance sends whose place another one has taken. Told once."""
        if self._ending.first():
            text = "code of an instance that was stopped still sends, and is not heard: %s (end threads in Stop)"
            self._port.log.warning(text, what)
        return LeftOut()

    def action_on(self, destination: str, *names: str) -> str:
        return self._routes.action_on(destination, names)
