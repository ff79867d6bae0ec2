"""``python -m benchmarks [job ...] [--quick] [--rounds N] [--loop asyncio] [--json FILE] [--scratch FOLDER]``"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, report
from benchmarks.harness import run_job
from benchmarks.jobs import JOBS, select
from benchmarks.load import LOOP_VARIABLE

RESULTS = Path(__file__).parent / "results"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=f"jobs: {', '.join(JOBS)}"
    )
    parser.add_argument("jobs", nargs="*", metavar="job", help="a name, or its first part; all when none is given")
    parser.add_argument("--quick", action="store_true", help="shorter and fewer rounds: for a look, not for a record")
    parser.add_argument("--rounds", type=int, help="rounds that count (default 5, quick 3)")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), help="loop of both sides (default uvloop if there)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the record goes (default benchmarks/results/)")
    parser.add_argument("--scratch", type=Path, default=RESULTS / "scratch", help="folder for stores, on a real disk")
    return parser.parse_args()


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _write(path: Path | None, content: dict[str, object]) -> Path:
    path = path or RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def main() -> int:
    """0 when every aim that could be judged is met, 1 when one is missed or a side failed, 2 for a wrong word."""
    options = _arguments()
    try:
        jobs = select(options.jobs)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    if options.loop:
        os.environ[LOOP_VARIABLE] = options.loop
    options.scratch.mkdir(parents=True, exist_ok=True)
    here = machine.describe(options.scratch)
    if here["filesystem"] in machine.IN_MEMORY:
        print("the scratch folder is in memory: durable figures mean nothing. Give --scratch a disk.", file=sys.stderr)
        return 2
    print(", ".join(f"{name} {value}" for name, value in here.items() if name != "parts"))
    rounds = options.rounds or (3 if options.quick else 5)
    found: list[report.Line] = []
    for job in jobs:
        found += report.lines(job, run_job(job, rounds, options.quick, options.scratch, _tell))
    _tell("")
    print(report.table(found))
    path = _write(options.json, report.record(found, here, {"quick": options.quick, "rounds": rounds}))
    print(f"record: {os.path.relpath(path)}")
    return int(any(line.met is False or line.trouble.startswith("failed") for line in found))


if __name__ == "__main__":
    sys.exit(main())
