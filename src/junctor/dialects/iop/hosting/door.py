"""The door of a component that a node runs: its sends go to services of the flow by the names of items."""

from __future__ import annotations

import logging
import math
from typing import Any

from junctor.core.port import Link, Pending, Port
from junctor.core.spec import service_name
from junctor.dialects.iop.hosting.types import is_message_class
from junctor.errors import UnknownTarget

DESCRIPTION = "description"
"""The header with the description of a message."""


Log = logging.Logger | logging.LoggerAdapter[logging.Logger]


class PortDoor:
    """See :class:`~junctor.dialects.iop.components.door.Door`.

    :param log: that of the service by default.
    """

    def __init__(self, item: str, port: Port, log: Log | None = None) -> None:
        self.item = item
        self.log: Log = port.log if log is None else log
        self._port = port

    def send(self, target: str, request: Any, description: str | None) -> None:
        """Hand a message over. What the engine refuses comes out of here."""
        self._port.send(self.link(target, request), request, headers=headers_of(description)).result()

    def request(self, target: str, request: Any, timeout: float, description: str | None) -> Pending[Any]:
        """Hand a message over and get the reply."""
        seconds = math.inf if timeout < 0 else timeout
        return self._port.request(
            self.link(target, request, Any), request, timeout=seconds, headers=headers_of(description)
        )

    def link(self, target: str, request: Any, reply: Any = None) -> Link:
        """Where messages for an item, or for another service of the flow, go: ``shop-controller.greeting`` is for the
        handler ``greeting`` of a service that chooses among its handlers by name.

        :raises UnknownTarget: there is no such item.
        """
        kind = type(request) if is_message_class(type(request)) else Any
        try:
            return self._port.link_to(service_name(target), kind, reply)
        except UnknownTarget:
            service, dot, handler = target.rpartition(".")
            if not dot:
                raise
            try:
                return self._port.link_to(service_name(service), kind, reply, handler=handler)
            except UnknownTarget:
                pass
            raise  # of the name as it was given


def headers_of(description: str | None) -> dict[str, str] | None:
    """The description as it travels."""
    return {DESCRIPTION: description} if description else None
