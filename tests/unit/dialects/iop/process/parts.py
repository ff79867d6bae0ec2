"""A project: the messages, data and classes that the tests of processes use."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import BaseModel, PrivateAttr

from junctor.dialects.iop.messages import Message
from junctor.dialects.iop.messages.models import PydanticMessage
from junctor.messages import Sensitive


@dataclass
class Ask(Message):
    number: int = 0
    text: str = None  # type: ignore[assignment]


@dataclass
class Got(Message):
    text: str = None  # type: ignore[assignment]
    numbers: list[int] = field(default_factory=list)


@dataclass
class Payment(Message):
    card: Sensitive[str] = ""
    cents: int = 0


class Letter(PydanticMessage):
    to: str
    lines: list[str] = []


class Stamp(BaseModel):
    cents: int = 85
    _secret: int = PrivateAttr(default=0)


class Colour(enum.Enum):
    RED = "red"
    BLUE = (0, 0, 255)


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


@dataclass
class Cart:
    parts: list[Any] = field(default_factory=list)
    owner: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float = 0.0


class Packed(msgspec.Struct):
    name: str
    size: int = 0
