"""What the cloud wants of the node: the state of the device twin, and calls of actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from junctor.core.outcome import Park
from junctor.core.port import Link
from junctor.dialects.microservicebus.com.providers.base import Answer
from junctor.dialects.microservicebus.com.twin import Twin
from junctor.dialects.microservicebus.errors import UnknownAction
from junctor.dialects.microservicebus.hosting.bus import bus_of
from junctor.dialects.microservicebus.hosting.routes import Routes
from junctor.errors import BodyTooLarge, EncodeError, JunctorError, UnknownTarget, named
from junctor.messages import codec

if TYPE_CHECKING:
    from junctor.dialects.microservicebus.com.service import Com

Report = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class ComState:
    """What Com notes for itself: the state that was last desired of the node."""

    desired: dict[str, Any]
    enabled: bool | None = None
    debug: bool | None = None


@dataclass(frozen=True)
class ComMessage:
    """A message from the cloud that no action took, as it came. Sent again, it is tried again."""

    name: str
    payload: Any = None


class Inward:
    """The node as a provider sees it: see :class:`~..providers.base.Cloud`.

    :param com: the service; its state has what was desired before.
    :param report: tells the cloud how the node is.
    """

    def __init__(self, com: Com, report: Report) -> None:
        self._com = com
        self._report = report
        self._port = com.__junctor__.port
        self._bus = bus_of(self._port.flow, self._port.service)
        self._routes = Routes(self._port, self._bus)
        self._twin = Twin(**com.state.get("twin", {}))
        if self._twin.debug is not None:
            self._bus.set_debug(self._twin.debug)
        self._bus.wanted = self._twin.update

    async def desired(self, changes: Mapping[str, Any], *, whole: bool = False) -> None:
        """The state that is wanted of the node has changed."""
        log, before = self._com.log, self._twin
        try:
            twin = before.with_desired(changes, whole=whole)
            codec.encode(twin.desired)
        except (RecursionError, JunctorError) as error:
            log.error("the desired state cannot be taken, and stays as it was: %s", named(error))
            return
        if twin.problem and twin.problem != before.problem:
            log.warning("the desired state: %s; it stays as it was", twin.problem)
        try:
            if twin != before:
                await self._follow(twin)
        except (EncodeError, BodyTooLarge) as error:
            log.error("the desired state cannot be taken, and stays as it was: %s", named(error))
            return
        await self._report(twin.reported(enabled=self._bus.enabled, debug=self._bus.debug))

    async def _follow(self, twin: Twin) -> None:
        """Bring the node into the state that is desired. After a kill all of it is done again."""
        if twin.debug is not None:
            self._bus.set_debug(twin.debug)
        self._bus.wanted = twin.update
        await self._port.broadcast(twin.update, handler="StateUpdate")
        if twin.enabled is not None:
            await self._bus.set_enabled(twin.enabled)
        await self._com.target(self._com.name, ComState).send(ComState(twin.desired, twin.enabled, twin.debug))
        self._twin = twin

    async def call(self, name: str, payload: Any) -> Answer:
        """The cloud calls an action."""
        if name not in self._com.actions:
            return Answer(404, {"error": f"nothing is called {name!r}"})
        try:
            receipt = await self._port.send(self._link(name), payload)
        except (UnknownTarget, UnknownAction) as error:
            self._com.log.error("the cloud calls %s: %s", name, error)
            return Answer(404, {"error": error.what})
        except (EncodeError, BodyTooLarge) as error:
            return Answer(400, {"error": error.what})
        self._com.count("calls")
        return Answer(202, {"message": receipt.id if receipt is not None else None})

    def _link(self, name: str) -> Link:
        service, _, action = self._com.actions[name].rpartition(".")
        return self._routes.link(service, action)

    def check_actions(self) -> None:
        """Tell of those that lead nowhere, before the cloud calls one."""
        for name in self._com.actions:
            try:
                self._link(name)
            except (UnknownTarget, UnknownAction) as error:
                self._com.log.warning("the cloud may call %s, and that leads nowhere: %s", name, error)

    async def deliver(self, name: str, payload: Any) -> None:
        """The cloud sends what nobody answers."""
        answer = await self.call(name, payload)
        if answer.status == 202:
            return
        try:
            await self._com.target(self._com.name, ComMessage).send(ComMessage(name, payload))
        except (EncodeError, BodyTooLarge) as error:  # the cloud would send it again for ever
            self._com.count("dropped")
            self._com.log.error("a message from the cloud to %.100s cannot be kept, and is gone: %s", name, error.what)
        else:
            self._com.log.warning("a message from the cloud is parked: %s", answer.payload["error"])

    async def again(self, message: ComMessage) -> None:
        """An operator has sent it again.

        :raises Park: still nothing takes it.
        """
        answer = await self.call(message.name, message.payload)
        if answer.status != 202:
            raise Park(answer.payload["error"])
