"""What ``junctor check`` says of the names that callbacks of a conversation wait for: each wrong one, and no other."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from junctor.cli.main import main

Write = Callable[..., Path]
Look = Callable[..., list[str]]

HEAD = """\
from junctor import Conversation, Flow, Service, Target, handler, on_failure, on_reply, on_timer

PATIENCE = "patience"


def remind(conversation):
    conversation.timer("1h", name="reminder")


class Rooms(Service):
    @handler
    async def book(self, hotel: str) -> str:
        return hotel


class Base(Conversation):
    rooms: Target[str, str]
    more: Target[str, str] | None

    @handler
    def on_trip(self, trip: int) -> str:
"""
TAIL = """

flow = Flow("f").add(Booking).add(Rooms)
"""


@pytest.fixture
def look(plant: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Look:
    count = 0

    def looked(body: str, marked: str, before: str = "") -> list[str]:
        nonlocal count
        count += 1
        lines = [textwrap.dedent(before), HEAD + textwrap.indent(textwrap.dedent(body), " " * 8)]
        parameters = "self" if marked.startswith("on_timer") else "self, end"
        lines += ["", "class Booking(Base):", f"    @{marked}", f"    def came({parameters}): ..."]
        path = plant(f"talk{count}.py", "\n".join(lines) + TAIL)
        monkeypatch.chdir(path.parent)
        main(["check", path.name, "--json"])
        found = json.loads(capsys.readouterr().out)["findings"]
        return [
            f"{one['where']}: {one['what']} {one['fix']} {one['place']}" for one in found if one["code"] == "callback"
        ]

    return looked


@pytest.mark.parametrize(
    "body, marked, fix",
    [
        ('self.rooms.ask("x")', 'on_reply("room")', 'Did you mean "rooms"?'),
        ('self.rooms.ask("x", name="first")', 'on_failure("frist")', 'Did you mean "first"?'),
        ('self.timer("1h", name="patience")', 'on_timer("patients")', 'Did you mean "patience"?'),
        ('self.timer("1h", name=PATIENCE)', 'on_timer("patiense")', 'Did you mean "patience"?'),
        ('self.rooms.ask("x")', 'on_timer("rooms")', "Start it:"),
        ('self.timer("1h", name="a" if trip else "b")', 'on_timer("c")', "Start it:"),
        ("remind(self)", 'on_timer("remainder")', 'Did you mean "reminder"?'),
    ],
)
def test_a_name_that_nothing_has(look: Look, body: str, marked: str, fix: str) -> None:
    (found,) = look(body, marked)
    assert found.startswith("booking.came: no ")
    assert "is never called for it" in found and fix in found and "talk1.py:" in found


@pytest.mark.parametrize(
    "body, marked",
    [
        ('self.rooms.ask("x")', 'on_reply("rooms")'),
        ("pass", 'on_failure("more")'),
        ("pass", "on_reply"),
        ('self.rooms.ask("x", name="first")', 'on_reply("first")'),
        ('self.rooms.ask("x", name=f"part-{trip}")', 'on_reply("part-1")'),
        ('self.rooms.ask("x", name=str(trip))', 'on_reply("1")'),
        ('self.rooms.ask("x", **{"name": "y"})', 'on_reply("y")'),
        ('self.timer("1h", name=PATIENCE)', 'on_timer("patience")'),
        ('self.timer("1h", name="a" if trip else "b")', 'on_timer("b")'),
        ("remind(self)", 'on_timer("reminder")'),
        ("print(self)", 'on_timer("anything")'),
        ("known = [self.rooms]", 'on_reply("anything")'),
        ("elsewhere(self.rooms)", 'on_reply("tenth")'),
        ('self.conversation.timer(5, "inner")', 'on_timer("inner")'),
        ('self.target("rooms", str, str).ask("x")', 'on_reply("flow/rooms")'),
    ],
)
def test_a_name_that_is_used_or_may_be(look: Look, body: str, marked: str) -> None:
    assert look(body, marked, "def elsewhere(any): any.ask(1, name='tenth')\n") == []
