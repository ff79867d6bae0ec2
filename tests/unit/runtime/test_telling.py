"""A service that fails again and again says so, and does not fill the log with it."""

from __future__ import annotations

import logging

import pytest

from junctor.clock import VirtualClock
from junctor.core.policy import RetryPolicy
from junctor.observe.logs import noted
from junctor.runtime.telling import AT_ONCE, PERIOD
from tests.unit.runtime.flowkit import Item, Me, Store, running, service


async def test_of_many_failures_alike_some_are_told_and_the_rest_is_counted(
    store: Store, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "junctor.runtime")

    async def take(me: Me, item: Item) -> None:
        raise ValueError("as always") if item.n else TypeError("once")

    async with running(store, service("sink", take, retry=RetryPolicy(attempts=1)), clock=clock) as node:
        await node.send_all("sink", [Item(n) for n in [*range(1, 101), 0]])
        await node.advance(PERIOD)
        lines = [record.getMessage() for record in caplog.records]
        assert sum("ValueError: as always (" in line for line in lines) == AT_ONCE
        assert sum("TypeError: once (" in line for line in lines) == 1, "another error is not hidden by them"
        assert lines[-1] == f"flow/sink: {100 - AT_ONCE} more failures like the last: ValueError (junctor parked)"
        assert noted(caplog.records[-1]).service == "flow/sink"
        await node.send_all("sink", [Item(1)])
        await node.advance(1)
        assert "as always" in caplog.records[-1].getMessage(), "the next period begins anew"
