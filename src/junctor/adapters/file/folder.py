"""What is in a folder: the files that fit a pattern, in the order in which they are to be read."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from typing import Literal

import msgspec

Order = Literal["name", "time"]


class Found(msgspec.Struct, frozen=True, gc=False):
    """A file: its name below the folder, its size in bytes and the time of its last change in nanoseconds."""

    name: str
    size: int
    mtime: int


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Which files of a folder are meant.

    A pattern is that of a shell: ``*.csv``. Names that begin with a dot fit only a pattern that does, and folders that
    do are not entered. ``spared`` are folders that are never entered. Links are files only where ``links`` says so.
    """

    folder: str
    pattern: str = "*"
    recursive: bool = False
    links: bool = False
    order: Order = "name"
    spared: frozenset[str] = frozenset()

    def files(self) -> list[Found]:
        """In order: by name, or oldest first.

        :raises OSError: the folder cannot be read.
        """
        found = list(self._in(self.folder, ""))
        found.sort(key=(lambda each: (each.mtime, each.name)) if self.order == "time" else (lambda each: each.name))
        return found

    def _in(self, folder: str, below: str) -> Iterator[Found]:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{below}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if self._enters(entry):
                        yield from self._inside(entry, name)
                elif self.fits(entry.name) and (status := self._status(entry)) is not None:
                    yield Found(name, status.st_size, status.st_mtime_ns)

    def _inside(self, entry: os.DirEntry[str], name: str) -> Iterator[Found]:
        try:
            yield from self._in(entry.path, f"{name}/")
        except (FileNotFoundError, PermissionError):
            return  # gone meanwhile, or not for us: the others are

    def _enters(self, entry: os.DirEntry[str]) -> bool:
        return self.recursive and not entry.name.startswith(".") and os.path.realpath(entry.path) not in self.spared

    def fits(self, name: str) -> bool:
        """Whether the last part of a name fits the pattern."""
        if name.startswith(".") and not self.pattern.startswith("."):
            return False
        return fnmatch.fnmatchcase(name, self.pattern)

    def _status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        """None for what is no file, or is gone again."""
        try:
            status = entry.stat(follow_symlinks=self.links)
        except OSError:
            return None
        return status if stat.S_ISREG(status.st_mode) else None
