"""Which file comes next: those of the folder that fit, are finished, and were not read."""

from __future__ import annotations

import errno
import os
import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterable

import msgspec

from junctor.adapters.file.cursor import Cursor, identity_of
from junctor.adapters.file.folder import Found, Search
from junctor.adapters.file.left import Left
from junctor.adapters.file.names import kept, shown
from junctor.adapters.file.readiness import Marker, Stability
from junctor.adapters.file.reading import open_regular

_NOT_FOR_US = (errno.EACCES, errno.EPERM, errno.ELOOP)


class Rules(msgspec.Struct, kw_only=True):
    """What decides whether a file is read, beside its name. What is None decides nothing."""

    stability: Stability | None = None
    marker: Marker | None = None
    left: Left | None = None
    claim: bool = False


class Finder:
    """Finds files one after the other.

    :param refused: told the name of a file that cannot be opened, and why; once for each.
    """

    def __init__(self, search: Search, rules: Rules, refused: Callable[[str, str], object]) -> None:
        self._search = search
        self._rules = rules
        self._tell_refused = refused
        self._waiting: deque[Found] = deque()
        self._refused: set[str] = set()

    def next(self) -> Cursor | None:
        """A cursor at the begin of the next file; None when the last :meth:`look` found no more.

        :raises OSError: a file cannot be read, and the reason is not its own.
        """
        while self._waiting:
            cursor = self._cursor_in(self._waiting.popleft().name)
            if cursor is not None:
                return cursor
        return None

    def look(self, busy: Collection[str], now: float) -> None:
        """Look into the folder, when no file waits any more.

        :param busy: names of files that are not to be found.
        :param now: the time in seconds.
        :raises OSError: the folder cannot be read.
        """
        if self._waiting:
            return
        rules = self._rules
        files: Iterable[Found] = self._search.files()
        if rules.left is not None:
            files = rules.left.unread(list(files))
        if rules.marker is not None:
            files = self._marked(files, rules.marker)
        files = [file for file in files if file.name not in busy]
        self._waiting.extend(files if rules.stability is None else rules.stability.ready(files, now))

    def begin(self, name: str, path: str = "", claimed: str = "") -> Cursor | None:
        """A cursor at the begin of a file; None for one that cannot be opened.

        :param path: where it is, when not under its name.
        """
        try:
            with open_regular(os.path.join(self._search.folder, path or name), self._search.links) as source:
                identity = identity_of(source)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _NOT_FOR_US:
                raise
            self._refuse(name, error.strerror or str(error))
            return None
        self._refused.discard(name)
        return Cursor(kept(name), identity, claimed=claimed)

    def _cursor_in(self, name: str) -> Cursor | None:
        end = self._rules.left.end_of(name) if self._rules.left is not None else None
        if end is not None:
            return end
        return self.begin(name, claimed=_claim(name) if self._rules.claim else "")

    def _marked(self, files: Iterable[Found], marker: Marker) -> Iterable[Found]:
        for file in files:
            if not marker.is_one(file.name) and os.path.lexists(self._path(marker.of(file.name))):
                yield file

    def _refuse(self, name: str, reason: str) -> None:
        if name not in self._refused:
            self._refused.add(name)
            self._tell_refused(shown(name), reason)

    def _path(self, name: str) -> str:
        return os.path.join(self._search.folder, name)


def _claim(name: str) -> str:
    """A hidden name that nobody else thinks of."""
    folder, slash, last = name.rpartition("/")
    short = os.fsdecode(os.fsencode(last)[:200])
    return kept(f"{folder}{slash}.{short}.{secrets.token_hex(8)}.claimed")
