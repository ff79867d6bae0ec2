"""How much of the disk a store takes, and how much of it is left."""

from __future__ import annotations

import os
from pathlib import Path

from junctor.core.room import Room
from junctor.store.identity import DAMAGED, DATABASE, RESERVE


def measure(directory: Path) -> Room:
    """The sizes now. A file that is not there counts nothing, a disk that does not answer has no size."""
    try:
        disk = os.statvfs(directory)
        free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    except OSError:
        free = total = 0
    return Room(
        database=_size(directory / DATABASE),
        wal=_size(directory / f"{DATABASE}-wal"),
        damaged=sum(_size(path) for path in (directory / DAMAGED).glob("*")),
        reserve=_size(directory / RESERVE),
        free=free,
        total=total,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
