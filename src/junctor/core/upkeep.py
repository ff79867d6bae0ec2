"""The upkeep of a journal: what is asked of it so that it does not grow for ever."""

from __future__ import annotations

import abc
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from junctor.core.retention import Candidate


class Look(msgspec.Struct, frozen=True):
    """A slice of the records, in order. ``last`` is the number up to which was looked, ``more`` whether any are above.
    ``damage`` tells of a part that could not be read and was left out."""

    records: Sequence[Candidate]
    last: int
    more: bool
    damage: str = ""


class Fill(msgspec.Struct, frozen=True):
    """How full a database is: its bytes, and those of them that are free inside. ``shrinks``: it can give them back."""

    size: int
    free: int
    shrinks: bool = True

    @property
    def used(self) -> int:
        return self.size - self.free


class Backup(msgspec.Struct, frozen=True):
    """A backup that was written and read back. ``seconds`` it took, ``bytes`` it has, ``records`` are in it;
    ``damaged`` of them were so in the store already."""

    path: str
    records: int
    bytes: int
    seconds: float
    damaged: int = 0


class Upkeep(abc.ABC):
    """What a journal with a disk offers beside its traffic. Removal itself is a :class:`Commit` like any other; nothing
    here holds one up for more than some milliseconds, and nothing here ends the node."""

    @abc.abstractmethod
    async def look(self, after: int, limit: int, targets: Collection[str] | None = None) -> Look:
        """Records above ``after``, in order, at most ``limit``; with ``targets`` only finished ones of these.

        :raises StoreError: the database cannot be read.
        """

    @abc.abstractmethod
    async def open_from(self, targets: Collection[str]) -> int:
        """The lowest number that is READY or CLAIMED for these targets, 0 for none."""

    @abc.abstractmethod
    async def failing(self, records: Sequence[Candidate]) -> set[bytes]:
        """Those sessions of the records in which something failed. Of a session without end the neighbourhood of the
        record counts, a thousand to each side."""

    @abc.abstractmethod
    async def newest(self) -> int:
        """When the newest record was accepted, nanoseconds since 1970, 0 for none."""

    @abc.abstractmethod
    async def fill(self) -> Fill: ...

    @abc.abstractmethod
    async def compact(self, size: int) -> None:
        """Give up to ``size`` free bytes back to the disk. A small step: call it again."""

    @abc.abstractmethod
    async def shrink(self) -> None:
        """Let the file become as small as what was given back allows."""

    @abc.abstractmethod
    async def prune(self, before: int) -> bool:
        """Forget what has outlived its records: old alerts, log lines of none, entries of indexes, copies of damaged
        logs. A small step; False when there is nothing left to forget.

        :param before: nanoseconds since 1970; alerts and copies that are older go.
        """

    @abc.abstractmethod
    async def backup(self, path: Path) -> Backup:
        """Write a consistent copy of the journal into one file, while it goes on.

        :raises BackupFailed: nothing is left behind where the file should be.
        """
