"""Failures while somebody looks with a debugger spend no attempts."""

from __future__ import annotations

import bdb
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from junctor.core.policy import RetryPolicy
from junctor.runtime.debugger import attached
from tests.unit.runtime.flowkit import Item, Me, Store, running, service


@contextmanager
def looking() -> Iterator[None]:
    """As a debugger does that wants to see new threads. None starts here meanwhile."""
    threading.settrace(bdb.Bdb().trace_dispatch)
    try:
        yield
    finally:
        threading.settrace(None)


async def test_a_failure_spends_no_attempt_while_a_debugger_is_attached(memory: Store) -> None:
    tried: list[bool] = []

    async def fails(me: Me, item: Item) -> None:
        tried.append(attached())
        raise ValueError("still wrong")

    retry = RetryPolicy(attempts=2, initial=0.001, max=0.001)
    async with running(memory, service("sink", fails, retry=retry)) as node:
        with looking():
            await node.send("sink", Item(1))
            await node.until(lambda: len(tried) >= 6)
            assert node.statuses("sink") != ["PARKED"]
        await node.until(lambda: node.statuses("sink") == ["PARKED"])
        assert all(tried[:6])
        assert 1 <= tried.count(False) <= 2
