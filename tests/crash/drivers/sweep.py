"""Kill at every operation: forks a child for each write or sync of the load, which kills itself there, and a second one
that recovers, goes on and finishes; both stores are checked.

As a program: ``python -m tests.crash.drivers.sweep FOLDER SEED FIRST STEP LIMIT MODE`` prints one JSON line a point:
``{"point": n, "died": true, "faults": ""}``. Everything is imported once, so a point costs some twenty milliseconds.
The program has no thread of its own, so forking is safe.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from junctor.store import journal
from junctor.transports.sqlite import SqliteTransport
from tests.crash.drivers.load import Plan, work
from tests.crash.evidence import seen_in
from tests.crash.history import check, read_history
from tests.crash.vfs import AtOperation, Taps, kill_self, tapped

CHECKPOINT_PAGES = 24
"""So small that the load crosses several checkpoints."""


def load(folder: Path, plan: Plan, taps: Taps, warnings: list[str] | None = None) -> None:
    journal.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    with tapped(taps) as vfs:
        make = lambda: SqliteTransport(folder / "store", vfs=vfs, reserve=0)  # noqa: E731
        asyncio.run(work(make, folder / "history", plan, warnings=warnings))


def faults_in(folder: Path, *, drained: bool) -> str:
    """What the checker finds, as text; empty when all is well."""
    faults = check(read_history(folder / "history"), seen_in(folder / "store"), drained=drained)
    return str(faults) if faults else ""


def in_child(call: Callable[[], object]) -> int:
    """Run in a forked child; its wait status. An exception there is printed and is status 1."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            call()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(child, 0)[1]


def point(root: Path, number: int, plan: Plan, half: bool) -> dict[str, object]:
    """Kill at one operation, look, recover, finish, look again."""
    folder = root / f"point-{number}"
    folder.mkdir(parents=True)
    (folder / "history").mkdir()
    status = in_child(lambda: load(folder, plan, AtOperation(number, kill_self, half)))
    died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    result: dict[str, object] = {"point": number, "died": died, "faults": ""}
    if not died and status != 0:
        result["faults"] = "the load failed without being killed, see above"
        return result
    answer = folder / "answer"
    code = in_child(lambda: answer.write_text(_judge(folder, plan)))
    result["faults"] = answer.read_text() if code == 0 else "the second run failed, see above"
    if not result["faults"]:
        shutil.rmtree(folder)
    return result


def _judge(folder: Path, plan: Plan) -> str:
    at_once = faults_in(folder, drained=False)
    warnings: list[str] = []
    load(folder, plan, Taps(), warnings)
    alarms = [warning for warning in warnings if "is damaged" in warning]  # a killed process damages nothing
    return "; ".join(text for text in (at_once, faults_in(folder, drained=True), *alarms) if text)


def main() -> None:
    root, seed, first, step, limit, mode = sys.argv[1:]
    plan = Plan(int(seed), clients=3, messages=4, sync=False)
    for number in range(int(first), int(limit), int(step)):
        result = point(Path(root), number, plan, mode == "half")
        print(json.dumps(result), flush=True)
        if not result["died"]:
            return


if __name__ == "__main__":
    main()
