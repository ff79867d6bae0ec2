"""Runs the sides of a job in turn (A B A B ...), each round of each side in a fresh process.

Turns make a slow minute of a shared machine hit both sides; fresh processes keep one side's heap, caches and threads
out of the other's figure. The first round warms the disk and the byte code and is thrown away.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.jobs import Job, Side

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300  # seconds for one child; only the preparation of `open` comes near


@dataclass
class Rounds:
    """The figures of one side, round by round; ``trouble`` says why there are none."""

    side: Side
    figures: list[dict[str, float]] = field(default_factory=list)
    trouble: str = ""

    def values(self, figure: str) -> list[float]:
        return [found[figure] for found in self.figures]


@contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _environment() -> dict[str, str]:
    places = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    # Without byte code on the disk every start would compile the whole program, which no installed one does.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


class SideFailed(Exception):
    """A side ended without an answer."""


def _child(call: str, params: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    answer = folder / "answer.json"
    command = [sys.executable, "-m", "benchmarks.child", call, json.dumps(params), str(answer)]
    try:
        done = subprocess.run(
            command, check=False, env=_environment(), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        raise SideFailed(f"no answer within {PATIENCE} s") from error
    if done.returncode:
        sys.stderr.write(done.stderr)
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise SideFailed(f"failed: {last}")
    return dict(json.loads(answer.read_text())) if answer.exists() else {}


def _round(side: Side, params: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    with _folder(scratch) as folder:
        found = _child(side.call, {**params, "folder": str(folder)}, folder)
    if not found:
        raise SideFailed("failed: ended without an answer")
    return found


def _run_side(rounds: Rounds, params: Mapping[str, Any], scratch: Path, keep: bool) -> None:
    try:
        found = _round(rounds.side, params, scratch)
    except SideFailed as error:
        rounds.trouble = str(error)
        return
    if "missing" in found:
        rounds.trouble = f"not there yet: {found['missing']}"
    elif keep:
        rounds.figures.append(found["figures"])


def run_job(job: Job, rounds: int, quick: bool, scratch: Path, tell: Callable[[str], None]) -> list[Rounds]:
    """All rounds of one job; a side in trouble stops running, the others go on."""
    results = [Rounds(side) for side in job.sides]
    params = job.parameters(quick)
    with _folder(scratch) as prepared:
        if job.prepare:
            tell(f"{job.name}: preparing")
            params["prepared"] = str(prepared)
            _prepare(job, params, prepared, results)
        for number in range(min(rounds, job.max_rounds) + 1):
            tell(f"{job.name}: {'round ' + str(number) if number else 'warm-up'}")
            for result in results:
                if not result.trouble:
                    _run_side(result, params, scratch, keep=number > 0)
    return results


def _prepare(job: Job, params: Mapping[str, Any], folder: Path, results: list[Rounds]) -> None:
    try:
        found = _child(job.prepare, params, folder)
        trouble = f"not there yet: {found['missing']}" if "missing" in found else ""
    except SideFailed as error:
        trouble = str(error)
    for result in results:
        result.trouble = trouble
