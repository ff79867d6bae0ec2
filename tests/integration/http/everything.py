"""A service with every kind of parameter and answer, for tests that ask for all of it."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from junctor import Service, action, delete, get, patch, post, put
from junctor.http import (
    Body,
    Cookie,
    Event,
    Form,
    Header,
    Query,
    Response,
    Upload,
    file,
    html,
    redirect,
    set_cookie,
    stream,
)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    """A place on a plane.

    It has two coordinates.
    """

    x: float
    y: Annotated[float, msgspec.Meta(ge=-90, le=90, description="degrees", examples=[48.2])] = 0.0


class Node(msgspec.Struct, rename="camel"):
    """A tree."""

    node_name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    children: list[Node] = []


class Cat(msgspec.Struct, tag="cat"):
    lives: int


class Dog(msgspec.Struct, tag="dog"):
    tricks: list[str]


@dataclass
class Order:
    id: UUID
    at: datetime
    on: date
    price: Decimal
    color: Color
    level: Level
    point: Point | None = None
    notes: dict[str, int] = field(default_factory=dict)
    pair: tuple[int, str] = (1, "a")
    lasts: timedelta = timedelta(seconds=1)
    blob: bytes = b""


@dataclass
class Login:
    user: str
    age: Annotated[int, msgspec.Meta(ge=0, le=150)] = 0
    tags: list[str] = field(default_factory=list)


class Everything(Service):
    """All kinds of parameters and answers."""

    @get("/query")
    async def query(
        self,
        number: int,
        ratio: float = 0.5,
        yes: bool = False,
        word: str = "a",
        maybe: int | None = None,
        percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 50,
        code: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,5}$")] = "ab",
        color: Color = Color.RED,
        level: Level = Level.LOW,
        kind: Literal["plain", "fancy"] = "plain",
        many: Annotated[list[int], msgspec.Meta(max_length=5)] = [],  # noqa: B006
        at: datetime | None = None,
        on: date | None = None,
        when: time | None = None,
        lasts: timedelta | None = None,
        uid: UUID | None = None,
        price: Decimal | None = None,
        since: Annotated[int, Query("from")] = 0,
    ) -> dict[str, Any]:
        """Every type that a query knows.

        Numbers, texts, times.
        """
        return {"number": number, "percent": percent, "since": since, "color": color.value}

    @get("/items/{number}/{name}")
    def path(self, number: int, name: str) -> tuple[int, str]:
        return number, name

    @get("/rest/{rest:path}")
    async def rest(self, rest: str) -> str:
        return rest

    @get("/header")
    async def header(self, x_count: Annotated[int, Header()], agent: Annotated[str, Header("user-agent")] = "") -> int:
        return x_count

    @get("/cookie")
    async def cookie(self, sid: Annotated[str, Cookie()], visits: Annotated[int, Cookie("n")] = 0) -> Response:
        return Response(sid, headers=[set_cookie("n", str(min(visits, 9) + 1))], media_type="text/plain")

    @post("/orders", status=201)
    async def order(self, order: Order) -> Order:
        return order

    @put("/orders/{uid}")
    async def replace(self, uid: UUID, order: Order, note: str = "") -> None:
        return None

    @patch("/points")
    async def points(self, points: list[Point]) -> list[Point]:
        return points

    @post("/tree")
    async def tree(self, tree: Node) -> int:
        return len(tree.children)

    @post("/pets")
    async def pets(self, pet: Cat | Dog) -> Cat | Dog:
        return pet

    @post("/two")
    async def two(self, point: Point, login: Login | None = None) -> Point:
        return point

    @post("/numbers")
    async def numbers(self, numbers: Annotated[list[int], Body()]) -> int:
        return len(numbers)

    @post("/raw")
    async def raw(self, data: bytes) -> bytes:
        return data

    @post("/anything")
    def anything(self, data: dict[str, Any]) -> Any:
        return data

    @post("/login")
    async def login(self, user: Annotated[str, Form()], age: Annotated[int, Form()] = 0) -> dict[str, int]:
        return {user: age}

    @post("/login-class")
    def login_class(self, login: Annotated[Login, Form()]) -> Login:
        return login

    @post("/upload")
    async def upload(
        self, document: Upload, note: Annotated[str, Form()] = "", point: Point | None = None
    ) -> dict[str, Any]:
        data = await document.read()
        return {"size": len(data), "name": document.filename, "type": document.content_type, "note": note}

    @post("/uploads")
    def uploads(self, documents: list[Upload], last: Upload | None = None) -> list[int]:
        return [len(one.read_sync()) for one in documents]

    @get("/lines")
    async def lines(self, count: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3) -> AsyncIterator[Point]:
        """Points as they come."""
        for number in range(count):
            yield Point(float(number))

    @get("/events")
    async def events(self, last: Annotated[int, Header("last-event-id")] = 0) -> AsyncIterator[Event[Point]]:
        for number in range(last % 1000, last % 1000 + 3):
            yield Event(Point(float(number)), id=str(number), event="point")

    @get("/text")
    def text(self) -> Iterator[str]:
        yield "one\n"
        yield "two\n"

    @get("/bytes")
    async def data(self) -> AsyncIterator[bytes]:
        yield b"\0" * 100

    @get("/csv")
    async def csv(self) -> Any:
        return stream(iter(["a;b\n", "1;2\n"]), "text/csv")

    @get("/file")
    def download(self) -> Any:
        return file(Path(__file__), "everything.txt")

    @get("/page")
    def page(self) -> Response:
        return html("<h1>Hello</h1>")

    @get("/away")
    def away(self) -> Response:
        return redirect("/page")

    @delete("/orders/{uid}")
    async def remove(self, uid: UUID) -> None:
        """.. deprecated:: 1.2"""

    @action
    async def reset(self, hard: bool = False) -> str:
        """Set everything back."""
        return "hard" if hard else "soft"

    @action
    def move(self, point: Point) -> Point:
        return point

    @action
    def open(self, **options: Any) -> int:
        return len(options)
