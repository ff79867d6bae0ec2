"""What is in a folder: the files that fit a pattern, in the order in which they are to be read."""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator
from typing import Literal

import msgspec

Order = Literal["name", "time"]

_LEFT_OUT = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)
"""Why a folder below is left out: gone meanwhile, not for us, or too deep to be named. The others are read."""


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
        found = list(self._all())
        found.sort(key=(lambda each: (each.mtime, each.name)) if self.order == "time" else (lambda each: each.name))
        return found

    def _all(self) -> Iterator[Found]:
        root = os.path.realpath(self.folder)
        waiting = [""]  # and no call within a call: whoever may make folders may nest them as deep as he likes
        while waiting:
            below = waiting.pop()
            try:
                yield from self._in(root, below, waiting)
            except OSError as error:
                if not below or error.errno not in _LEFT_OUT:
                    raise

    def _in(self, root: str, below: str, waiting: list[str]) -> Iterator[Found]:
        """The files of one folder; those below it are to wait."""
        with os.scandir(os.path.join(self.folder, below)) as entries:
            for entry in entries:
                name = f"{below}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if self._enters(entry.name, os.path.join(root, name)):
                        waiting.append(f"{name}/")
                elif self.fits(entry.name) and (status := self._status(entry)) is not None:
                    yield Found(name, status.st_size, status.st_mtime_ns)

    def _enters(self, name: str, path: str) -> bool:
        return self.recursive and not name.startswith(".") and path not in self.spared

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
