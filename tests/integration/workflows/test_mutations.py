"""Histories of drawn workflows against changed code: each change that a history can tell is found, and no other.

What is expected follows from the drawn statements alone: their calls, and where they wait.
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow, Workflow
from junctor.core.history import read_entry
from junctor.core.run import Run, RunQuery, Turn
from junctor.flows import wire
from junctor.flows.replaying import Verdict, replayed
from junctor.testing import running
from tests.integration.workflows.drawn import Job, Op, Worker, changed, draw, source_of, tokens_of

COUNT = 100

SEED = int(os.environ.get("JUNCTOR_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)


def loaded(folder: Path, ops: list[Op]) -> type[Workflow]:
    """The class of a drawn workflow, from a file of its own."""
    path = folder / f"drawn{len(list(folder.iterdir()))}.py"
    path.write_text(source_of(ops))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    cls: type[Workflow] = module.Drawn
    return cls


def flow_of(folder: Path, drawn: list[list[Op]]) -> Flow:
    flow = Flow("drawn")
    flow.add(Worker, name="worker")
    for number, ops in enumerate(drawn):
        flow.add(loaded(folder, ops), name=f"drawn{number}", connect={"left": "worker", "right": "worker"})
    return flow


async def recorded(folder: Path, drawn: list[list[Op]], hours: int) -> list[tuple[Run, list[Turn]]]:
    """A run of each workflow, as it is after so many hours."""
    async with running(flow_of(folder, drawn)) as plant:
        for number in range(len(drawn)):
            await plant.send(f"drawn{number}", Job(number))
        await plant.advance(f"{hours}h")
        archive = plant.node.archive
        return [(run, archive.turns(run.seq)) for run in archive.runs(RunQuery(limit=1000))]


def seen(ops: list[Op], turns: list[Turn]) -> list[str]:
    """What the history has: the tokens up to where the run waits, or all where it has ended."""
    entries = [read_entry(turn.data) for turn in turns]
    tokens, calls = tokens_of(ops), sum(len(entry.did) for entry in entries)
    if entries[-1].end:
        return tokens
    place = [at for at, token in enumerate(tokens) if token not in ("waits", "ends")][calls - 1]
    assert tokens[place + 1] == "waits"
    return tokens[: place + 2]


async def campaign(folder: Path, seed: int, count: int, rounds: int) -> Iterator[tuple[str, bool, Verdict, str]]:
    """Each history against so many changes of its code: the kind, whether it must be found, and the verdict."""
    chance = random.Random(seed)
    drawn = [draw(chance) for _ in range(count)]
    histories = await recorded(folder, drawn, chance.choice((0, 2, 4, 9, 100)))
    assert len(histories) == count
    kinds = [chance.sample(list(changed(ops, chance)), rounds) for ops in drawn]
    return iter([case for number in range(rounds) for case in _round(folder, drawn, histories, number, kinds)])


def _round(
    folder: Path,
    drawn: list[list[Op]],
    histories: list[tuple[Run, list[Turn]]],
    number: int,
    kinds: list[list[tuple[str, list[Op]]]],
) -> Iterator[tuple[str, bool, Verdict, str]]:
    wiring = wire(flow_of(folder, [each[number][1] for each in kinds]))
    for (run, turns), verdict in zip(histories, replayed([wiring], histories), strict=True):
        place = int(run.service.removeprefix("drawn/drawn"))
        (kind, now), was = kinds[place][number], drawn[place]
        had = seen(was, turns)
        text = "\n".join(("was:", *(op.line for op in was), "is:", *(op.line for op in now)))
        yield kind, tokens_of(now)[: len(had)] != had, verdict, text


async def tried(folder: Path, seed: int, count: int, rounds: int) -> Counter[tuple[str, str]]:
    """Check a campaign; how many of each kind of change diverged, or did not."""
    table: Counter[tuple[str, str]] = Counter()
    for kind, expected, verdict, text in await campaign(folder, seed, count, rounds):
        where = f"JUNCTOR_SEED={seed}: {kind}, run {verdict.run} of {verdict.service}: {verdict}\n{text}"
        assert verdict.result == ("diverges" if expected else "ok"), where
        assert not expected or verdict.why, where
        table[kind, verdict.result] += 1
    return table


async def test_every_divergence_of_a_hundred_histories_is_found_and_none_is_invented(tmp_path: Path) -> None:
    table = await tried(tmp_path, SEED, COUNT, 2)
    for (kind, result), number in sorted(table.items()):
        print(f"{kind:10} {result:10} {number}")
    assert table.total() == 2 * COUNT
    assert not table["same", "diverges"] and not table["neutral", "diverges"]
    assert all(table[kind, "diverges"] for kind in ("added", "removed", "swapped", "another"))


@pytest.mark.torture
@pytest.mark.parametrize("number", range(int(os.environ.get("JUNCTOR_CYCLES", "50"))))
async def test_the_same_many_times(tmp_path: Path, number: int) -> None:
    await tried(tmp_path, SEED + number, COUNT, 6)
