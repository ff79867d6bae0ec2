"""A node that ends without warning: nothing accepted is lost, and a message that kills it is put aside alone."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from junctor.core.records import AlertRecord, Query, Record
from junctor.messages import Status
from junctor.store.store import Store
from tests.integration.runtime.program import KILLER, RETRY

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0


AS_ASKED = b"ValueError: first a failure"
"""The only failure of a handler that may be logged: the one that the message asks for."""


class Life:
    """One life of the node."""

    def __init__(self, folder: Path, case: str, count: int) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.runtime.program", str(folder), case, str(count)],
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}/src:{ROOT}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def pid(self) -> str:
        return str(self.process.pid)

    def until_events(self, count: int) -> None:
        end = time.monotonic() + PATIENCE
        while len(events(self.folder)) < count:
            assert time.monotonic() < end and self.process.poll() is None, "too few events"
            time.sleep(0.002)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.ended()

    def ended(self) -> int:
        _, errors = self.process.communicate(timeout=PATIENCE)
        for trace in errors.split(b"Traceback")[1:]:
            assert AS_ASKED in trace, errors.decode()
        return self.process.returncode


def events(folder: Path) -> list[tuple[str, str, int]]:
    file = folder / "events"
    if not file.exists():
        return []
    lines = file.read_text().splitlines()
    return [(pid, what, int(n)) for pid, what, n in map(str.split, lines)]


def ended(folder: Path) -> list[int]:
    return [n for _, what, n in events(folder) if what == "end"]


def records(folder: Path, service: str = "flow/sink") -> list[Record]:
    store = Store(folder / "store", reserve=0)
    try:
        return list(reversed(store.archive.search(Query(service=service, limit=10_000))))
    finally:
        store.close()


def alerts(folder: Path) -> list[AlertRecord]:
    store = Store(folder / "store", reserve=0)
    try:
        return store.archive.alerts(100)
    finally:
        store.close()


def test_after_a_kill_what_was_handed_out_is_delivered_again_one_at_a_time(short_dir: Path) -> None:
    first = Life(short_dir, "slow", 60)
    first.until_events(40)
    first.kill()
    before = ended(short_dir)
    second = Life(short_dir, "slow", 60)
    assert second.ended() == 0
    assert set(ended(short_dir)) == set(range(60))
    again = [(what, n) for pid, what, n in events(short_dir) if pid == second.pid]
    assert [what for what, _ in again] == ["begin", "end"] * (len(again) // 2), "never two at the same time"
    doubled = Counter(n for _, what, n in events(short_dir) if what == "end")
    assert sum(count > 1 for count in doubled.values()) <= 4, "only those whose end had not reached the disk"
    assert {record.status for record in records(short_dir)} == {Status.DONE}
    (alert,) = alerts(short_dir)
    assert alert.kind == "unclean-stop" and "not closed by a clean stop" in alert.text
    assert re.search("[1-9][0-9]* messages? in hand, delivered one at a time", alert.text)
    print(f"done before the kill {len(before)}, begun again {len(again) // 2}")


@pytest.mark.parametrize("case", ["kill", "exit", "later", "hold"])
def test_a_message_that_kills_the_process_is_parked_and_its_neighbours_are_delivered(
    short_dir: Path, case: str
) -> None:
    lives = 0
    while lives < 12:
        lives += 1
        code = Life(short_dir, case, 40).ended()
        if code == 0:
            break
        assert code == (9 if case == "exit" else -signal.SIGKILL)
    assert sorted(set(ended(short_dir))) == [n for n in range(40) if n != KILLER]
    stored = records(short_dir)
    parked = [record for record in stored if record.status is Status.PARKED]
    assert [record.message.body["n"] for record in parked] == [KILLER]
    assert parked[0].failure is not None and "the node ended" in parked[0].failure.text
    assert parked[0].started > parked[0].message.time, "what was given up without its handler has a time all the same"
    assert Counter(record.status for record in stored) == {Status.DONE: 39, Status.PARKED: 1}
    begun = Counter(n for _, what, n in events(short_dir) if what == "begin")
    a_life = 2 if case == "hold" else 1  # it holds the service first, and kills at the probe
    assert RETRY.attempts <= begun[KILLER] / a_life <= RETRY.attempts + 2
    neighbours = max(count for n, count in begun.items() if n != KILLER)
    print(f"{case}: {lives} lives, the killer began {begun[KILLER]} times, a neighbour at most {neighbours} times")


def test_after_a_kill_requests_between_suspects_get_their_replies(short_dir: Path) -> None:
    first = Life(short_dir, "ask", 30)
    first.until_events(12)
    first.kill()
    assert Life(short_dir, "ask", 30).ended() == 0
    assert set(ended(short_dir)) == set(range(30))
    stored = records(short_dir, "flow/answers")
    assert {record.status for record in stored} == {Status.DONE}
    assert sorted(record.message.body["n"] for record in stored) == list(range(30)), "each was asked once"
    assert not any(record.failure for record in records(short_dir)), "none waited for its deadline in vain"
