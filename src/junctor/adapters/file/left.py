"""What is remembered of files that stay where they are when they were read."""

from __future__ import annotations

import os
from collections.abc import Iterator

from junctor.adapters.file.cursor import Cursor, identity_of
from junctor.adapters.file.folder import Found
from junctor.adapters.file.names import kept
from junctor.adapters.file.reading import open_regular
from junctor.services.state import State


class Left:
    """The ends of files that were read, by name. Kept as long as the files are there.

    :param memory: a state of its own; read once.
    :param grows: whether what is behind the end of a file that was read is more of the same.
    """

    def __init__(self, folder: str, memory: State, grows: bool) -> None:
        self._folder = folder
        self._memory = memory
        self._grows = grows
        self._ends: dict[str, Cursor] = {name: memory.get(name, type=Cursor) for name in memory}

    def end_of(self, name: str) -> Cursor | None:
        """Where the reading of a file goes on; None where it begins."""
        return self._ends.get(kept(name))

    def keep(self, cursor: Cursor) -> None:
        self._memory[cursor.name] = self._ends[cursor.name] = cursor

    def unread(self, files: list[Found]) -> Iterator[Found]:
        """Those that were not read yet, or have changed since.

        :param files: all that are in the folder: what is remembered of others is forgotten.
        """
        self._forget_others({kept(file.name) for file in files})
        for file in files:
            cursor = self.end_of(file.name)
            if cursor is None:
                yield file
            elif (file.size, file.mtime) != (cursor.identity.size, cursor.identity.mtime):
                if not self._has_grown(cursor, file):
                    self._forget(cursor.name)
                yield file

    def _has_grown(self, cursor: Cursor, file: Found) -> bool:
        """Whether a file that was read has only become longer."""
        if not self._grows or cursor.problem or file.size <= cursor.identity.size:
            return False
        try:
            with open_regular(os.path.join(self._folder, file.name), links=True) as source:
                now = identity_of(source, cursor.identity.hashed)
        except OSError:
            return False
        return not cursor.identity.changed(now)

    def _forget_others(self, names: set[str]) -> None:
        device = os.stat(self._folder).st_dev
        for name in [name for name in self._ends if name not in names]:
            if self._ends[name].identity.device == device:  # else the disk is away, and its files come back with it
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._ends.pop(name, None)
        if name in self._memory:
            del self._memory[name]
