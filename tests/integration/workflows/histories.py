"""Histories in tests: recorded by one class, replayed by another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from junctor import Workflow
from junctor.core.run import Run, RunQuery, Turn
from junctor.core.spec import Context
from junctor.services import spec_of
from junctor.services.alone import Alone
from junctor.testing import RunningFlow

History = tuple[Run, Sequence[Turn]]


def runs(plant: RunningFlow) -> list[Run]:
    """All runs, the first one first."""
    return plant.node.archive.runs(RunQuery(limit=1000))[::-1]


def history(plant: RunningFlow, run: Run) -> History:
    return run, plant.node.archive.turns(run.seq)


async def replay(cls: type[Workflow], recorded: History) -> Any:
    """The object of the run, as the code of ``cls`` makes it from a history.

    :raises Divergence: it does not follow it.
    """
    run, turns = recorded
    spec = spec_of(cls, "orders")
    director = spec.build(Context(flow="shop", service="orders", settings=spec.settings, port=Alone("orders")))
    return (await director.replay(run, list(turns))).instance
