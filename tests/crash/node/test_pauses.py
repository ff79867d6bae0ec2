"""A node that stands still, and two nodes on one store."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from junctor.node.node import GRACE
from tests.crash.campaigns import Campaign, cycles
from tests.crash.node.node import Node, until
from tests.crash.node.producers import Crowd
from tests.crash.node.test_kill import assert_kept, finish, loaded
from tests.crash.seeds import seed_of_this_run

pytestmark = pytest.mark.crash


IMPATIENT = {"CRASH_TIMEOUT": "0.5", "CRASH_SLOW": "0.01"}
"""Requests inside that give up before a pause is over."""


def pauses(folder: Path, seed: int, count: int, seconds: float) -> None:
    """SIGSTOP for longer than requests may take, as a suspended laptop: what was asked is asked again."""
    chance, made = random.Random(seed), Campaign(seed)
    with loaded(folder, seed, IMPATIENT | {"CRASH_ATTEMPTS": "6"}) as (node, crowd):
        node.start()
        for _ in range(count):
            accepted(node, crowd, 20)
            time.sleep(chance.uniform(0.0, 0.2))
            node.signal(signal.SIGSTOP)
            time.sleep(seconds)
            node.signal(signal.SIGCONT)
        verdict = finish(node, crowd, "RequestTimeout: ")
    made.ended(count, verdict.acked, verdict.faults)
    assert_kept(verdict, seed)


def accepted(node: Node, crowd: Crowd, more: int) -> None:
    enough = crowd.acked + more
    until(lambda: crowd.acked > enough or node.ended, lambda: f"nothing is accepted:\n{node.said}")


@pytest.mark.timeout(180)
def test_a_stopped_process_goes_on_although_its_deadlines_have_passed(short_dir: Path) -> None:
    pauses(short_dir, seed_of_this_run(), 2, 0.8)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_a_process_is_stopped_past_every_deadline(short_dir: Path) -> None:
    """Longer than each time limit that the node, its clients and its control socket have."""
    pauses(short_dir, seed_of_this_run(), min(5, cycles(5)), 35.0)


# A worker ----------------------------------------------------------------------------------------------------


def worker_pauses(folder: Path, seed: int, count: int, seconds: float) -> None:
    """SIGSTOP of a worker in its work, and now and then its end: what it says too late counts for nothing."""
    chance, made = random.Random(seed), Campaign(seed)
    with loaded(folder, seed, IMPATIENT | {"CRASH_ISOLATE": "worker"}) as (node, crowd):
        node.start()
        for number in range(count):
            accepted(node, crowd, 20)
            worker = chance.choice(until(node.workers, "there is no worker"))
            os.kill(worker, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(worker, signal.SIGCONT if number % 3 else signal.SIGKILL)
        verdict = finish(node, crowd, "RequestTimeout: ", "RequestExpired: ", "WorkerLost: ", "worker ended")
    made.ended(count, verdict.acked, verdict.faults)
    assert_kept(verdict, seed)


@pytest.mark.timeout(180)
def test_a_stopped_worker_doubles_nothing(short_dir: Path) -> None:
    worker_pauses(short_dir, seed_of_this_run(), 2, 0.8)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_a_worker_is_stopped_past_every_deadline(short_dir: Path) -> None:
    worker_pauses(short_dir, seed_of_this_run(), min(5, cycles(5)), 35.0)


@pytest.mark.timeout(120)
def test_a_stopped_worker_does_not_keep_the_node_from_its_end(short_dir: Path) -> None:
    seed = seed_of_this_run()
    with loaded(short_dir, seed, {"CRASH_ISOLATE": "worker", "CRASH_SLOW": "0.01"}) as (node, crowd):
        node.start()
        accepted(node, crowd, 20)
        for worker in until(node.workers, "there is no worker"):
            os.kill(worker, signal.SIGSTOP)
        assert node.stop("WorkerLost: ", "worker ended") < GRACE + 1.5
        node.start()
        assert_kept(finish(node, crowd, "WorkerLost: ", "worker ended"), seed)


# Two nodes ---------------------------------------------------------------------------------------------------


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
