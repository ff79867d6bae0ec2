"""Handlers that kill the process: their messages are parked, all others are done."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from junctor import connect
from junctor.errors import JunctorError
from tests.crash.campaigns import Campaign, cycles
from tests.crash.history import ClientLog, Faults
from tests.crash.node.drivers.flow import Order
from tests.crash.node.evidence import Verdict, judge, parked_by_themselves
from tests.crash.node.node import Node
from tests.crash.seeds import seed_of_this_run

pytestmark = pytest.mark.crash

ATTEMPTS = 2
MOST_STARTS = 12


def hand_over(node: Node, orders: list[Order]) -> None:
    """Send all of them, starting the node again whenever one of them has ended it."""
    (node.folder / "history").mkdir()
    log = ClientLog(node.folder / "history" / "a.log")
    for order in orders:
        log.note("invoke", order.id, order.line)
        while not _sent(node, order):
            revive(node)
        log.note("ok", order.id, order.line)
    log.close()


def _sent(node: Node, order: Order) -> bool:
    try:
        with connect(node.store) as client:
            client.send("intake", asdict(order), type="Order", idempotency_key=order.id)
        return True
    except JunctorError:
        return False


def revive(node: Node) -> None:
    """Start the node again if it was killed; it may be killed again before it runs."""
    if node.process is not None and node.process.poll() is None:
        return
    if node.process is not None:
        assert node.process.wait() == -9, f"ended by itself:\n{node.said}"
        node.process = None
    assert node.starts < MOST_STARTS, f"killed after each of {node.starts} starts:\n{node.said}"
    node.launch()


def survive(node: Node) -> Verdict:
    """Start it again for as long as it is killed, until everything has come to an end."""
    while True:
        try:
            if not node.queued():
                break
        except JunctorError:
            revive(node)
    node.stop()
    return judge(node.folder)


MODES = ["kill", "fail-kill", "ask-kill", "audit-kill", "hold-kill"]
"""``fail-kill`` and ``hold-kill`` end the process at an attempt that is not the first one."""


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.timeout(120)
def test_some_message_that_kills_the_node_is_parked_and_no_other_is(short_dir: Path, which: int) -> None:
    """Two of the ways, others from run to run."""
    meet(short_dir, MODES[(seed_of_this_run() + which) % len(MODES)])


@pytest.mark.torture
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.timeout(600)
def test_every_message_that_kills_the_node_is_parked_and_no_other_is(short_dir: Path, mode: str) -> None:
    made = Campaign(0)
    starts = 0
    for number in range(min(20, cycles(20))):
        (short_dir / str(number)).mkdir()
        starts += meet(short_dir / str(number), mode)
    made.ended(starts, None, Faults())


def meet(short_dir: Path, mode: str) -> int:
    """How often the node was started until all was done."""
    node = Node(short_dir, CRASH_ATTEMPTS=str(ATTEMPTS), CRASH_BEAT="1h")
    killer = Order("a-7", "l1", mode)
    orders = [Order(f"a-{number}", f"l{number % 3}") for number in range(20)]
    orders[7] = killer
    try:
        hand_over(node, orders)
        verdict = survive(node)
    finally:
        node.close()
    print(f"{mode}: {node.starts} starts")
    where = "audit" if mode in ("audit-kill", "hold-kill") else "intake"
    assert verdict, str(verdict)
    assert list(verdict.parked) == [f"{where}:a-7"]
    assert not parked_by_themselves(verdict)
    # The first death is not its fault yet; each further one costs an attempt, and the last start is the one that lives.
    assert node.starts <= ATTEMPTS + 3
    return node.starts
