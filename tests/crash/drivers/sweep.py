"""A fault at every operation: forks a child for each call of the load to its disk, which meets the fault there, and a
second one that recovers, goes on and finishes; both stores are checked.

As a program: ``python -m tests.crash.drivers.sweep FOLDER SEED FIRST STEP LIMIT MODE [BEGIN]`` prints one JSON line a
point: ``{"point": n, "met": true, "faults": "", "call": ""}``. BEGIN is a folder to begin each point with instead of an
empty one. Everything is imported once, so a point costs some twenty milliseconds. The program has no thread of its own,
so forking is safe. CRASH_BROKEN names a way in which the store is broken on purpose, see :mod:`.broken`; CRASH_LONGEST
are the seconds that a run with a failing disk may take.

The modes: ``whole`` and ``half`` kill at a write or sync, which is written, or torn by it; ``eio`` and ``enospc`` fail
one call of any kind, ``eio-all`` all from it on, ``enospc-8`` eight. A run that meets an error has to end by itself,
within five seconds, in a way that Junctor has a word for.
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
from typing import Any

from junctor.errors import JunctorError
from junctor.store import journal
from junctor.transports import sqlite
from junctor.transports.sqlite import SqliteTransport
from tests.crash.drivers import broken
from tests.crash.drivers.load import Plan, work
from tests.crash.evidence import seen_in
from tests.crash.failing import FailingDisk
from tests.crash.history import check, read_history
from tests.crash.vfs import AtOperation, Taps, kill_self, tapped

CHECKPOINT_PAGES = 24
"""So small that the load crosses several checkpoints."""

LONGEST = int(os.environ.get("CRASH_LONGEST", "5"))
"""Seconds that a run with a failing disk may take."""

REFUSED = 3
"""Exit status of a run that ended with an error of Junctor's own."""


def load(folder: Path, plan: Plan, taps: Taps, warnings: list[str] | None = None) -> None:
    journal.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    sqlite.RETRY_FULL = 0.01
    with tapped(taps) as vfs:
        make = lambda: SqliteTransport(folder / "store", vfs=vfs, reserve=0)  # noqa: E731
        asyncio.run(work(make, folder / "history", plan, warnings=warnings))


def faults_in(folder: Path, *, drained: bool) -> str:
    """What the checker finds, as text; empty when all is well."""
    try:
        faults = check(read_history(folder / "history"), seen_in(folder / "store"), drained=drained)
    except AssertionError as error:
        return f"not consistent: {error}"
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


def point(root: Path, number: int, plan: Plan, mode: str, begin: Path | None = None) -> dict[str, object]:
    """Meet the fault at one operation, look, recover, finish, look again."""
    folder = root / f"point-{number}"
    if begin is not None:
        shutil.copytree(begin, folder)
    (folder / "history").mkdir(parents=True, exist_ok=True)
    if mode in ("whole", "half"):
        result = _killed(folder, number, plan, mode == "half")
    else:
        result = _failed(folder, number, plan, mode)
    if not result["faults"]:
        result["faults"] = _end(folder, plan)
    if not result["faults"]:
        shutil.rmtree(folder)
    return {"point": number} | result


def _killed(folder: Path, number: int, plan: Plan, half: bool) -> dict[str, Any]:
    status = in_child(lambda: load(folder, plan, AtOperation(number, kill_self, half)))
    died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    failed = not died and status != 0
    return {"met": died, "faults": "the load failed without being killed, see above" if failed else "", "call": ""}


def _failed(folder: Path, number: int, plan: Plan, mode: str) -> dict[str, Any]:
    kind, _, times = mode.partition("-")
    disk = FailingDisk(number, 10**9 if times == "all" else int(times or 1), full=kind == "enospc")
    met = folder / "met"
    status = in_child(lambda: _with_failing_disk(folder, plan, disk, met))
    fault = ""
    if os.WIFSIGNALED(status):
        hung = os.WTERMSIG(status) == signal.SIGALRM
        fault = f"hung for {LONGEST} s" if hung else f"ended by signal {os.WTERMSIG(status)}"
    elif os.waitstatus_to_exitcode(status) not in (0, REFUSED):
        fault = "ended with an error that is not one of Junctor's, see above"
    calls = met.read_text().split(",") if met.exists() else []
    return {"met": bool(calls) or bool(fault), "faults": fault, "call": calls[0] if calls else ""}


def _with_failing_disk(folder: Path, plan: Plan, disk: FailingDisk, met: Path) -> None:
    """Ends the process by itself where Junctor refuses to go on."""
    signal.alarm(LONGEST)
    code = 0
    try:
        load(folder, plan, disk)
    except JunctorError:
        code = REFUSED
    finally:
        met.write_text(",".join(disk.failed[:100])) if disk.failed else None
    if code:
        os._exit(code)


def _end(folder: Path, plan: Plan) -> str:
    answer = folder / "answer"
    code = in_child(lambda: answer.write_text(_judge(folder, plan)))
    return answer.read_text() if code == 0 else "the second run failed, see above"


def _judge(folder: Path, plan: Plan) -> str:
    at_once = faults_in(folder, drained=False)
    if at_once:
        return at_once
    warnings: list[str] = []
    load(folder, plan, Taps(), warnings)
    alarms = [warning for warning in warnings if "is damaged" in warning]  # no such fault damages anything
    return "; ".join(text for text in (faults_in(folder, drained=True), *alarms) if text)


def main() -> None:
    root, seed, first, step, limit, mode, *begin = sys.argv[1:]
    plan = Plan(int(seed), clients=3, messages=4, sync=False)
    if os.environ.get("CRASH_BROKEN"):
        broken.break_(os.environ["CRASH_BROKEN"])
    for number in range(int(first), int(limit), int(step)):
        result = point(Path(root), number, plan, mode, Path(begin[0]) if begin else None)
        print(json.dumps(result), flush=True)
        if not result["met"]:
            return


if __name__ == "__main__":
    main()
