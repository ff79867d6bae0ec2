"""What services count of their own: from any thread, over a change of the service, in metrics and status."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pytest

from junctor.clock import VirtualClock
from junctor.core.lifecycle import State
from junctor.errors import StateError
from junctor.node.views.status import status_of
from junctor.observe.metrics import NodeFigures, ServiceFigures, exposition
from junctor.runtime.counts import MOST, Counts
from junctor.services import Service
from tests.unit.runtime.flowkit import Item, Me, Store, running, service


def test_no_thread_loses_what_another_counts() -> None:
    counts = Counts()

    def count() -> None:
        for _ in range(20_000):
            counts.add("lines")
            counts.add("bytes", 3)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.now() == {"lines": 80_000, "bytes": 240_000}


def test_words_that_are_made_of_data_do_not_fill_the_memory() -> None:
    counts = Counts()
    for number in range(5 * MOST):
        counts.add(f"order {number}")
    counts.add("order 0")
    sums = counts.now()
    assert (len(sums), sums["order 0"], sums["other"]) == (MOST + 1, 2, 4 * MOST)


async def test_handlers_in_threads_and_on_the_loop_count_and_a_failed_attempt_counts_too(
    memory: Store, clock: VirtualClock
) -> None:
    async def on_loop(me: Me, item: Item) -> None:
        me.port.count("seen")
        if len(tried) < 2:
            tried.append(item.n)
            raise ValueError("again")

    def in_thread(me: Me, item: Item) -> None:
        me.port.count("bytes", item.n)

    tried: list[int] = []
    async with running(memory, service("a", on_loop), service("b", in_thread), clock=clock) as node:
        await node.send("a", Item(1))
        await node.send_all("b", [Item(2), Item(40)])
        await node.until(lambda: node.host("b").counters.done == 2)
        await node.advance(5)
        shown = {one.service: one.counts for one in status_of(node.engine, {}, {}).services}
        assert shown == {"a": {"seen": 3}, "b": {"bytes": 42}}
        with pytest.raises(StateError, match="only a service counts"):
            node.client.count("lines")


def test_metrics_have_a_family_of_counts() -> None:
    figures = ServiceFigures("f", "in", State.RUNNING, counts={"lines": 3, 'odd "word"': 1})
    text = exposition(NodeFigures(services=(figures, ServiceFigures("f", "out", State.RUNNING))))
    lines = [line for line in text.splitlines() if "service_counts" in line]
    assert lines[1:] == [
        "# TYPE junctor_service_counts_total counter",
        'junctor_service_counts_total{flow="f",service="in",what="lines"} 3',
        'junctor_service_counts_total{flow="f",service="in",what="odd \\"word\\""} 1',
    ]


def test_a_service_without_a_node_counts_for_its_test() -> None:
    @dataclass
    class Line:
        text: str

    class Reader(Service):
        def read(self, line: Line) -> None:
            self.__junctor__.port.count("bytes", len(line.text))

    reader = Reader()
    reader.read(Line("abc"))
    reader.read(Line("de"))
    port: Any = reader.__junctor__.port
    assert port.counted == {"bytes": 5}
