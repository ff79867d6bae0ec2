"""The connection of a device to its hub, and what comes and goes on it."""

from __future__ import annotations

import asyncio
import base64
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from junctor.adapters.mqtt import payload as form
from junctor.adapters.mqtt.adapter import LOOK
from junctor.adapters.mqtt.broker import Broker, Trust
from junctor.core.expressions import Template, of_message
from junctor.core.outcome import Park
from junctor.dialects.microservicebus.com.providers.azure_iot_hub import topics
from junctor.dialects.microservicebus.com.providers.azure_iot_hub.identity import Identity
from junctor.dialects.microservicebus.com.providers.base import Answer, Provider, Reading
from junctor.errors import ConfigurationError, SendError, SettingError
from junctor.messages import codec
from junctor.settings import Duration, setting

if TYPE_CHECKING:
    from junctor.adapters.mqtt.connection import Arrival, Connection

LARGEST = 256 * 1024
"""Bytes of a message to the hub, its properties included."""

RENEWED = 0.85
"""The part of the life of a token after which another one is used."""

_SEEN = ("body", "headers", "key", "type", "message", "now")


class AzureIotHub(Provider):
    """Sends readings to Azure IoT Hub as telemetry, follows the device twin, and takes direct methods and
    cloud-to-device messages. A shared access key or a certificate proves who the device is."""

    extra = "mqtt"
    needs: ClassVar[tuple[str, ...]] = ("paho",)
    pace = "100/s"

    connection_string: str = setting("", secret=True, doc="Of the device; in place of hub, device and access_key")
    hub: str = setting("", doc="Host name of the hub: contoso.azure-devices.net")
    device: str = setting("", doc="Id of the device")
    access_key: str = setting("", secret=True, doc="Shared access key of the device")
    gateway: str = setting("", doc="Host, or host:port, to connect to in place of the hub")
    ca: Path | None = setting(None, doc="Certificates of the authorities to trust, in place of those of the machine")
    certificate: Path | None = setting(None, doc="X.509 certificate of the device, in place of an access key")
    key_file: Path | None = setting(None, doc="Private key of the certificate, where it is in a file of its own")
    properties: dict[str, Template] = setting({}, doc='Application properties of telemetry: {unit: "{body.unit}"}')
    token_life: Duration = setting("1h", ge=2, le=86_400, doc="How long a token is valid; renewed before that")
    keepalive: Duration = setting("4m", ge=1, le=1767, doc="Silence after which either side looks for the other")
    timeout: Duration = setting("20s", gt=0, doc="How long connecting and each answer may take")

    _connection: Connection | None = None

    # Settings -----------------------------------------------------------------------------------------------

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        identity = self.identity()
        identity.address  # noqa: B018 - refuses what is none
        if bool(identity.key) == (self.certificate is not None):
            fix = "Give the access key, or certificate and key_file."
            raise SettingError("either a key or a certificate proves who it is", where="access_key", fix=fix)
        if identity.key:
            identity.token(0)
        for name in ("ca", "certificate", "key_file"):
            file: Path | None = getattr(self, name)
            if file is not None and not file.is_file():
                raise SettingError(f"there is no file {file}", where=name, fix="Paths begin in the node's folder.")
        for template in self.properties.values():
            try:
                template.check(*_SEEN)
            except ConfigurationError as error:
                raise SettingError(error.what, where="properties", fix=error.fix) from None

    def identity(self) -> Identity:
        """Who the device is.

        :raises SettingError: the settings do not say it, or say it twice.
        """
        given = [name for name in ("hub", "device", "access_key") if getattr(self, name)]
        if self.connection_string:
            if given:
                raise SettingError("the connection string says it already", where=given[0], fix="Leave it out.")
            found = Identity.read(self.connection_string)
            return Identity(found.hub, found.device, found.key, self.gateway or found.gateway)
        for name in ("hub", "device"):
            if not getattr(self, name):
                raise SettingError("it is missing", where=name, fix="Give it, or connection_string.")
        return Identity(self.hub, self.device, self.access_key, self.gateway)

    # Connection ---------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        self._identity = self.identity()
        self._turn = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._version = self._changed = 0

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        there = self._connection is not None and self._connection.lost is None
        return f"{'connected' if there else 'not connected'} to {self._identity.hub} as {self._identity.device}"

    async def open(self) -> None:
        from junctor.adapters.mqtt.connection import Connection

        self._renew_at = self._seconds() + RENEWED * self.token_life
        connection = Connection(self._broker())
        await connection.open()
        self._connection = connection
        await connection.subscribe(topics.subscriptions(self._identity.device), 1)
        await self._ask_twin()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _broker(self) -> Broker:
        own = self._identity
        return Broker(
            address=own.address,
            client_id=own.device,
            trust=Trust(self.ca, self.certificate, self.key_file),
            user=own.user,
            password=own.token(math.ceil(self._seconds() + self.token_life)) if own.key else "",
            protocol="3.1.1",
            session=1.0,  # the hub keeps subscriptions, and with them messages to the device
            keepalive=round(self.keepalive),
            timeout=self.timeout,
        )

    async def _renew(self) -> None:
        """Connect again with a new token, when no reading is under way."""
        async with self._turn:
            await self.close()
            await self.open()
        self.count("tokens-renewed")

    @property
    def _line(self) -> Connection:
        """The connection; one that is lost says so itself."""
        if self._connection is None:
            raise ConnectionError("there is no connection")
        return self._connection

    def _seconds(self) -> float:
        return self.now().timestamp()

    async def _publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        from junctor.adapters.mqtt.connection import Publication

        await self._line.publish(Publication(topic, payload, qos))

    async def _ask(self, topic: Any, payload: bytes) -> str:
        """Publish a request about the twin; the id under which its answer comes."""
        request = str(next(self._numbers))
        await self._publish(topic(request), payload)
        return request

    async def _ask_twin(self) -> None:
        self._changed = 0
        self._twin_asked = await self._ask(topics.get_twin, b"")

    # To the hub ---------------------------------------------------------------------------------------------

    async def send(self, reading: Reading) -> None:
        payload = codec.encode(reading.body)
        topic = topics.telemetry(self._identity.device, self._properties(reading))
        size = len(payload) + len(topic)
        if size > LARGEST:
            raise Park(f"the hub takes {LARGEST} bytes with the properties, and this reading has {size}")
        async with self._turn:
            await self._publish(topic, payload)

    def _properties(self, reading: Reading) -> dict[str, str]:
        seen = of_message(self.message, reading.body)
        own = {name: template.fill(seen) for name, template in self.properties.items()}
        time = reading.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"$.mid": reading.id, "$.ct": "application/json", "$.ce": "utf-8", "$.ctime": time, **own}

    async def report(self, state: Mapping[str, Any]) -> None:
        await self._ask(topics.report, codec.encode(state))

    # From the hub -------------------------------------------------------------------------------------------

    async def listen(self) -> None:
        while not self.stopping:
            if self._identity.key and self._seconds() >= self._renew_at:
                await self._renew()
            line = self._line
            if await line.arrival(LOOK):
                for arrival in line.take():
                    await self._heard(arrival)
                    line.acknowledge(arrival)

    async def _heard(self, arrival: Arrival) -> None:
        match topics.read(arrival.topic, self._identity.device):
            case topics.TwinAnswer(status, request):
                await self._twin_answered(status, request, arrival.payload)
            case topics.DesiredChange(version):
                if not version or version > self._version:
                    await self._desired(_object(arrival.payload), whole=False)
                    self._version = max(version, self._version)
                    self._changed = version
            case topics.Method(name, request):
                await self._called(name, request, arrival.payload)
            case topics.ToDevice(properties):
                self.count("cloud-to-device")
                await self.node.deliver(properties.get("action", "message"), _plain(arrival.payload))
            case None:
                self.log.warning("the hub sends under a topic that is not known: %s", arrival.topic[:200])

    async def _twin_answered(self, status: int, request: str, payload: bytes) -> None:
        what = "the twin" if request == self._twin_asked else "the reported properties"
        if status == 429 or status >= 500:
            raise ConnectionError(f"{self._identity.hub} answers {status} about {what}")
        if status >= 300:
            self.log.error("the hub refuses %s: %d %s", what, status, payload[:500].decode(errors="replace"))
        elif request == self._twin_asked:
            twin = _object(payload)
            properties = twin.get("properties", twin) if twin is not None else {}
            desired = properties.get("desired", {}) if isinstance(properties, dict) else None
            await self._desired(desired, whole=True)

    async def _desired(self, changes: Any, *, whole: bool) -> None:
        if isinstance(changes, dict):
            version = changes.get("$version")
            if whole and isinstance(version, int):
                if version < self._changed:  # a change has overtaken the answer
                    await self._ask_twin()
                    return
                self._version = version
            await self.node.desired(changes, whole=whole)
        else:
            self.log.warning("the desired properties are no JSON object; the state stays as it was")

    async def _called(self, name: str, request: str, payload: bytes) -> None:
        self.count("methods")
        try:
            answer = await self.node.call(name, form.read(payload, "json"))
        except ValueError as error:
            answer = Answer(400, {"error": str(error)})
        except SendError as error:
            answer = Answer(503, {"error": error.what})
        await self._publish(topics.method_answer(answer.status, request), codec.encode(answer.payload), qos=0)


def _object(payload: bytes) -> dict[str, Any] | None:
    """A JSON object; None for anything else."""
    try:
        found = form.read(payload, "json")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _plain(payload: bytes) -> Any:
    """JSON, else text, else base64: a message to a device may be anything."""
    for kind in ("json", "text"):
        try:
            return form.read(payload, kind)
        except ValueError:
            continue
    return base64.b64encode(payload).decode()
