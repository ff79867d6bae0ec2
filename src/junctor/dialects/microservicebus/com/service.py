"""The Com service: readings go to a provider, in order, and what the cloud wants comes back from it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from junctor.adapters import Adapter
from junctor.adapters.rate import Pace, Rate
from junctor.core.outcome import Hold, Park
from junctor.core.policy import Policies, PoolPolicy
from junctor.core.retry import reaction_to
from junctor.core.spec import Context
from junctor.dialects.microservicebus.com.outage import POLICY, is_outage
from junctor.dialects.microservicebus.com.providers.base import Answer, Provider, Reading
from junctor.dialects.microservicebus.com.providers.known import provider
from junctor.dialects.microservicebus.com.twin import Twin
from junctor.dialects.microservicebus.errors import UnknownAction
from junctor.dialects.microservicebus.hosting.bus import Bus, bus_of
from junctor.dialects.microservicebus.hosting.routes import Routes
from junctor.dialects.microservicebus.names import PERMANENT
from junctor.errors import (
    BodyTooLarge,
    ConfigurationError,
    EncodeError,
    JunctorError,
    MissingExtra,
    SettingError,
    UnknownTarget,
    named,
)
from junctor.messages import codec
from junctor.runtime.failures import failure_of
from junctor.services import handler, spec_of
from junctor.settings import setting

Plain = dict[str, Any] | list[Any] | str | int | float | bool | None


@dataclass(frozen=True)
class Noted:
    """What Com notes for itself: the state that was last desired of the node."""

    desired: dict[str, Any]
    enabled: bool | None = None
    debug: bool | None = None


@dataclass(frozen=True)
class CloudMessage:
    """A message from the cloud that no action took, as it came. Sent again, it is tried again."""

    name: str
    payload: Any = None


class Com(Adapter):
    """Hands what services submit to a provider: the log, HTTP, MQTT, Azure IoT Hub, or one of your own.

    Readings go out one at a time, in order. While the other side is away they wait in the queue, on disk in a durable
    flow, and drain at ``rate`` when it is back. Where the provider has a device twin, the entry ``msb-state`` of what
    is desired starts and stops the custom services of the flow and switches debug output, and every service gets
    ``StateUpdate``::

        com:
          adapter: com
          settings:
            provider: mqtt
            rate: 50/s
            settings:
              url: mqtts://broker.example
              user: edge-1
              password: ${secret:BROKER_PASSWORD}
              topic: plant/readings
              desired_topic: nodes/edge-1/desired
    """

    side = "out"

    __junctor_policies__ = Policies(retry=POLICY, pool=PoolPolicy(size=1))
    __junctor_permanent__ = PERMANENT

    provider: str = setting("log", doc="Where to: log, http, mqtt, azure-iot-hub, or another one that is installed")
    settings: dict[str, Any] = setting({}, secret=True, doc="The settings of the provider")
    rate: Rate | None = setting(None, doc="The most readings in a time, 100/s or 30/m; the provider says by default")
    actions: dict[str, str] = setting({}, doc="What the cloud may call, each with its action: {reboot: pump.Reboot}")

    _end: Provider
    _bus: Bus

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        self._spec()
        for name, action in self.actions.items():
            service, _, method = action.rpartition(".")
            if not service or not method:
                what = f'"{action}" of {name} names no action of a service'
                raise SettingError(what, where="actions", fix="Write for example reboot: pump.Reboot.")

    def _spec(self) -> Any:
        try:
            return spec_of(provider(self.provider), self.name, settings=self.settings)
        except SettingError as error:
            where = error.where if error.where == "provider" else "settings"
            name = (error.where or "").rpartition(".")[2]
            what = error.what if where == "provider" else f"{name}: {error.what}"
            raise SettingError(what, where=where, fix=error.fix) from None
        except MissingExtra:
            raise
        except ConfigurationError as error:
            raise SettingError(str(error), where="settings", fix=f"See the settings of {self.provider}.") from None

    # Life ---------------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        port = self.__junctor__.port
        spec = self._spec()
        self._end = spec.build(Context(flow=port.flow, service=port.service, settings=spec.settings, port=port))
        self._end.node = self
        self._end_policy = spec.policies.retry
        await _called(self._end.on_start)
        self._turn = asyncio.Lock()
        self._openings = 0
        self._open = False
        rate = self.rate or (Rate(self._end.pace) if self._end.pace else None)
        self._pace = Pace(rate) if rate is not None else None
        self._bus = bus_of(port.flow, port.service)
        self._routes = Routes(port, self._bus)
        self._twin = Twin(**self.state.get("twin", {}))
        if self._twin.debug is not None:
            self._bus.set_debug(self._twin.debug)

    async def on_stop(self) -> None:
        await self._close()
        await _called(self._end.on_stop)

    async def loop(self) -> None:
        """Keep the provider open, and hear what it says."""
        async with self._opened() as end:
            self.reached()
            await end.listen()

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        own = getattr(self._end, "remark", None)
        return own() if own is not None else f"{self.provider}: {'open' if self._open else 'not connected'}"

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Provider]:
        """The provider, open. One that meets an outage is closed.

        :raises ConnectionError: the other side is away.
        """
        opening = self._openings
        try:
            async with self._turn:
                if not self._open:
                    await self._end.open()
                    self._open = True
                    self._openings += 1
            opening = self._openings
            yield self._end
        except Exception as error:
            if not is_outage(error, self._end_policy):
                raise
            if opening == self._openings:  # else it is open again, thanks to somebody else
                await self._close()
            if reaction_to(failure_of(error), POLICY) == "hold":
                raise
            raise Hold(named(error)) from error  # the provider calls it an outage, and the engine does not know it

    async def _close(self) -> None:
        self._open = False
        await self._end.close()

    # Readings -----------------------------------------------------------------------------------------------

    @handler
    async def Process(self, reading: Any) -> None:
        """Hand a reading to the provider."""
        if self._pace is not None:
            await self.sleep(self._pace.wait(self.now().timestamp()))
        async with self._opened() as end:
            await end.send(self._reading(reading))
        self.count("readings")

    @handler
    async def _sendEvent(self, reading: Plain) -> None:
        """The same under its other name."""
        await self.Process(reading)

    def _reading(self, body: Any) -> Reading:
        message = self.message
        source = message.source.rpartition("/")[2]
        return Reading(codec.to_plain(body), message.effect, source, message.sent_at)

    # What the cloud wants -----------------------------------------------------------------------------------

    async def desired(self, changes: Mapping[str, Any], *, whole: bool = False) -> None:
        """See :class:`~..providers.base.Cloud`."""
        try:
            twin = self._twin.with_desired(changes, whole=whole)
            codec.encode(twin.desired)
        except (RecursionError, JunctorError) as error:
            self.log.error("the desired state cannot be taken, and stays as it was: %s", named(error))
            return
        if twin.problem and twin.problem != self._twin.problem:
            self.log.warning("the desired state: %s; it stays as it was", twin.problem)
        if twin != self._twin:
            await self._follow(twin)
            noted = Noted(twin.desired, twin.enabled, twin.debug)
            await self.target(self.name, Noted).send(noted)
            self._twin = twin
        await self._end.report(twin.reported(enabled=self._bus.enabled, debug=self._bus.debug))

    async def _follow(self, twin: Twin) -> None:
        """Bring the node into the state that is desired. Each step may be done twice."""
        if twin.debug is not None:
            self._bus.set_debug(twin.debug)
        await self.__junctor__.port.broadcast(twin.update, handler="StateUpdate")
        if twin.enabled is not None:
            await self._bus.set_enabled(twin.enabled)

    @handler
    async def note(self, noted: Noted) -> None:
        """Keep the state over restarts."""
        self.state["twin"] = codec.to_plain(noted)

    async def call(self, name: str, payload: Any) -> Answer:
        """See :class:`~..providers.base.Cloud`."""
        if name not in self.actions:
            return Answer(404, {"error": f"nothing is called {name!r}"})
        service, _, action = self.actions[name].rpartition(".")
        try:
            link = self._routes.link(service, action)
        except (UnknownTarget, UnknownAction) as error:
            self.log.error("the cloud calls %s: %s", name, error)
            return Answer(404, {"error": error.what})
        try:
            receipt = await self.__junctor__.port.send(link, payload)
        except (EncodeError, BodyTooLarge) as error:
            return Answer(400, {"error": error.what})
        self.count("calls")
        return Answer(202, {"message": receipt.id if receipt is not None else None})

    async def deliver(self, name: str, payload: Any) -> None:
        """See :class:`~..providers.base.Cloud`."""
        answer = await self.call(name, payload)
        if answer.status != 202:
            self.log.warning("a message from the cloud is parked: %s", answer.payload["error"])
            await self.target(self.name, CloudMessage).send(CloudMessage(name, payload))

    @handler
    async def take(self, message: CloudMessage) -> None:
        """Pass on what no action took, when it is sent again; else park it."""
        answer = await self.call(message.name, message.payload)
        if answer.status != 202:
            raise Park(answer.payload["error"])


async def _called(function: Callable[[], Any]) -> None:
    """Call a method of a provider that may be a coroutine function."""
    result = function()
    if inspect.isawaitable(result):
        await result
