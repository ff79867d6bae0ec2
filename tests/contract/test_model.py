"""Random histories against a tiny model. A failure prints the @reproduce_failure line that repeats it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junctor.core.outcome import StateWrite
from junctor.core.records import Insert, Settle
from junctor.errors import StateConflict
from junctor.messages import Status
from junctor.testing.transports import Bench, MemorySite, Site, SqliteSite
from tests.contract.model import Model
from tests.crash.campaigns import cycles

SERVICE = "flow/sink"
NAMES = ("a", "b")
PICK = st.integers(0, 50)

INSERT = st.tuples(
    st.just("insert"),
    st.sampled_from([Status.READY, Status.READY, Status.CLAIMED, Status.WAITING, Status.DONE]),
    st.sampled_from([None, "k", "l"]),
    st.sampled_from([None, None, 1, 2, 3]),  # the counter of an origin; equal ones are duplicates
)
SETTLE = st.tuples(st.just("settle"), PICK, st.sampled_from(Status), st.integers(0, 3), st.integers(0, 100))
CLAIM = st.tuples(st.just("claim"), PICK)
WRITE = st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from([b"1", b"2", None]), st.booleans())
COMMIT = st.lists(st.one_of(INSERT, INSERT, SETTLE, SETTLE, CLAIM, WRITE), max_size=4)
TURN = st.lists(COMMIT, min_size=1, max_size=5)
"""Commits given without waiting: a transport may fold them into one group."""
HISTORY = st.lists(st.one_of(TURN, TURN, TURN, st.sampled_from(["reopen", "crash", "look"])), max_size=12)


class Pair:
    """A transport and the model, driven alike."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.model = Model()

    async def play(self, history: list[Any]) -> None:
        for step in history:
            if step in ("reopen", "crash"):
                await self._open_again(step)
            elif step != "look":
                await asyncio.gather(*[self._commit(commit) for commit in step])
            await self._compare()

    async def _open_again(self, how: str) -> None:
        if not self.bench.transport.capabilities.durable:
            return
        if how == "reopen":
            self.model.stop_cleanly()
            opened = await self.bench.reopen()
        else:
            opened = await self.bench.crash()
        self.model.assert_opening(opened, clean=how == "reopen")

    async def _commit(self, steps: list[tuple[Any, ...]]) -> None:
        """Tell both, at once; the transport's answer is awaited and compared."""
        parts: dict[str, list[Any]] = {"inserts": [], "settles": [], "claims": [], "writes": []}
        touched: set[Any] = set()
        for kind, *facts in steps:
            self._part(parts, touched, kind, facts)
        refused = self.model.conflicts(parts["writes"])
        duplicates = {} if refused else self._apply(parts)
        try:
            commit = await self.bench.commit(**parts, source=SERVICE)
        except StateConflict:
            assert refused, "refused without a conflict"
        else:
            assert not refused, "a stale version was accepted"
            assert dict(commit.duplicates or {}) == duplicates

    def _part(self, parts: dict[str, list[Any]], touched: set[Any], kind: str, facts: list[Any]) -> None:
        """One part of a commit; a record or an entry is touched by one part only, as the engine does."""
        if kind == "insert":
            status, key, counter = facts
            origin = None if counter is None else counter.to_bytes(4, "big") + bytes(12)
            due = 50 if status == Status.WAITING else 0
            message = self.bench.message(key=key, origin=origin, due=due, cause=7)
            parts["inserts"].append(Insert(message, status))
        elif kind == "write":
            name, value, stale = facts
            version = self.model.state.get(name, (b"", 0))[1]
            if name not in touched:
                parts["writes"].append(StateWrite("", name, value, version + stale))
            touched.add(name)
        elif pending := self.model.pending():  # what is final stays final
            seq = pending[facts[0] % len(pending)]
            if seq not in touched:
                part = seq if kind == "claim" else Settle(seq, facts[1], facts[2], facts[3])
                parts["claims" if kind == "claim" else "settles"].append(part)
            touched.add(seq)

    def _apply(self, parts: dict[str, list[Any]]) -> dict[int, int]:
        found = {insert.message.seq: self.model.insert(insert) for insert in parts["inserts"]}
        for settle in parts["settles"]:
            self.model.settle(settle)
        for seq in parts["claims"]:
            self.model.claim(seq)
        for write in parts["writes"]:
            self.model.write(write)
        return {seq: earlier for seq, earlier in found.items() if earlier is not None}

    async def _compare(self) -> None:
        bench, model = self.bench, self.model
        for now in (0, 49, 50, 100):
            assert await bench.queued(now) == model.ready() + model.due(now)
        assert [each.message.seq for each in await bench.fetch(key="k")] == model.ready("k")
        assert await bench.transport.next_due() == model.next_due()
        assert bench.transport.state(SERVICE, "") == model.state
        for seq, held in model.records.items():
            record = bench.transport.archive.record(seq)
            assert record is not None
            assert (record.message, record.status, record.attempt, record.due) == (
                held.message,
                held.status,
                held.attempt,
                held.due,
            )
        depths = bench.transport.archive.depths()
        assert sum(depth.count for depth in depths.values()) == len(model.pending())


async def play(site: Site, history: list[Any]) -> None:
    bench = Bench(site)
    await bench.open()
    try:
        await Pair(bench).play(history)
        assert not bench.failures
    finally:
        await bench.transport.aclose()


def play_sqlite(history: list[Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="jn-") as folder:
        asyncio.run(play(SqliteSite(Path(folder), reserve=0), history))


@settings(max_examples=40)
@given(HISTORY)
def test_sqlite_is_the_model(history: list[Any]) -> None:
    play_sqlite(history)


@settings(max_examples=100)
@given(HISTORY)
def test_memory_is_the_model(history: list[Any]) -> None:
    asyncio.run(play(MemorySite(), history))


@pytest.mark.torture
@pytest.mark.timeout(3600)
@settings(max_examples=cycles(5000))
@given(HISTORY)
def test_sqlite_is_the_model_in_long_runs(history: list[Any]) -> None:
    play_sqlite(history)
