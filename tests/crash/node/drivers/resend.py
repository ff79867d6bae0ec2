"""Kill a node at every write and sync of its store while it sends parked messages again, and discards others.

For each point a child is forked that works on a copy of the same store and kills itself there. What it left is read at
once: each message is parked with nothing new, or it is resent with one new message and one note, nothing between. Then
another run sends again what is still parked, and everything happened once.

As a program: ``python -m tests.crash.node.drivers.resend FOLDER FIRST STEP MODE`` prints one JSON line a point. MODE:
``whole``; ``half`` tears the write it dies in; ``apart`` breaks the node on purpose, so that the checker has to notice:
the new message and the new status of the old one are two commits.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from junctor import Flow, Park, Service, handler
from junctor.messages import RESEND_OF, Status
from junctor.node import node as nodes
from junctor.node.control.operations import perform
from junctor.node.node import Node
from junctor.node.resend import ResendView
from junctor.store import journal
from junctor.store.reader import open_archive
from junctor.transports.base import Commit, Query
from junctor.transports.sqlite import SqliteTransport
from tests.crash.drivers.sweep import in_child
from tests.crash.vfs import AtOperation, Taps, kill_self, tapped

CHECKPOINT_PAGES = 24
_commit = SqliteTransport.commit
SENT, DISCARDED = 8, 3
"""Messages that are sent again, and that are discarded."""


@dataclass(frozen=True)
class Order:
    id: str


class Till(Service):
    """Refuses everything until it is open."""

    is_open = False

    @handler
    async def on_order(self, order: Order) -> None:
        if not Till.is_open:
            raise Park("closed")
        entry = self.state.of(order.id)
        entry["seen"] = entry.get("seen", 0) + 1
        with open("outside", "a") as file:
            file.write(f"{order.id} {self.message.effect}\n")


def work(folder: Path, taps: Taps, steps: Any) -> None:
    """Run a node on the store of a folder and do these steps."""
    os.chdir(folder)
    journal.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    with tapped(taps) as vfs:
        nodes.open_transport = lambda name, directory: SqliteTransport(folder / "store", vfs=vfs, reserve=0)
        asyncio.run(_run(folder, steps))


async def _run(folder: Path, steps: Any) -> None:
    async with Flow("shop").add(Till()).running(store=folder / "store") as node:
        await steps(node)


async def park_all(node: Node) -> None:
    """Let all orders be parked."""
    target = node.target("till", Order)
    for number in range(SENT + DISCARDED):
        await target.send(Order(f"order-{number}"))
    await _until(node, Status.PARKED)


async def decide_all(node: Node) -> None:
    """Discard the last ones, send again what is parked then, and wait for the end of all."""
    Till.is_open = True
    parked = sorted(record.message.seq for record in node.archive.search(Query(statuses=(Status.PARKED,))))
    last = [str(seq) for seq in parked if seq > SENT]
    if last:
        await _ask(node, "discard", messages=last, note="not needed")
    view: ResendView = await _ask(node, "resend", filter={"service": "till"})
    while view.state == "running":
        view = await _ask(node, "resend-progress", job=view.job, seen=view.changes, wait=10)
    assert view.well, view
    await _until(node)


async def _ask(node: Node, operation: str, **arguments: Any) -> Any:
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in arguments.items()}
    return await perform(node, operation, raw, who="ada")


async def _until(node: Node, *ends: Status) -> None:
    while any(record.status < Status.DONE for record in node.archive.search(Query(limit=1000))):
        await asyncio.sleep(0.001)


def left_by(folder: Path, whole: bool) -> list[str]:
    """What is wrong with a store, in words.

    :param whole: everything was decided about, and came to its end.
    """
    wrong: list[str] = []
    with closing(open_archive(folder / "store")) as archive:
        records = archive.search(Query(limit=1000))
        resends = Counter(record.message.headers.get(RESEND_OF, "") for record in records)
        for record in records:
            message, status = record.message, record.status
            if RESEND_OF in message.headers:
                if whole and status is not Status.DONE:
                    wrong.append(f"resend {message.seq} is {status.name}")
                continue
            new, notes = resends[message.id], len(archive.notes([message.seq]))
            wanted = {Status.PARKED: (0, 0), Status.RESENT: (1, 1), Status.DISCARDED: (0, 1)}.get(status)
            if (new, notes) != wanted or (whole and status is Status.PARKED):
                wrong.append(f"message {message.seq} is {status.name} with {new} new ones and {notes} notes")
            if (status is Status.DISCARDED) and message.seq <= SENT:
                wrong.append(f"message {message.seq} was discarded")
        seen = {order.id: archive.state("shop/till", order.id) for order in map(_order, range(SENT))} if whole else {}
    twice = {name: value for name, value in seen.items() if value.get("seen", (b"0", 0))[0] != b"1"}
    if twice:
        wrong.append(f"not handled exactly once: {twice}")
    return wrong


def _apart(self: Any, commit: Commit) -> None:
    if commit.inserts and commit.notes:
        rest = Commit(lambda commit, error: None, settles=commit.settles, notes=commit.notes)
        asyncio.get_running_loop().call_later(0.01, _commit, self, rest)
        commit.settles = commit.notes = ()
    _commit(self, commit)


def _order(number: int) -> Order:
    return Order(f"order-{number}")


def effects(folder: Path) -> list[str]:
    """What is wrong outside: an order with more than one key counts more than once there."""
    lines = {line for line in (folder / "outside").read_text().splitlines() if len(line.split()) == 2}
    return [] if len(lines) == SENT else [f"outside there are {len(lines)} effects, not {SENT}: {sorted(lines)}"]


def point(root: Path, number: int, half: bool) -> dict[str, Any]:
    """Kill at one operation, look, finish, look again."""
    folder = root / f"point-{number}"
    shutil.copytree(root / "parked", folder)
    status = in_child(lambda: work(folder, AtOperation(number, kill_self, half), decide_all))
    died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    result: dict[str, Any] = {"point": number, "died": died, "faults": ""}
    if not died and status != 0:
        return result | {"faults": "the node failed without being killed, see above"}
    wrong = left_by(folder, whole=False)
    if in_child(lambda: work(folder, Taps(), decide_all)) != 0:
        return result | {"faults": "the last run failed, see above"}
    result["faults"] = "; ".join([*wrong, *left_by(folder, whole=True), *effects(folder)])
    if not result["faults"]:
        shutil.rmtree(folder)
    return result


def main() -> None:
    folder, first, step, mode = sys.argv[1:]
    root = Path(folder)
    (root / "parked").mkdir(parents=True)
    if in_child(lambda: work(root / "parked", Taps(), park_all)) != 0:
        raise SystemExit("nothing could be parked")
    if mode == "apart":
        SqliteTransport.commit = _apart  # type: ignore[method-assign]
    number = int(first)
    while True:
        result = point(root, number, mode == "half")
        print(json.dumps(result), flush=True)
        if not result["died"]:
            return
        number += int(step)


if __name__ == "__main__":
    main()
