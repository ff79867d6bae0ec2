"""A node that may be starting: what a command waits for that was typed right after ``junctor run x &``.

Before the store is locked nothing tells that a node starts, so a command that needs one waits a moment in any case.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from junctor.errors import NodeNotFound
from junctor.node.control.client import NodeClient
from junctor.node.directory import MayStart, is_running, may_start, nodes
from junctor.store.identity import LOCK
from junctor.store.lock import holder

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a command waits for a node that may be starting."""

BUSY = 10.0
"""Seconds that it waits where a node was started in this folder and listens not yet: a busy machine takes its time."""

_LOOK = 0.05  # seconds between two looks
_YOUNG = 3.0  # seconds


class StillStarting(MayStart):
    """A process has the store, and listens not yet, or no more."""

    code = "node-starting"
    default_fix = "Try again in a moment; `junctor logs` tells what it does."


def awaited(attempt: Callable[[], T]) -> T:
    """What ``attempt`` answers, tried again while a node may be starting.

    :raises NodeNotFound: it raises that to the end, or one that waiting does not change.
    """
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        # Looked at before the attempt: what begins to listen between the two is found by the attempt.
        patient = waited < PATIENCE or (waited < BUSY and _comes_here())
        try:
            return attempt()
        except MayStart as error:
            if not patient:
                told = f"{error.what} (waited {waited:.0f} s for one that may be starting)"
                raise type(error)(told, where=error.where, fix=error.fix) from None
        time.sleep(_LOOK)


def client_of(path: Path) -> NodeClient:
    """The client of the node in a directory.

    :raises MayStart: none runs, and one may be starting.
    :raises NodeNotFound: none runs, and the directory cannot be that of a node.
    """
    try:
        return NodeClient(path)
    except MayStart as error:
        if may_start(path):
            raise
        raise NodeNotFound(error.what, where=error.where, fix=error.fix) from None


def starter(path: Path) -> int:
    """The process that has the store of a directory, or was started a moment ago where such a node is started; 0 for
    none."""
    return holder(path / LOCK) or next(_just_started(), 0)


def _comes_here() -> bool:
    """Whether a node was started in this folder that does not listen yet."""
    listening = {holder(node / LOCK) for node in nodes(Path.cwd()) if is_running(node)}
    return any(pid not in listening for pid in _just_started(BUSY))


def _just_started(young: float = _YOUNG) -> Iterator[int]:
    """The ``junctor run`` of this user and folder that began in the last seconds, where the system tells: it may not
    have come to the store yet."""
    try:
        now = float(Path("/proc/uptime").read_text().split()[0])
        here, numbers = os.getcwd(), [name for name in os.listdir("/proc") if name.isdigit()]
    except (OSError, ValueError):
        return
    for number in reversed(numbers):
        with contextlib.suppress(OSError, ValueError, IndexError):
            process = Path("/proc", number)
            # The name in brackets may have anything in it; the start is the 22nd field of all.
            began = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
            if now - began > young or process.stat().st_uid != os.geteuid() or os.readlink(process / "cwd") != here:
                continue
            words = process.joinpath("cmdline").read_bytes().split(b"\0")
            if b"run" in words and any(b"junctor" in word for word in words[: words.index(b"run")]):
                yield int(number)
