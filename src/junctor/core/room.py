"""What the journal of a node takes of its disk."""

from __future__ import annotations

import msgspec


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal takes of its disk, all in bytes.

    ``database`` and ``wal`` are the sizes of these files, ``damaged`` what is kept of damaged logs, ``reserve`` what is
    held back for a full disk. ``free`` is what the node's user may still write on that disk, ``total`` its size.
    """

    database: int
    wal: int
    damaged: int
    reserve: int
    free: int
    total: int

    @property
    def taken(self) -> int:
        """What counts against a budget: all but the reserve, which is there to be given up."""
        return self.database + self.wal + self.damaged

    @property
    def used(self) -> float:
        """Percent of the disk in use, by whomever."""
        return 100 * (1 - self.free / self.total) if self.total else 0.0
