"""How long the long campaigns are, and what they came to: a line for each, printed as one table when all have ended.

JUNCTOR_CYCLES makes all of them shorter or longer, JUNCTOR_MINUTES ends them in time.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.crash.history import Faults

COLUMNS = ("cycles", "acked", "lost", "doubled", "phantom", "reordered", "other", "seed", "seconds")


_began = time.monotonic()


def cycles(count: int) -> int:
    """How many kills, cuts or flips a campaign makes: ``count``, unless JUNCTOR_CYCLES says another number."""
    return int(os.environ.get("JUNCTOR_CYCLES") or count)


def every(points: int) -> int:
    """The step of a sweep over about so many operations: 1, or so long that there are about JUNCTOR_CYCLES of them."""
    return max(1, points // cycles(points))


def time_is_up() -> bool:
    """Whether JUNCTOR_MINUTES have passed. What runs then comes to its end, nothing else begins."""
    minutes = os.environ.get("JUNCTOR_MINUTES")
    return bool(minutes) and time.monotonic() - _began > float(minutes) * 60


@dataclass
class Campaign:
    """One of them while it runs, from when it is made. ``cycles`` are kills, cuts, changes of a node's life."""

    seed: int
    begun: float = field(default_factory=time.monotonic)
    counts: dict[str, int] = field(default_factory=dict)

    def ended(self, cycles: int, acked: int | None, faults: Faults | None = None) -> None:
        """Put it into the table, before anything is asserted.

        :param acked: how many sends were acknowledged; None where nobody counts.
        """
        self.counts = {"cycles": cycles, "seed": self.seed, "seconds": round(time.monotonic() - self.begun)}
        if acked is not None:
            self.counts["acked"] = acked
        if faults is not None:
            self.counts |= numbers(faults)
        _counted[_running()].append(self.counts)


def numbers(faults: Faults) -> dict[str, int]:
    """How many of each kind; what was not worked off counts as lost."""
    return {
        "lost": len(faults.lost) + len(faults.unfinished),
        "doubled": len(faults.double),
        "phantom": len(faults.phantom),
        "reordered": len(faults.reordered),
        "other": len(faults.torn) + len(faults.untimely) + len(faults.misjudged),
    }


long_tests: set[str] = set()
"""The tests that the table is about."""

_counted: dict[str, list[dict[str, int]]] = defaultdict(list)
_rows: list[tuple[str, dict[str, int], str]] = []


def _running() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


def test_ended(nodeid: str, outcome: str, seconds: float) -> None:
    """Of a long test that counted nothing the table has its name, how it ended, and its time. Of several runs in one
    test it has the sums, and the seed of the first."""
    name = nodeid.removeprefix("tests/")
    runs = _counted.pop(nodeid, None) or [{}]
    counts = {column: sum(run[column] for run in runs) for column in runs[0] if column != "seed"}
    first = {"seed": runs[0]["seed"]} if "seed" in runs[0] else {}
    _rows.append((name, counts | first | {"seconds": round(seconds)}, outcome))


def table() -> Iterator[str]:
    """The lines of the table; none where no campaign ran."""
    if not _rows:
        return
    width = max(len(name) for name, _, _ in _rows)
    yield "  ".join([" " * width, *(f"{name:>9}" for name in COLUMNS), "result"])
    for name, counts, outcome in [*_rows, _sum()]:
        yield "  ".join([f"{name:<{width}}", *(f"{counts.get(column, ''):>9}" for column in COLUMNS), outcome])


def _sum() -> tuple[str, dict[str, int], str]:
    """The last line. A seed has no sum."""
    sums = {column: sum(counts.get(column, 0) for _, counts, _ in _rows) for column in COLUMNS if column != "seed"}
    bad = sum(outcome != "passed" for _, _, outcome in _rows)
    return f"{len(_rows)} campaigns", sums, f"{bad} not passed" if bad else "all passed"
