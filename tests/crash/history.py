"""What clients lived through, and whether the store agrees: the checker of every crash test.

Each client writes a line before and after each send into a file of its own, synced before it goes on: the file is the
outside view that no bug of the store can change. ``invoke`` stands alone when the outcome is unknown; such a message
may be there or not (Jepsen's rule), and its client sends it again under the same idempotency key before anything else.

A fault is one of

* ``lost``: told as accepted, not in the store;
* ``phantom``: in the store, never sent, or told as refused;
* ``double``: more than one record or more than one effect of one send;
* ``torn``: finished without its effect, or an effect without being finished;
* ``reordered``: effects of one key in another order than their sends;
* ``unfinished``: everything was to be worked off, and this was not;
* ``untimely``: delivered to a service that was paused;
* ``misjudged``: parked by a condition that could judge it, or not parked although it could not.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NamedTuple

OUTCOMES = ("ok", "fail")


class Event(NamedTuple):
    """One line of a client: ``op`` is invoke, ok or fail; ``id`` is the client's own name of the message."""

    op: str
    id: str
    key: str


class Seen(NamedTuple):
    """One record in the store that came from a client. ``effects`` are the numbers of what its handling made."""

    id: str
    key: str
    effects: tuple[int, ...]
    finished: bool


class ClientLog:
    """The file of one client. Lines are on the disk when :meth:`note` returns."""

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self.path = path
        self._sync = sync
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, op: str, id: str, key: str) -> None:
        os.write(self._file, f"{op} {id} {key}\n".encode())
        if self._sync:
            os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_history(directory: Path) -> list[Event]:
    """All clients' lines, each client's in its order. A last line without its end was never finished: left out."""
    events = []
    for path in sorted(directory.glob("*.log")):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                events.append(Event(*line.split()))
    return events


def unknown(events: Iterable[Event]) -> list[Event]:
    """The sends without an outcome, in order."""
    open_sends: dict[str, Event] = {}
    for event in events:
        if event.op == "invoke":
            open_sends.setdefault(event.id, event)
        else:
            open_sends.pop(event.id, None)
    return list(open_sends.values())


@dataclass
class Faults:
    """What is wrong, by kind; empty lists mean that the store kept its promises."""

    lost: list[str] = field(default_factory=list)
    phantom: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    untimely: list[str] = field(default_factory=list)
    misjudged: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))

    def __str__(self) -> str:
        found = ((each.name, getattr(self, each.name)) for each in fields(self))
        return "; ".join(f"{name}: {', '.join(ids[:5])} ({len(ids)})" for name, ids in found if ids) or "none"


def check(events: Iterable[Event], seen: Iterable[Seen], *, drained: bool = False) -> Faults:
    """Compare the clients' view with the store's. ``drained``: everything was to be worked off."""
    events, seen = list(events), list(seen)
    position = {event.id: index for index, event in reversed(list(enumerate(events))) if event.op == "invoke"}
    refused = {event.id for event in events if event.op == "fail"} - {event.id for event in events if event.op == "ok"}
    present = Counter(record.id for record in seen)
    faults = Faults()
    faults.lost = sorted({event.id for event in events if event.op == "ok"} - present.keys())
    faults.phantom = sorted(id for id in present if id not in position or id in refused)
    faults.double = sorted(
        {id for id, count in present.items() if count > 1} | {each.id for each in seen if len(each.effects) > 1}
    )
    faults.torn = sorted(each.id for each in seen if each.finished != bool(each.effects))
    faults.reordered = _reordered(seen, position)
    faults.unfinished = sorted(each.id for each in seen if drained and not each.finished)
    return faults


def _reordered(seen: list[Seen], position: dict[str, int]) -> list[str]:
    """Effects are numbered as they happen. Within a key they are to follow the order of the sends of each client."""
    lines: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for record in seen:
        client = record.id.rpartition("-")[0]
        lines[(client, record.key)] += [(effect, record.id) for effect in record.effects[:1]]
    found = []
    for line in lines.values():
        ids = [id for _, id in sorted(line)]
        ordered = sorted(ids, key=lambda id: position.get(id, -1))
        found += [id for id, expected in zip(ids, ordered, strict=True) if id != expected]
    return sorted(found)
