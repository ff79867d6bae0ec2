"""Where messages of one service go: destination and action to a link, found once until the flow changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from junctor.core.port import Link, Port
from junctor.core.spec import HandlerSpec
from junctor.dialects.microservicebus.errors import UnknownAction
from junctor.dialects.microservicebus.hosting.actions import PROCESS
from junctor.dialects.microservicebus.hosting.bus import Bus
from junctor.dialects.microservicebus.names import LOGGER
from junctor.errors import UnknownTarget, WiringError, nearest


class Routes:
    """The links of one service."""

    def __init__(self, port: Port, bus: Bus) -> None:
        self._port = port
        self._bus = bus
        self._plan: object = None
        self._changes = 0
        self._has_logger = True
        self._links: dict[tuple[str, str], Link] = {}
        self._chosen: dict[tuple[str, tuple[str, ...]], str] = {}

    def link(self, destination: str, action: str) -> Link:
        """Where a message goes.

        :raises UnknownTarget: there is no such service.
        :raises UnknownAction: it has no such action.
        """
        self._look()
        links = self._links
        try:
            return links[destination, action]
        except (KeyError, TypeError):  # a list is no key, and no destination
            found = links[destination, action] = self._find(destination, action)
            return found

    def action_on(self, destination: str, names: tuple[str, ...]) -> str:
        """The first of these actions that a service has; the first where it has none of them, or is not there."""
        self._look()
        found = self._chosen.get((destination, names))
        if found is None:
            known: set[str] = set()
            with contextlib.suppress(UnknownTarget):
                known = {one.name for one in self.handlers(self.service(destination))}
            found = self._chosen[destination, names] = next((name for name in names if name in known), names[0])
        return found

    @property
    def has_logger(self) -> bool:
        """Whether the logger of the flow is the internal one."""
        self._look()
        return self._has_logger

    def _look(self) -> None:
        """Whether the flow has changed, or an id of its services."""
        plan, changes = self._bus.plan, self._bus.changes
        if plan is not self._plan or changes != self._changes:
            self._links, self._chosen, self._plan, self._changes = {}, {}, plan, changes
            services = plan.services if plan is not None else ()
            own = next((one.spec for one in services if one.spec.name == LOGGER), None)
            self._has_logger = own is None or bool(own.permanent)

    def service(self, destination: str) -> str:
        """The name of the service that a destination is, or ``flow/service`` as it is.

        :raises UnknownTarget: there is none.
        """
        if not isinstance(destination, str):
            raise UnknownTarget(f"{destination!r:.60} is no destination", fix="Write the name of a service as text.")
        if "/" in destination:
            return destination
        return self._bus.resolve(destination)

    def _find(self, destination: str, action: str) -> Link:
        try:
            name = self.service(destination)
        except UnknownTarget as error:
            raise UnknownTarget(error.what, where=self._where, fix=error.fix) from None
        self.check(action)
        handlers = self.handlers(name)
        handler = chosen(action, handlers)
        try:
            return self._port.link_to(name, Any, handler=action if handler is None else handler.name)
        except WiringError as error:
            known = {one.name for one in handlers}
            fix = nearest(action, known).strip() or f"{name} has no actions."
            raise UnknownAction(f"{name} has no action {action!r}", where=self._where, fix=fix) from error

    def check(self, action: object) -> None:
        """:raises UnknownAction: it is no name: without one the engine would take any handler."""
        if not isinstance(action, str) or not action:
            raise UnknownAction(f"{action!r:.60} is no action", where=self._where, fix="Write its name as text.")

    def handlers(self, name: str) -> tuple[HandlerSpec, ...]:
        """The handlers of a service."""
        node = self._bus.node
        address = name if "/" in name else f"{self._port.flow}/{name}"
        host = node.engine.hosts.get(address) if node is not None else None
        return host.spec.handlers if host is not None else ()

    @property
    def _where(self) -> str:
        return f"{self._port.flow}/{self._port.service}"


def chosen(action: str, handlers: Iterable[HandlerSpec]) -> HandlerSpec | None:
    """The handler for an action: of this name; for ``Process`` also that of a service of another kind: its only one
    with a type, for which the payload is read, else one that takes anything."""
    handlers = tuple(handlers)
    named = next((one for one in handlers if one.name == action), None)
    if named is not None or action != PROCESS:
        return named
    open_ones = [one for one in handlers if not one.by_name]
    typed = [one for one in open_ones if one.accepts is not Any]
    anything = [one for one in open_ones if one.accepts is Any]
    return typed[0] if len(typed) == 1 else anything[0] if anything else None
