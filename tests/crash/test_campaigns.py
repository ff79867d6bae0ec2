"""The table of the long campaigns, their limits, and the slope of a long run."""

from __future__ import annotations

import random

import pytest

from tests.crash import campaigns
from tests.crash.campaigns import Campaign, cycles, every, table, time_is_up
from tests.crash.history import Faults
from tests.crash.node.endurance import slope

pytestmark = pytest.mark.crash


def test_the_table_sums_up_a_test_and_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[object] = []
    monkeypatch.setattr(campaigns, "_rows", rows)
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tests/a.py::kills (call)")
    Campaign(7).ended(50, 100, Faults(lost=["a-1"]))
    Campaign(8).ended(10, 30, Faults(double=["a-2"], torn=["a-3"]))
    campaigns.test_ended("tests/a.py::kills", "failed", 12.4)
    campaigns.test_ended("tests/b.py::nothing_counted", "skipped", 0.0)
    head, one, two, total = (line.split() for line in table())
    assert head[:4] == ["cycles", "acked", "lost", "doubled"]
    assert one == ["a.py::kills", "60", "130", "1", "1", "0", "0", "1", "7", "12", "failed"]
    assert two == ["b.py::nothing_counted", "0", "skipped"]
    assert total[:4] == ["2", "campaigns", "60", "130"]
    assert " ".join(total[-3:]) == "2 not passed"


def test_the_length_of_campaigns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUNCTOR_CYCLES", raising=False)
    assert (cycles(500), every(350)) == (500, 1)
    monkeypatch.setenv("JUNCTOR_CYCLES", "10")
    assert (cycles(500), every(350)) == (10, 35)


def test_nothing_begins_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNCTOR_MINUTES", "0")
    assert time_is_up()
    monkeypatch.setenv("JUNCTOR_MINUTES", "1000000")
    assert not time_is_up()
    monkeypatch.delenv("JUNCTOR_MINUTES")
    assert not time_is_up()


def test_a_slope_is_seen_through_noise_and_a_few_wild_points() -> None:
    chance = random.Random(1)
    points = [(float(t), 5.0 * t + chance.uniform(-20, 20)) for t in range(300)]
    points[10] = (10.0, 1e6)
    assert slope(points) == pytest.approx(5.0, abs=0.1)
    assert slope([(0.0, 1.0)]) == 0.0
