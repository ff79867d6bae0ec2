"""The Com service: readings go to a provider, in order, and what the cloud wants comes back from it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from junctor.adapters import Adapter
from junctor.adapters.rate import Pace, Rate
from junctor.core.outcome import Hold
from junctor.core.policy import Policies, PoolPolicy
from junctor.core.retry import reaction_to
from junctor.core.spec import Context
from junctor.dialects.microservicebus.com.inward import ComMessage, ComState, Inward
from junctor.dialects.microservicebus.com.outage import POLICY, is_outage
from junctor.dialects.microservicebus.com.providers.base import Provider, Reading
from junctor.dialects.microservicebus.com.providers.known import provider
from junctor.dialects.microservicebus.names import PERMANENT
from junctor.errors import ConfigurationError, MissingExtra, SettingError, named
from junctor.messages import codec
from junctor.runtime.failures import failure_of
from junctor.services import handler, spec_of
from junctor.settings import setting

Plain = dict[str, Any] | list[Any] | str | int | float | bool | None


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
    _open = _checked = False

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
        end = spec.build(Context(flow=port.flow, service=port.service, settings=spec.settings, port=port))
        await _called(end.on_start)
        rate = self.rate or (Rate(end.pace) if end.pace else None)
        self._pace = Pace(rate) if rate is not None else None
        self._turn = asyncio.Lock()
        self._openings = 0
        self._end_policy = spec.policies.retry
        self._inward = end.node = Inward(self, end.report)
        self._end = end

    async def on_stop(self) -> None:
        if "_end" in vars(self):
            await self._close()
            await _called(self._end.on_stop)

    async def loop(self) -> None:
        """Keep the provider open, and hear what it says."""
        if not self._checked:
            self._inward.check_actions()
            self._checked = True
        async with self._opened() as end:
            self.reached()
            await end.listen()

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        own: Callable[[], str] | None = getattr(vars(self).get("_end"), "remark", None)
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

    @handler
    async def note(self, noted: ComState) -> None:
        """Keep the state over restarts."""
        self.state["twin"] = codec.to_plain(noted)

    @handler
    async def take(self, message: ComMessage) -> None:
        """Pass on what no action took, when it is sent again; else park it."""
        await self._inward.again(message)


async def _called(function: Callable[[], Any]) -> None:
    """Call a method of a provider that may be a coroutine function."""
    result = function()
    if inspect.isawaitable(result):
        await result
