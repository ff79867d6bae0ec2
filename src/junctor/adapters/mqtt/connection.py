"""One connection to a broker, on the event loop that opens it. The client library does the protocol and is given its
turns by the loop; it connects in a thread, because names are looked up and TLS is agreed on in blocking calls.

A connection is opened once. When it is lost, what was under way fails, and the next one is another object: nothing of
the old one is repeated behind the back of who uses it.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from junctor.adapters.mqtt.broker import Broker
from junctor.adapters.mqtt.messages import NEVER, arrival_of, properties_of, size_of
from junctor.adapters.mqtt.messages import Arrival as Arrival
from junctor.adapters.mqtt.messages import Publication as Publication
from junctor.adapters.mqtt.reasons import PROTOCOL, SILENT, TAKEN_OVER, PublishRefused

TURN = 64
"""Packets that are read before others have their turn on the loop."""

TEND = 1.0
"""Seconds between two looks at whether the other side is still there."""


class Connection:
    """``arrived`` are the messages that nobody has taken yet. ``resumed`` says that the broker had kept the session."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.resumed = False
        self.arrived: deque[Arrival] = deque()
        self.lost: ConnectionError | None = None
        self._loop = asyncio.get_running_loop()
        self._five = broker.protocol == "5"
        self._client = self._made()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._waiting: asyncio.Future[None] | None = None
        self._answers: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._published: dict[int, asyncio.Future[int]] = {}
        self._limits: object = None
        self._room = asyncio.Semaphore(0xFFFF)
        self._readable = select.poll()
        self._reading = self._closed = False
        self._fd = -1
        self._timer: asyncio.TimerHandle | None = None

    # Open and close -----------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and present oneself.

        :raises ConnectionError: it is not possible, with the reason.
        """
        where = self.broker.address
        try:
            async with asyncio.timeout(self.broker.timeout):
                await asyncio.to_thread(self._connect)
                self._attach()
                await self._opened
        except TimeoutError:
            self.close()
            raise ConnectionError(f"{where} does not answer") from None
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise ConnectionError(f"the certificate of {where} is not trusted: {error.verify_message}") from error
        except OSError as error:
            self.close()
            if isinstance(error, ConnectionError) and error is self.lost:
                raise
            raise ConnectionError(f"no connection to {where}: {error.strerror or error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Say goodbye, so that the broker does not publish the will, and end. What waits fails."""
        if self._closed:
            return
        self._closed = True
        if self.lost is None:
            self._client.disconnect()
            self._turn(self._client.loop_write)
        self._broken("is closed")

    def _made(self) -> Client:
        broker = self.broker
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=None if self._five else not broker.session,
            protocol=MQTTProtocolVersion.MQTTv5 if self._five else MQTTProtocolVersion.MQTTv311,
            transport="tcp" if broker.address.path is None else "websockets",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = broker.timeout
        client.max_inflight_messages_set(0)
        if broker.user:
            client.username_pw_set(broker.user, broker.password or None)
        if broker.address.path is not None:
            client.ws_set_options(path=broker.address.path)
        if broker.will is not None:
            will = broker.will
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message, client.on_publish = self._on_message, self._on_publish
        client.on_subscribe = client.on_unsubscribe = self._on_answer
        return client

    def _connect(self) -> None:
        """In a thread: until the first packet is sent."""
        broker, client = self.broker, self._client
        if broker.address.tls:
            client.tls_set_context(broker.trust.context())
        properties = None
        if self._five:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = min(int(broker.session), NEVER)
            properties.ReceiveMaximum = broker.receive
        client.connect(
            broker.address.host,
            broker.address.port,
            broker.keepalive,
            clean_start=not broker.session if self._five else 3,  # 3 means the first time only, as the library says it
            properties=properties,
        )
        if self._closed:  # nobody waits for it any more
            client.disconnect()

    def _attach(self) -> None:
        """From here on the loop gives the library its turns."""
        client = self._client
        sock = client.socket()
        if sock is None:
            raise ConnectionResetError("it was closed at once")
        if isinstance(sock, socket.socket):  # a small packet must not wait for the acknowledgement of the one before
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd = sock.fileno()
        self._readable.register(self._fd, select.POLLIN)
        client.on_socket_close = lambda *_: self._detach()
        client.on_socket_register_write = lambda *_: self._loop.add_writer(self._fd, self._turn, client.loop_write)
        client.on_socket_unregister_write = self._written
        self._read_on()
        if client.want_write():
            self._loop.add_writer(self._fd, self._turn, client.loop_write)
        self._tend()

    def _detach(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd, self._reading = -1, False

    def _written(self, *_: Any) -> None:
        if self._fd >= 0:
            self._loop.remove_writer(self._fd)

    def _lose(self, error: ConnectionError) -> None:
        """Everybody who waits is told."""
        if self.lost is not None:
            return
        self.lost = error
        self._detach()
        if self._timer is not None:
            self._timer.cancel()
        waiting: list[asyncio.Future[Any]] = [self._opened, *self._answers.values(), *self._published.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # who waits gets it; where nobody does, it is no loose end
        self._wake()

    # Turns --------------------------------------------------------------------------------------------------

    def _turn(self, take: Any) -> None:
        """Let the library read or write; whatever it makes of nonsense ends the connection and nothing else."""
        try:
            code = take()
        except Exception as error:  # noqa: BLE001 - what a broker sends is not ours
            self._broken(f"brought what is no MQTT: {error!r}")
            return
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN):
            self._broken("was lost" if code == MQTTErrorCode.MQTT_ERR_CONN_LOST else f"failed: {code.name}")

    def _broken(self, what: str) -> None:
        self._lose(ConnectionResetError(f"the connection to {self.broker.address} {what}"))
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _read(self) -> None:
        for _ in range(TURN):
            self._turn(self._client.loop_read)
            sock = self._client.socket()
            if self.lost is not None or sock is None or self._full:
                break
            if not (getattr(sock, "pending", int)() or self._readable.poll(0)):
                break
        if self._reading and self._full:
            self._reading = False
            self._loop.remove_reader(self._fd)

    @property
    def _full(self) -> bool:
        """Whether to read no more until something is taken. Brokers need not keep to what was agreed on, and in 3.1.1
        nothing is; an answer that is waited for may be behind what they send."""
        return len(self.arrived) >= 2 * self.broker.receive and self._opened.done() and not self._answers

    def _read_on(self) -> None:
        if not self._reading and self._fd >= 0:
            self._reading = True
            self._loop.add_reader(self._fd, self._read)

    def _tend(self) -> None:
        """Pings are sent, and a side that does not answer them is given up. While nothing is read, none is seen."""
        if self._reading:
            self._turn(self._client.loop_misc)
        if self.lost is None:
            self._timer = self._loop.call_later(TEND, self._tend)

    # Messages in --------------------------------------------------------------------------------------------

    async def arrival(self, within: float) -> bool:
        """Wait until something has arrived, and no longer than some seconds: whether it has.

        :raises ConnectionError: the connection is lost, and all that arrived has been taken.
        """
        if not self.arrived:
            await self.rest(within)
        return bool(self.arrived)

    async def rest(self, within: float) -> None:
        """Wait until something happens, and no longer than some seconds.

        :raises ConnectionError: the connection is lost.
        """
        if self.lost is None:
            self._waiting = self._loop.create_future()
            timer = self._loop.call_later(within, self._wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
        if self.lost is not None and not self.arrived:
            raise self.lost

    def take(self) -> list[Arrival]:
        """What has arrived, in its order, as many as may be unacknowledged at once."""
        count = min(len(self.arrived), self.broker.receive)
        taken = [self.arrived.popleft() for _ in range(count)]
        self._read_on()
        return taken

    def acknowledge(self, arrival: Arrival) -> None:
        """Tell the broker that it need not send this message again. In the order of their arrival; on a connection that
        is lost nothing happens: the broker sends the message again."""
        if arrival.qos and self.lost is None:
            self._turn(lambda: self._client.ack(arrival.number, arrival.qos))

    async def subscribe(self, topics: Sequence[str], qos: int, retained: int = 0) -> list[int]:
        """Subscribe to all of them.

        :param retained: of MQTT 5: 0 for the retained messages each time, 1 where the subscription is new, 2 for none.
        :return: the QoS that the broker grants to each.
        :raises ConnectionError: it refuses one.
        """
        if self._five:
            options = SubscribeOptions(qos=qos, retainHandling=retained)
            wanted: Any = [(topic, options) for topic in topics]
        else:
            wanted = [(topic, qos) for topic in topics]
        answers = await self._asked(*self._client.subscribe(wanted))
        for topic, answer in zip(topics, answers, strict=False):
            if answer.is_failure:
                raise ConnectionError(f'{self.broker.address} refuses a subscription to "{topic}": {answer}')
        return [answer.value for answer in answers]

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """End subscriptions that the broker kept from a session before."""
        await self._asked(*self._client.unsubscribe(list(topics)))

    async def _asked(self, code: MQTTErrorCode, number: int | None) -> list[ReasonCode]:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or number is None:
            raise self.lost or ConnectionError(f"{self.broker.address}: {code.name}")
        answer: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._answers[number] = answer
        self._read_on()
        try:
            async with asyncio.timeout(self.broker.timeout):
                await answer
        except TimeoutError:
            raise ConnectionError(f"{self.broker.address} does not answer") from None
        finally:
            del self._answers[number]
        return answer.result()

    # Messages out -------------------------------------------------------------------------------------------

    async def publish(self, publication: Publication) -> int:
        """Send a message and wait: with QoS 1 for the acknowledgement, with QoS 0 until it is written.

        :return: the reason code of the acknowledgement, 0 where there is none.
        :raises PublishRefused: the broker does not take it, or has said before that it would not.
        :raises ConnectionError: the connection is lost, or no answer came in time, which ends it.
        """
        self._check_limits(publication)
        async with self._room:
            if self.lost is not None:
                raise self.lost
            return await self._publish(publication)

    async def _publish(self, publication: Publication) -> int:
        info = self._client.publish(
            publication.topic,
            publication.payload,
            publication.qos,
            publication.retain,
            properties_of(publication) if self._five else None,
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self.lost or ConnectionError(f"{self.broker.address}: {MQTTErrorCode(info.rc).name}")
        if publication.qos == 0 and info.is_published():
            return 0
        answer: asyncio.Future[int] = self._loop.create_future()
        self._published[info.mid] = answer
        try:
            async with asyncio.timeout(self.broker.timeout):
                return await answer
        except TimeoutError:
            self._broken("is given up: no acknowledgement came")
            raise ConnectionError(f"{self.broker.address} does not acknowledge") from None
        finally:
            del self._published[info.mid]

    def _check_limits(self, publication: Publication) -> None:
        """What a broker has announced not to take would end the connection."""
        most = getattr(self._limits, "MaximumPacketSize", None)
        size = size_of(publication)
        if most is not None and size > most:
            raise self._refused(f"packets have {most} bytes at most there, and this one has {size}")
        if publication.qos > getattr(self._limits, "MaximumQoS", 2):
            raise ConnectionError(f"{self.broker.address} has no QoS {publication.qos}")
        if publication.retain and not getattr(self._limits, "RetainAvailable", 1):
            raise self._refused("messages are not retained there")

    def _refused(self, what: str, reason: int = 0) -> PublishRefused:
        return PublishRefused(what, where=str(self.broker.address), reason=reason)

    # What the library calls ---------------------------------------------------------------------------------

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._lose(ConnectionRefusedError(f"{self.broker.address} refuses the connection: {reason}"))
            return
        self.resumed = flags.session_present
        if isinstance(properties, Properties):
            self._limits = properties
            self._room = asyncio.Semaphore(getattr(properties, "ReceiveMaximum", 0xFFFF))
        if not self._opened.done():
            self._opened.set_result(None)

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        where, own = self.broker.address, self.broker.client_id
        if flags.is_disconnect_packet_from_server:
            text = f"{where} ended the connection: {reason}"
            if reason.value == TAKEN_OVER:
                text = f'{where} gave the session to another client that is called "{own}"'
        elif reason.value == SILENT:
            text = f"{where} is silent"
        elif reason.value == PROTOCOL:
            text = f"{where} sent what is no MQTT"
        else:
            text = f'the connection to {where} was lost; so it is, too, where another client is called "{own}"'
        self._lose(ConnectionResetError(text))

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        self.arrived.append(arrival_of(message))
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _on_publish(self, client: Client, data: Any, number: int, reason: ReasonCode, properties: Any) -> None:
        future = self._published.get(number)
        if future is None or future.done():
            return
        if reason.is_failure:
            future.set_exception(self._refused(f"it is refused: {reason}", reason.value))
        else:
            future.set_result(reason.value)

    def _on_answer(self, client: Client, data: Any, number: int, reasons: list[ReasonCode], properties: Any) -> None:
        future = self._answers.get(number)
        if future is not None and not future.done():
            future.set_result(reasons)
