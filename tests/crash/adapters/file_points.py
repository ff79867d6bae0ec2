"""A kill at every step of a way through files: ``file-in``, the store, and ``file-out`` in both its modes.

As a program: ``python -m tests.crash.adapters.file_points FOLDER FIRST STEP LIMIT MODE`` prints one JSON line a point.
For each a child is forked, which kills itself at that step, and a second one, which goes on; then everything is
counted. A step is a write or sync of the store, or a call that changes a file or folder outside it. Mode ``half``
tears the writes, ``enospc`` and ``eio`` let a call outside the store fail instead. The program has no thread of its
own, so forking is safe.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from junctor import Flow
from junctor.adapters import FileIn, FileOut
from junctor.flows import wire
from junctor.node.node import Node, Plan
from junctor.transports.base import Query
from junctor.transports.sqlite import SqliteTransport
from tests.crash.drivers.sweep import in_child
from tests.crash.vfs import AtOperation, kill_self, tapped

PATIENCE = 20.0
CALLS = ("write", "pwrite", "fsync", "rename", "link", "unlink", "makedirs", "open", "fchmod")
ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO}
RECORDS = 11
IDS = [f"{file}-{n}" for file in ("a", "b") for n in range(RECORDS)] + ["c-0", "c-1"]


class Steps(AtOperation):
    """Counts the steps of the store and those outside it; something happens at one of them."""

    def outside(self, name: str) -> None:
        """Count the calls that adapters make of a function of ``os``, too."""
        call: Callable[..., Any] = getattr(os, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1).f_globals["__name__"]
            if caller.startswith("junctor.adapters.") and (name != "open" or args[1] & os.O_CREAT):
                self.count += 1
                if self.count == self.at:
                    if self.half and name == "write":
                        call(args[0], bytes(args[1])[: len(args[1]) // 2])
                    self.act()
            return call(*args, **kwargs)

        setattr(os, name, counted)


class Failing(Steps):
    """Only the calls outside the store fail."""

    def _step(self, path: str, offset: int, data: bytes) -> None: ...


def arrive(folder: Path) -> None:
    arrivals = folder / "in"
    arrivals.mkdir(parents=True)
    for name in ("a", "b"):
        lines = "".join(f'{{"id": "{name}-{n}"}}\n' for n in range(RECORDS))
        (arrivals / f"{name}.jsonl").write_text(lines)
    (arrivals / "c.jsonl").write_bytes(b'{"id": "c-0"}\n{"id": "c-1"}\n{"id": "\xff"}\n{"id": "never"}\n')
    (arrivals / "d.jsonl").touch()


def node_in(folder: Path, vfs: str) -> Node:
    flow = Flow("f")
    options: dict[str, Any] = {"format": "json-lines", "ready": "none", "batch": 5, "interval": 0.01}
    flow.add(
        FileIn(folder=folder / "in", **options), "files", connect={"out": ["lines", "each"]}, hold={"initial": 0.01}
    )
    lines = FileOut(folder=folder / "out", file="all.jsonl", mode="append", format="json-lines", create=True)
    flow.add(lines, "lines", hold={"initial": 0.01})
    each = FileOut(folder=folder / "out", file="{body.id}.json", create=True, marker="{name}.done", permissions="600")
    flow.add(each, "each", hold={"initial": 0.01})
    return Node(Plan(flows=[wire(flow)], transport=SqliteTransport(folder / "store", vfs=vfs, reserve=0)))


async def work(folder: Path, vfs: str) -> None:
    async with node_in(folder, vfs) as node:
        end = time.monotonic() + PATIENCE
        while any(folder.glob("in/*.jsonl")) or any(each.queued for each in node.status().services):
            assert time.monotonic() < end, f"it does not come to its end: {node.status()}"
            await asyncio.sleep(0.01)
        (folder / "sent.json").write_text(json.dumps(sent(node)))


def sent(node: Node) -> dict[str, list[str]]:
    """The ids that the store has as messages, by receiver."""
    found: dict[str, list[str]] = {"f/lines": [], "f/each": []}
    for record in node.archive.search(Query(limit=1000)):
        if record.message.target in found:
            found[record.message.target].append(record.message.body["id"])
    return found


def run(folder: Path, steps: Steps) -> int:
    def child() -> None:
        for name in CALLS:
            steps.outside(name)
        with tapped(steps) as vfs:
            asyncio.run(work(folder, vfs))
        (folder / "steps").write_text(str(steps.count))

    return in_child(child)


def faults_in(folder: Path) -> list[str]:
    """What is not as it has to be when all is done."""
    faults = []
    for target, ids in json.loads((folder / "sent.json").read_text()).items():
        faults += _compared(target, ids)
    lines = (folder / "out/all.jsonl").read_text().splitlines()
    faults += _compared("all.jsonl", [line.removeprefix('{"id":"').removesuffix('"}') for line in lines])
    names = sorted(path.name for path in (folder / "out").iterdir())
    expected = sorted(["all.jsonl", *(f"{each}.json{end}" for each in IDS for end in ("", ".done"))])
    if names != expected:
        faults.append(f"out has {set(names) ^ set(expected)}")
    faults += [f"{each} is torn" for each in IDS if (folder / f"out/{each}.json").read_text() != f'{{"id":"{each}"}}\n']
    rest = sorted(str(path.relative_to(folder / "in")) for path in (folder / "in").rglob("*") if path.is_file())
    put = [".archive/a.jsonl", ".archive/b.jsonl", ".archive/d.jsonl"]
    if rest != [*put, ".quarantine/c.jsonl", ".quarantine/c.jsonl.error"]:
        faults.append(f"in has {rest}")
    return faults


def _compared(where: str, ids: list[str]) -> list[str]:
    found, wanted = Counter(ids), Counter(IDS)
    faults = []
    if found != wanted:
        faults.append(f"{where}: lost {dict(wanted - found)}, doubled {dict(found - wanted)}")
    elif ids != IDS and list(reversed(ids)) != IDS:
        faults.append(f"{where}: out of order: {ids}")
    return faults


def point(folder: Path, number: int, mode: str) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    arrive(folder)
    if mode in ERRORS:
        status = run(folder, Failing(number, _raise(ERRORS[mode])))
        met = (folder / "steps").exists() and int((folder / "steps").read_text()) >= number
        faults = [] if status == 0 else [f"it ended with {status}"]
    else:
        status = run(folder, Steps(number, kill_self, half=mode == "half"))
        met = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        faults = [] if met or status == 0 else [f"it ended with {status}"]
        if met and (status := run(folder, Steps(0, kill_self))):
            faults.append(f"the next run ended with {status}")
    return {"point": number, "met": met, "faults": faults or faults_in(folder)}


def _raise(number: int) -> Callable[[], object]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


def main(folder: str, first: str, step: str, limit: str, mode: str) -> None:
    for number in range(int(first), int(limit), int(step)):
        made = point(Path(folder), number, mode)
        print(json.dumps(made), flush=True)
        if not made["met"]:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
