"""A node that may be starting: what a command waits for that was typed right after ``junctor run x &``.

Before the store is locked nothing tells that a node starts, so a command that needs one waits a moment in any case.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from junctor.errors import NodeNotFound
from junctor.node.client import NodeClient
from junctor.node.directory import MayStart, may_start
from junctor.store.lock import holder

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a command waits for a node that may be starting."""

_LOOK = 0.05  # seconds between two looks


class StillStarting(MayStart):
    """A process has the store, and listens not yet, or no more."""

    code = "node-starting"
    default_fix = "Try again in a moment; `junctor logs` tells what it does."


def awaited(attempt: Callable[[], T]) -> T:
    """What ``attempt`` answers, tried again while a node may be starting.

    :raises NodeNotFound: it raises that to the end, or one that waiting does not change.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except MayStart as error:
            if time.monotonic() >= end:
                told = f"{error.what} (waited {PATIENCE:g} s for one that may be starting)"
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
    """The process that has the store of a directory, 0 where none has."""
    return holder(path / "lock")
