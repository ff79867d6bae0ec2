"""Power loss: what was written and not synced is dropped, kept or torn, each 512-byte sector for itself, by a seed.

The method of SQLite's own test6.c, as a file system in Python. The store runs on real files; beside them this module
keeps what a disk would surely hold (everything up to the last sync of each file) and what is on its way (the writes
since). A cut can be taken at any operation without stopping the run: it is an image of the folder after the power came
back.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.vfs import Taps

SECTOR = 512


@dataclass
class _Disk:
    """One file: ``sure`` survives; ``pending`` are the writes (offset, data) and truncations (size, None) since."""

    sure: bytearray = field(default_factory=bytearray)
    exists: bool = False
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def settle(self) -> None:
        for offset, data in self.pending:
            _apply(self.sure, offset, data)
        self.pending.clear()
        self.exists = True

    def after_cut(self, chance: random.Random) -> bytes | None:
        """The content after a power cut, None when the file may be gone altogether and is."""
        if not self.exists and (not self.pending or chance.random() < 0.5):
            return None
        content = bytearray(self.sure)
        for offset, data in self.pending:
            if data is None:
                if chance.random() < 0.5:
                    _apply(content, offset, None)
                continue
            for start in range(0, len(data), SECTOR):
                sector = _fate(data[start : start + SECTOR], chance)
                if sector is not None:
                    _apply(content, offset + start, sector)
        return bytes(content)


def _fate(sector: bytes, chance: random.Random) -> bytes | None:
    """Kept, dropped, or torn: the first part new, the rest noise."""
    draw = chance.random()
    if draw < 0.45:
        return sector
    if draw < 0.9:
        return None
    cut = chance.randrange(len(sector) + 1)
    return sector[:cut] + chance.randbytes(len(sector) - cut)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class PowerSupply(Taps):
    """Watches the files of one folder; calls ``at_operation`` at each write and sync, when a cut may be taken."""

    def __init__(self, at_operation: Callable[[int], object] | None = None) -> None:
        self._disks: dict[str, _Disk] = {}
        self._lock = threading.RLock()
        self._at_operation = at_operation
        self.count = 0

    def _disk(self, path: str) -> _Disk:
        return self._disks.setdefault(Path(path).name, _Disk())

    def _step(self) -> None:
        self.count += 1
        if self._at_operation is not None:
            self._at_operation(self.count)

    def wrote(self, path: str, offset: int, data: bytes) -> None:
        with self._lock:
            self._disk(path).pending.append((offset, data))
            self._step()

    def sync(self, path: str) -> None:
        with self._lock:
            self._step()

    def synced(self, path: str) -> None:
        with self._lock:
            self._disk(path).settle()

    def truncate(self, path: str, size: int) -> None:
        with self._lock:
            self._disk(path).pending.append((size, None))

    def delete(self, path: str) -> None:
        with self._lock:
            self._disks.pop(Path(path).name, None)

    def cut(self, directory: Path, seed: int) -> None:
        """Write the folder as it is after a power cut at this moment."""
        with self._lock:
            directory.mkdir(parents=True)
            chance = random.Random(seed)
            for name, disk in sorted(self._disks.items()):
                content = disk.after_cut(chance)
                if content is not None:
                    (directory / name).write_bytes(content)
