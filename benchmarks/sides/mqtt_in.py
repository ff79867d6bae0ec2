"""A backlog that a broker has kept for a session: from the connection to the last message processed.

Mosquitto has the other core. The messages are published before, so each side goes as fast as it can.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import apsw
import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.bodies import SAMPLE, Sample
from benchmarks.load import run
from junctor import Flow, Service, handler
from junctor.adapters import MqttIn
from junctor.messages import codec

CLIENT, TOPIC = "bench", "bench/in"
LOOK = 0.001
CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
user root
max_queued_messages 0
max_inflight_messages {receive}
log_dest none
"""


class Broker:
    """Mosquitto on a free port."""

    def __init__(self, folder: Path, receive: int) -> None:
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if found is None:
            raise RuntimeError("needs Mosquitto: apt-get install mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        file = folder / "mosquitto.conf"
        file.write_text(CONFIG.format(port=self.port, receive=receive))
        self._process = subprocess.Popen([found, "-c", str(file)], stderr=subprocess.DEVNULL)
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


def client(port: int, receive: int, name: str = CLIENT) -> aiomqtt.Client:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = receive
    version = aiomqtt.ProtocolVersion.V5
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier=name,
        protocol=version,
        clean_start=False,
        properties=properties,
        max_inflight_messages=1000,
    )


async def fill(port: int, receive: int, count: int) -> None:
    """Make the session, and let the broker keep so many messages for it."""
    async with client(port, receive) as session:
        await session.subscribe(TOPIC, 1)
    payload = codec.encode(SAMPLE)
    async with client(port, receive, "publisher") as publisher:
        publisher.pending_calls_threshold = 1000  # else it complains of each
        for _ in range(count // 100):
            await asyncio.gather(*(publisher.publish(TOPIC, payload, 1) for _ in range(100)))


def measured(params: Mapping[str, Any], drain: Callable[[int, int, int], Awaitable[float]]) -> dict[str, float]:
    """:param drain: takes port, receive maximum and count, and gives the seconds that it took."""
    receive, count = params["receive"], params["messages"]

    async def both() -> float:
        with Broker(Path(params["folder"]), receive) as broker:
            await fill(broker.port, receive, count)
            return await drain(broker.port, receive, count)

    return {"rate": count / run(both())}


async def _taken(port: int, receive: int, count: int) -> float:
    begin, taken = time.perf_counter(), 0
    async with client(port, receive) as session:
        async for message in session.messages:
            msgspec.json.decode(message.payload, type=Sample)  # type: ignore[arg-type]
            taken += 1
            if taken == count:
                return time.perf_counter() - begin
    raise RuntimeError("the session ended")


def bare(params: Mapping[str, Any]) -> dict[str, float]:
    """aiomqtt: each message is decoded and forgotten, acknowledged as it comes."""
    return measured(params, _taken)


async def _stored(folder: Path, port: int, receive: int, count: int) -> float:
    db = apsw.Connection(str(folder / "bare.db"))
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", 2)
    db.execute("CREATE TABLE message (seq INTEGER PRIMARY KEY, topic TEXT, payload BLOB)")
    begin, taken = time.perf_counter(), 0
    async with client(port, receive) as session:
        while taken < count:
            group = [await anext(session.messages)]
            while len(session.messages):
                group.append(await anext(session.messages))
            for message in group:
                msgspec.json.decode(message.payload, type=Sample)  # type: ignore[arg-type]
            rows = [(str(message.topic), message.payload) for message in group]
            await asyncio.to_thread(_insert, db, rows)
            taken += len(group)
    return time.perf_counter() - begin


def _insert(db: apsw.Connection, rows: list[tuple[str, Any]]) -> None:
    with db:
        db.executemany("INSERT INTO message (topic, payload) VALUES (?, ?)", rows)


def stored(params: Mapping[str, Any]) -> dict[str, float]:
    """aiomqtt: what has come is decoded and stored in one synced commit, again and again."""
    return measured(params, partial(_stored, Path(params["folder"])))


class Sink(Service):
    handled = 0

    @handler
    async def on(self, body: Sample) -> None:
        Sink.handled += 1


async def _processed(folder: Path, port: int, receive: int, count: int) -> float:
    source = MqttIn(url=f"mqtt://127.0.0.1:{port}", topics=[TOPIC], client_id=CLIENT, receive=receive)
    flow = Flow("bench").add(source, name="source", connect={"out": "sink"}).add(Sink(), name="sink")
    begin = time.perf_counter()
    async with flow.running(transport="sqlite", store=folder / "store"):
        while Sink.handled < count:
            await asyncio.sleep(LOOK)
        return time.perf_counter() - begin


def adapter(params: Mapping[str, Any]) -> dict[str, float]:
    """mqtt-in: each message is accepted on the disk, acknowledged, handled and recorded. The start counts, too."""
    return measured(params, partial(_processed, Path(params["folder"])))
