"""From rounds to the table on the terminal and the record in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.harness import Rounds
from benchmarks.jobs import Compare, Figure, Job

HEADINGS = ("job", "side", "median", "min..max", "ratio", "pairwise", "aim", "met")


@dataclass(frozen=True)
class Line:
    """One figure of one side of one job. ``ratio`` is of medians; ``pairs`` the ratios of the rounds, one by one."""

    job: str
    side: str
    figure: str
    unit: str
    values: list[float]
    trouble: str = ""
    ratio: float | None = None
    pairs: list[float] | None = None
    aim: str = ""
    met: bool | None = None


def lines(job: Job, results: list[Rounds]) -> Iterator[Line]:
    """Bare first, then each engine side against it, figure by figure."""
    bare, *engines = results
    for figure in job.figures:
        base = bare.values(figure.name)
        yield Line(job.name, bare.side.name, figure.name, figure.unit, base, bare.trouble)
        for engine in engines:
            yield _against(job, figure, engine, base)


def _against(job: Job, figure: Figure, engine: Rounds, base: list[float]) -> Line:
    values = engine.values(figure.name)
    common = (job.name, engine.side.name, figure.name, figure.unit, values, engine.trouble)
    if not values:
        return Line(*common, aim=_aim(figure))
    comparable = bool(base) and all(base)  # an idle process may have used no CPU at all
    pairs = [one / other for one, other in zip(values, base, strict=False)] if comparable else None
    ratio = median(values) / median(base) if comparable else None
    return Line(*common, ratio, pairs, _aim(figure), _met(figure, values, base))


def _aim(figure: Figure) -> str:
    match figure.compare:
        case Compare.AT_LEAST:
            return f">= {_number(figure.limit, figure.unit)}"
        case Compare.AT_LEAST_RATIO:
            return f">= {figure.limit:g}"
        case Compare.BELOW:
            return f"< {figure.limit:g} {figure.unit}"
        case Compare.BELOW_OVER_BARE:
            return f"< +{figure.limit:g} {figure.unit}"


def _met(figure: Figure, values: list[float], base: list[float]) -> bool | None:
    """None where the other half of the comparison is missing."""
    if figure.compare is Compare.BELOW:
        return median(values) < figure.limit
    if figure.compare is Compare.AT_LEAST:
        return median(values) >= figure.limit
    if not base:
        return None
    if figure.compare is Compare.BELOW_OVER_BARE:
        return median(values) - median(base) < figure.limit
    return median(values) / median(base) >= figure.limit


def _number(value: float, unit: str) -> str:
    if unit == "/s":
        return f"{value / 1000:.1f} k/s" if value >= 1000 else f"{value:.0f} /s"
    return f"{value:.3f} {unit}" if unit == "s" else f"{value:.1f} {unit}"


def _spread(values: list[float], unit: str) -> str:
    return f"{_number(min(values), unit).split()[0]}..{_number(max(values), unit)}"


def _cells(line: Line) -> tuple[str, ...]:
    if not line.values:
        return line.job, line.side, "-", "", "", "", line.aim, ""
    ratio = f"{line.ratio:.2f}" if line.ratio is not None else ""
    pairs = f"{min(line.pairs):.2f}..{max(line.pairs):.2f}" if line.pairs else ""
    met = {True: "yes", False: "NO", None: ""}[line.met]
    middle = _number(median(line.values), line.unit)
    return line.job, line.side, middle, _spread(line.values, line.unit), ratio, pairs, line.aim, met


def table(found: list[Line]) -> str:
    """Plain text: it goes into issues and commit messages."""
    rows = [HEADINGS, *(_cells(line) for line in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    troubles = dict.fromkeys(f"{line.job}, {line.side}: {line.trouble}" for line in found if line.trouble)
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:], *troubles])


def record(found: list[Line], machine: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What the JSON file holds: every value of every round, so that a later reader can judge the spread himself."""
    return {
        "machine": machine,
        "options": options,
        "lines": [asdict(line) | {"median": median(line.values) if line.values else None} for line in found],
    }
