"""Attributes between two callbacks: what cannot be stored, and classes that change while conversations are open."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junctor import Conversation, Flow, Sensitive, handler, on_timer
from junctor.core.records import Query
from junctor.core.run import Run, RunQuery, RunStatus
from junctor.core.snapshot import read_snapshot, shown_attributes
from junctor.messages import Status
from junctor.testing import RunningFlow, running


@dataclass
class Begin:
    number: int


def desk(kind: type[Conversation]) -> Flow:
    return Flow("desk").add(kind, name="desk")


def runs(plant: RunningFlow) -> list[Run]:
    return plant.node.archive.runs(RunQuery())


def shown(plant: RunningFlow) -> dict[str, Any]:
    return shown_attributes(read_snapshot(runs(plant)[-1].snapshot))


class Counting(Conversation):
    count: int = 0
    card: Sensitive[str] = "none"
    note: str

    @handler
    async def on_begin(self, begin: Begin) -> None:
        self.count = begin.number
        self.card = "4711 0815 4711"
        self.note = "first"
        self.timer("1h", name="next")

    @on_timer("next")
    async def go_on(self) -> None:
        self.log.info("the card is %s, the note %s", self.card, self.note)
        self.count += 1
        self.timer("1h", name="next")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (threading.Lock(), "Locking.held: lock cannot be stored: lock is not a JSON value"),
        ({1: object()}, "cannot be stored"),
        ({"a": [{1: 2}]}, r"Locking.held: a dict has the key 1, of type int, .*`held: dict\[int, ...\]`"),
        ((1, 2), "Locking.held: tuple would come back as list"),
        (float("nan"), "Locking.held: float cannot be stored"),
        (Begin(1), "Locking.held: Begin would come back as dict"),
    ],
)
async def test_a_value_that_cannot_be_stored_parks_the_message_and_commits_nothing(value: Any, told: str) -> None:
    class Locking(Conversation):
        held: Any = None

        @handler
        async def on_begin(self, begin: Begin) -> None:
            self.held = value
            self.timer("1h", name="next")

    async with running(desk(Locking)) as plant:
        with plant.expect_parked("NotStorable", match=told):
            await plant.send("desk", Begin(1))
        assert runs(plant) == []
        assert len(plant.messages) == 1


async def test_a_value_of_another_type_than_declared_is_told_when_it_is_set_not_when_it_is_missed() -> None:
    class Mistyped(Conversation):
        count: int = 0

        @handler
        async def on_begin(self, begin: Begin) -> None:
            self.count = "seven"  # type: ignore[assignment]

    async with running(desk(Mistyped)) as plant:
        with plant.expect_parked("NotStorable", match=r"Mistyped\.count: str cannot be stored: Expected `int`"):
            await plant.send("desk", Begin(1))


async def test_a_value_that_nothing_declares_would_be_lost_and_is_told() -> None:
    class Forgetful(Conversation):
        @handler
        async def on_begin(self, begin: Begin) -> None:
            self._scratch = 1
            self.found = begin.number

    async with running(desk(Forgetful)) as plant:
        with plant.expect_parked("NotStorable", match=r"Forgetful\.found: the value is lost"):
            await plant.send("desk", Begin(1))


async def test_sensitive_attributes_are_masked_where_they_are_shown(tmp_path: Path) -> None:
    async with running(desk(Counting)) as plant:
        await plant.send("desk", Begin(1))
        await plant.advance("1h")
        assert shown(plant) == {"count": 2, "card": "***", "note": "first"}
        assert [log.text for log in plant.logs if "card" in log.text] == ["the card is ***, the note first"]


async def test_new_attributes_have_their_defaults_and_removed_ones_come_back(tmp_path: Path) -> None:
    class Newer(Conversation):
        count: int = 0
        more: list[str] = ["new"]

        @handler
        async def on_begin(self, begin: Begin) -> None: ...

        @on_timer("next")
        async def go_on(self) -> None:
            self.more.append(str(self.count))
            self.timer("1h", name="next")

    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.send("desk", Begin(1))
    async with running(desk(Newer), store=tmp_path / "store") as plant:
        await plant.advance("1h")
        assert shown(plant)["more"] == ["new", "1"]
        assert sum("not declared any more" in log.text for log in plant.logs) == 2
    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.advance("2h")
        assert shown(plant)["count"] == 2
        assert any(log.text == "the card is ***, the note first" for log in plant.logs)


async def test_a_type_that_no_longer_fits_suspends_the_conversation_until_it_does(tmp_path: Path) -> None:
    @dataclass
    class Money:
        amount: int

    class Richer(Counting):
        note: Money  # type: ignore[assignment]

    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.send("desk", Begin(1))
    async with running(desk(Richer), store=tmp_path / "store") as plant:
        await plant.advance("1h")
        (parked,) = plant.node.archive.search(Query(statuses=(Status.PARKED,)))
        assert parked.failure is not None
        assert "Richer.note: what is stored does not fit today's class: Expected `object`" in parked.failure.text
        (run,) = runs(plant)
        assert run.status is RunStatus.SUSPENDED
        assert "Richer.note" in run.error
        assert any(alert.kind == "run-suspended" for alert in plant.alerts)
    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.resend(parked.message)
        (run,) = runs(plant)
        assert (run.status, run.error, shown(plant)["count"]) == (RunStatus.OPEN, "", 2)


async def test_a_handler_that_was_renamed_goes_on(tmp_path: Path) -> None:
    class Renamed(Conversation):
        count: int = 0

        @handler
        async def on_start_now(self, begin: Begin) -> int: ...

        @on_timer("next")
        async def later(self) -> int:
            return self.count

    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.send("desk", Begin(7))
    async with running(desk(Renamed), store=tmp_path / "store") as plant:
        await plant.advance("1h")
        (run,) = runs(plant)
        record = plant.node.archive.record(run.seq)
        assert record is not None
        assert record.reply is not None
        assert bytes(record.reply.payload) == b"7"
        assert run.status is RunStatus.DONE


async def test_what_comes_for_a_damaged_record_is_parked(tmp_path: Path) -> None:
    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.send("desk", Begin(1))
    (file,) = (tmp_path / "store").rglob("*.db")
    with sqlite3.connect(file) as store:
        store.execute("UPDATE run SET snapshot = ?", (b'{"attributes":{"count":9}}',))
    store.close()
    async with running(desk(Counting), store=tmp_path / "store") as plant:
        await plant.advance("1h")
        (parked,) = plant.node.archive.search(Query(statuses=(Status.PARKED,)))
        assert parked.failure is not None
        assert "run 1 is not what was written" in parked.failure.text
