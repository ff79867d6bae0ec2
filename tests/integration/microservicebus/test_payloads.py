"""What payloads arrive as: the table of docs/reference/microservicebus.md."""

from __future__ import annotations

import dataclasses
import enum
from collections import deque, namedtuple
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from junctor import Flow
from junctor.dialects.microservicebus import CustomService, QueueMessage
from junctor.errors import EncodeError
from tests.integration.adapters.mqtt.flows import comes

Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Reading:
    sensor: str


ARRIVES: list[tuple[Any, Any]] = [
    ({"a": [1, 2.5, True, None, "b"]}, {"a": [1, 2.5, True, None, "b"]}),
    (2**70, 2**70),
    ((1, Point(2, 3)), [1, [2, 3]]),
    ({7}, [7]),
    (b"ab\xff", "YWL/"),
    (bytearray(b"a"), "YQ=="),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(1, 2), "01:02:00"),
    (timedelta(seconds=90), "PT90S"),
    (Decimal("1.10"), "1.10"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Colour.RED, "red"),
    (Reading("a"), {"sensor": "a"}),
    ({1: "a", 1.5: "b"}, {"1": "a", "1.5": "b"}),
]

REFUSED: list[Any] = [
    {None: 1},
    {True: 1},
    {(1, 2): 1},
    float("nan"),
    Path("/a"),
    deque([1]),
    range(2),
    1j,
    print,
    ValueError("a"),
    object(),
]


class Sender(CustomService):
    errors: list[BaseException] = []

    async def Start(self) -> None:
        for payload, _ in ARRIVES:
            await self.SubmitAction("taker", "Take", payload)
        for payload in REFUSED:
            try:
                await self.SubmitAction("taker", "Take", payload)
            except EncodeError as error:
                self.errors.append(error)


class Taker(CustomService):
    taken: list[Any] = []

    async def Take(self, message: QueueMessage) -> None:
        self.taken.append(message.message[0])


@pytest.mark.parametrize("transport", ["memory", "sqlite"])
async def test_payloads(transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sender, "errors", [])
    monkeypatch.setattr(Taker, "taken", [])
    flow = Flow("plain").add(Sender, name="sender").add(Taker, name="taker")
    where: dict[str, Any] = {"transport": "memory"} if transport == "memory" else {"store": tmp_path / "store"}
    async with flow.running(**where):
        await comes(lambda: len(Taker.taken) == len(ARRIVES) and len(Sender.errors) == len(REFUSED))
    assert sorted(map(repr, Taker.taken)) == sorted(repr(came) for _, came in ARRIVES)
