"""Azure IoT Hub as devices see it, by Microsoft's description of its MQTT interface: a front that checks who connects,
before a Mosquitto that knows the topics of the hub alone, and the service behind them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import lasting_port

HUB = "contoso.azure-devices.net"
HEARD = (
    "$iothub/twin/GET/#",
    "$iothub/twin/PATCH/properties/reported/#",
    "$iothub/methods/res/#",
    "devices/+/messages/events/#",
)
REFUSED = b"\x20\x02\x00\x05"

TOPICS = """
topic readwrite #
topic readwrite $iothub/#
pattern write devices/%c/messages/events/#
pattern read devices/%c/messages/devicebound/#
pattern write $iothub/twin/GET/#
pattern write $iothub/twin/PATCH/properties/reported/#
pattern read $iothub/twin/res/#
pattern read $iothub/twin/PATCH/properties/desired/#
pattern read $iothub/methods/POST/#
pattern write $iothub/methods/res/#
"""


@dataclass(frozen=True)
class Connect:
    """What a device says when it connects."""

    level: int
    clean: bool
    client: str
    user: str
    password: str


class IotHub:
    """``keys``: device to shared access key; a device without one shows a certificate with its id as common name.

    ``connects`` are those that were let in, ``refused`` the reasons of the others, ``telemetry`` what came: properties
    and body. ``twin`` is the twin of the one device that a test has.
    """

    def __init__(self, broker: Mosquitto, keys: dict[str, str]) -> None:
        self.broker, self.keys = broker, keys
        self.connects: list[Connect] = []
        self.refused: list[str] = []
        self.telemetry: list[tuple[dict[str, str], Any]] = []
        self.twin: dict[str, dict[str, Any]] = {"desired": {"$version": 1}, "reported": {"$version": 1}}
        self.twin_status = 200
        self.answers: dict[str, tuple[int, Any]] = {}
        self.ca = broker.authority.ca
        self._up = threading.Event()
        self.port = lasting_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hub")
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self._service = Client(CallbackAPIVersion.VERSION2, client_id="service")
        self._service.on_message, self._service.on_connect = self._came, self._listens
        self._service.on_subscribe = lambda *_: self._up.set()
        self._service.reconnect_delay_set(0.05, 0.05)
        self._service.connect("127.0.0.1", broker.port)
        self._service.loop_start()
        assert self._up.wait(10)

    @classmethod
    def lines(cls, folder: Any) -> list[str]:
        """The lines of the configuration of its Mosquitto."""
        (folder / "acl").write_text(TOPICS)
        return [f"acl_file {folder / 'acl'}"]

    def close(self) -> None:
        self._service.disconnect()
        self._service.loop_stop()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def restart(self) -> None:
        """Every connection breaks. Devices may come back when all is there again."""
        self._up.clear()
        self.broker.restart()
        assert self._up.wait(10)

    # What a back end does -----------------------------------------------------------------------------------

    def want(self, **changes: Any) -> None:
        """Change the desired properties; a device that is connected is told."""
        _merge(self.twin["desired"], changes)
        self.twin["desired"]["$version"] += 1
        topic = f"$iothub/twin/PATCH/properties/desired/?$version={self.twin['desired']['$version']}"
        self._service.publish(topic, json.dumps({**changes, "$version": self.twin["desired"]["$version"]}), 0)

    def call(self, method: str, payload: str = "null", request: str = "a1") -> None:
        """Call a direct method; its answer comes to ``answers``."""
        self._service.publish(f"$iothub/methods/POST/{method}/?$rid={request}", payload, 0)

    def send(self, device: str, payload: bytes | str, **properties: str) -> None:
        """Send a message to a device; QoS 1, kept for one that is away."""
        bag = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in properties.items())
        topic = f"devices/{device}/messages/devicebound/%24.to=%2Fdevices%2F{device}&{bag}"
        self._service.publish(topic, payload, 1).wait_for_publish(10)

    def _listens(self, client: Client, *_: Any) -> None:
        client.subscribe([(topic, 1) for topic in HEARD])

    def _came(self, client: Client, data: Any, message: MQTTMessage) -> None:
        topic, _, query = message.topic.partition("?")
        fields = dict(parse_qsl(query))
        if topic.startswith("$iothub/twin/GET/"):
            self._answer(self.twin_status, fields["$rid"], json.dumps(self.twin))
        elif topic.startswith("$iothub/twin/PATCH/"):
            _merge(self.twin["reported"], json.loads(message.payload))
            self.twin["reported"]["$version"] += 1
            self._answer(204, f"{fields['$rid']}&$version={self.twin['reported']['$version']}", "")
        elif topic.startswith("$iothub/methods/res/"):
            self.answers[fields["$rid"]] = int(topic.split("/")[3]), json.loads(message.payload or b"null")
        else:
            properties = dict(parse_qsl(message.topic.split("/", 4)[4]))
            self.telemetry.append((properties, json.loads(message.payload)))

    def _answer(self, status: int, request: str, payload: str) -> None:
        self._service.publish(f"$iothub/twin/res/{status}/?$rid={request}", payload, 0)

    # Who may connect ----------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        certificate, key = self.broker.authority.issue("localhost")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca))
        context.load_cert_chain(certificate, key)
        context.verify_mode = ssl.CERT_OPTIONAL
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=context)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._up.is_set():
                return
            first = await _packet(reader)
            told = _read(first)
            problem, expires = self._judge(told, writer.get_extra_info("peercert"))
            if problem:
                self.refused.append(problem)
                writer.write(REFUSED)
                return
            self.connects.append(told)
            async with asyncio.timeout(expires - time.time()):
                await self._join(first, reader, writer)
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _join(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", self.broker.port)
        there.write(first)
        ways = [asyncio.ensure_future(_forward(reader, there)), asyncio.ensure_future(_forward(back, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.close()  # before anything is awaited: the hub may end meanwhile
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _judge(self, told: Connect, certificate: Any) -> tuple[str, float]:
        """What is wrong, and until when the device may stay, seconds since 1970."""
        if told.level != 4:
            return "not MQTT 3.1.1", 0
        if told.user != f"{HUB}/{told.client}/?api-version=2021-04-12":
            return f"user name {told.user}", 0
        if told.client not in self.keys:
            return f"no device {told.client}", 0
        if not self.keys[told.client]:
            names = [value for part in (certificate or {}).get("subject", ()) for _, value in part]
            return ("" if told.client in names else f"certificate of {names}"), time.time() + 3600
        return self._signed(told)

    def _signed(self, told: Connect) -> tuple[str, float]:
        fields = dict(part.split("=", 1) for part in told.password.removeprefix("SharedAccessSignature ").split("&"))
        resource = quote(f"{HUB}/devices/{told.client}", safe="")
        key = base64.b64decode(self.keys[told.client])
        signed = hmac.new(key, f"{fields.get('sr')}\n{fields.get('se')}".encode(), hashlib.sha256).digest()
        if fields.get("sr") != resource or unquote(fields.get("sig", "")) != base64.b64encode(signed).decode():
            return "signature", 0
        expires = float(fields["se"])
        return ("expired" if expires <= time.time() else ""), expires


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """The first packet as it is."""
    head, length, shift = await reader.readexactly(1), 0, 0
    while True:
        byte = await reader.readexactly(1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return head + await reader.readexactly(length)


def _read(packet: bytes) -> Connect:
    """CONNECT of MQTT 3.1.1, without a will."""
    at = next(number for number in range(1, 5) if packet[number] < 0x80) + 1
    texts: list[str] = []

    def text(at: int) -> int:
        size = int.from_bytes(packet[at : at + 2], "big")
        texts.append(packet[at + 2 : at + 2 + size].decode())
        return at + 2 + size

    at = text(at)
    level, flags = packet[at], packet[at + 1]
    at = text(at + 4)
    for flag in (0x80, 0x40):
        at = text(at) if flags & flag else texts.append("") or at
    return Connect(level, bool(flags & 2), texts[1], texts[2], texts[3])


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            into.pop(name, None)
        elif isinstance(value, dict):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value
