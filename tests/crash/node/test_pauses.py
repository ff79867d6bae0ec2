"""A node that stands still, and two nodes on one store."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.node.node import Node, until
from tests.crash.node.test_kill import assert_kept, finish, loaded
from tests.crash.seeds import seed_of_this_run

pytestmark = pytest.mark.crash


@pytest.mark.timeout(180)
def test_a_stopped_process_goes_on_although_its_deadlines_have_passed(short_dir: Path) -> None:
    """SIGSTOP for longer than requests may take, as a suspended laptop: what was asked is asked again."""
    seed = seed_of_this_run()
    chance = random.Random(seed)
    with loaded(short_dir, seed) as (node, crowd):
        node.start(CRASH_TIMEOUT="0.5", CRASH_SLOW="0.01", CRASH_ATTEMPTS="6")
        for _ in range(4):
            acked = crowd.acked
            until(lambda: crowd.acked > acked + 20, lambda: f"nothing is accepted:\n{node.said}")  # noqa: B023
            time.sleep(chance.uniform(0.0, 0.2))
            node.signal(signal.SIGSTOP)
            time.sleep(0.8)
            node.signal(signal.SIGCONT)
        verdict = finish(node, crowd, also="RequestTimeout: ")
    assert_kept(verdict, seed)


def second_on(node: Node) -> subprocess.CompletedProcess[str]:
    """Run another node on the same store to its end."""
    words = [sys.executable, "-m", "junctor", "run", str(node.program), "--store", str(node.store), "--port", "0"]
    return subprocess.run(words, cwd=node.folder, capture_output=True, text=True, timeout=30)


@pytest.mark.timeout(120)
def test_a_second_node_refuses_at_once_and_the_first_goes_on(short_dir: Path) -> None:
    seed = seed_of_this_run()
    with loaded(short_dir, seed) as (node, crowd):
        node.start()
        assert node.process is not None
        for _ in range(3):
            acked = crowd.acked
            begin = time.monotonic()
            second = second_on(node)
            assert second.returncode not in (0, -9), second.stdout
            assert f"pid {node.process.pid}" in second.stderr, second.stderr
            assert "Traceback" not in second.stderr, second.stderr
            assert time.monotonic() - begin < 5.0
            until(lambda: crowd.acked > acked, lambda: f"the first one stands still:\n{node.said}")  # noqa: B023
        # And of a node that stands still.
        node.signal(signal.SIGSTOP)
        second = second_on(node)
        node.signal(signal.SIGCONT)
        assert second.returncode != 0
        assert f"pid {node.process.pid}" in second.stderr, second.stderr
        assert_kept(finish(node, crowd), seed)
