"""The log of a node in its data directory: JSON lines, bounded, written beside the event loop, read by anybody.

``log.jsonl`` is the newest of at most :data:`FILES` files; a full one becomes ``log.1.jsonl`` and the oldest goes. The
log is there to help: it never makes a service wait, never ends the node, and gives its room back when the disk is full.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from junctor import forks
from junctor.observe.logs import Noted, json_line, noted
from junctor.observe.secrets import mask

FILE = "log.jsonl"
FILES = 5
SIZE = 10 * 1024 * 1024
"""Bytes from which a file is full."""
LONGEST = 32_768
"""Characters of a text or traceback; the rest is cut."""
WAITING = 20_000
"""Lines that wait to be written; more are counted and left out."""
PAUSE = 0.05
"""Seconds for which lines are collected before they are written together."""

_CHUNK = 256 * 1024
_PATIENCE = 2.0  # seconds that the end of a node waits for a disk
_OLDER = re.compile(r"log\.(\d+)\.jsonl")


class LogFile(logging.Handler):
    """Keeps what is logged until :meth:`open` says where, and writes it from then on, in a thread of its own."""

    def __init__(self, *, size: int = SIZE, files: int = FILES) -> None:
        super().__init__()
        self._size = size
        self._files = files
        self._waiting: deque[Noted | bytes] = deque()
        self._left_out = 0
        self._idle = False
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None
        self._path = Path()
        self._file = -1
        self._inode = 0
        self._written = 0
        self._torn = False

    def tell(self, logger: str, text: str) -> None:
        """Keep a line that is for this log alone."""
        self.handle(logging.LogRecord(logger, logging.INFO, "", 0, "%s", (text,), None))

    def join(self) -> Callable[[], None]:
        """Take part in the logging of the process; answers the undo, which writes what waits."""
        logging.getLogger().addHandler(self)

        def undo() -> None:
            logging.getLogger().removeHandler(self)
            self.close()

        return undo

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the lock of the base class: a deque needs none.
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._waiting) >= WAITING:
            self._left_out += 1
            return
        try:
            line = getattr(record, "json_line", None)
            self._waiting.append(_bounded(noted(record)) if line is None or len(line) > LONGEST else line)
        except Exception:  # noqa: BLE001 - as everywhere in logging, a wrong format does not fail the caller
            self.handleError(record)
        if self._idle:
            self._idle = False
            self._wake.set()
        if record.levelno >= logging.ERROR:
            self._hurry.set()

    def open(self, directory: Path) -> None:
        """Write into this folder from now on. Idempotent."""
        if self._thread is None:
            self._path = directory / FILE
            self._thread = threading.Thread(target=self._write_on, name="junctor log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what waits, as far as the disk lets it. Idempotent."""
        self._ending = True
        self._wake.set()
        self._hurry.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_PATIENCE)
        super().close()

    # In the thread ------------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        with contextlib.suppress(OSError):
            self._reopen()  # so that there is a log from the start
        while not self._ending:
            self._wake.clear()
            self._idle = True
            if not self._waiting:
                self._wake.wait()
            self._idle = False
            self._hurry.wait(PAUSE)
            self._hurry.clear()
            self._write_waiting()
        self._write_waiting()
        self._shut()

    def _write_waiting(self) -> None:
        while self._waiting or self._left_out:
            lines, size = [], 0
            while self._waiting and size < _CHUNK:
                said = self._waiting.popleft()
                lines.append((said if isinstance(said, bytes) else json_line(said)) + b"\n")
                size += len(lines[-1])
            left_out, self._left_out = self._left_out, 0
            if left_out:
                lines.append(_remark(f"{left_out} lines were left out here"))
            try:
                self._write(b"".join(lines))
            except OSError as error:
                self._left_out += left_out + len(lines)
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    self._make_room()
                return

    def _write(self, data: bytes) -> None:
        if self._written >= self._size:
            self._rotate()
        if self._file < 0 or _inode(self._path) != self._inode:  # somebody moved or removed it
            self._reopen()
        if self._torn:
            data = b"\n" + data
        self._torn = True
        view = memoryview(data)
        while view:
            count = os.write(self._file, view)
            self._written += count
            view = view[count:]
        self._torn = False

    def _reopen(self) -> None:
        self._shut()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self._path, flags, 0o600)
        forks.close_in_children(self._file)
        found = os.fstat(self._file)
        self._inode, self._written = found.st_ino, found.st_size
        self._torn = found.st_size > 0 and not _ends_a_line(self._path)

    def _shut(self) -> None:
        if self._file >= 0:
            forks.forget(self._file)
            os.close(self._file)
            self._file = -1

    def _rotate(self) -> None:
        self._shut()
        for number in range(self._files - 1, 0, -1):
            younger = self._path.with_name(f"log.{number - 1}.jsonl") if number > 1 else self._path
            with contextlib.suppress(FileNotFoundError):
                younger.rename(self._path.with_name(f"log.{number}.jsonl"))
        self._written = 0

    def _make_room(self) -> None:
        """The disk is full: what the node must store is worth more than what was said long ago."""
        with contextlib.suppress(OSError):
            older = files(self._path.parent)[:-1]
            if older:
                older[0].unlink()


def _bounded(said: Noted) -> Noted:
    if len(said.text) + len(said.exception) <= LONGEST:
        return said
    text, exception = mask(said.text), mask(said.exception)  # before the cut, which could leave half a secret
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} ... (cut)"
    return said._replace(text=text, exception=exception[-LONGEST:])


def _remark(text: str) -> bytes:
    return json_line(Noted(time.time(), "WARNING", "junctor.log", text, "", 0, None, "")) + b"\n"


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


# Reading ------------------------------------------------------------------------------------------------------


def files(directory: Path) -> list[Path]:
    """The files of the log, oldest first."""
    older = {int(found[1]): path for path in directory.glob("log.*.jsonl") if (found := _OLDER.fullmatch(path.name))}
    newest = directory / FILE
    return [older[number] for number in sorted(older, reverse=True)] + ([newest] if newest.exists() else [])


class LogReader:
    """Reads the log of a node that runs or not, and reads on where it stopped, also after the files were rotated."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._inode = 0
        self._place = 0
        self._part = b""

    def lines(self) -> Iterator[bytes]:
        """The whole lines that were written since the last call; at the first call, all that there are."""
        while True:
            # The next file is looked for first: where there is one, this one is complete when it is read.
            path, following = self._current()
            if path is None:
                return
            if not (yield from self._rest_of(path)):
                continue  # renamed at this very moment
            if not following:
                return
            self._begin(following)

    def _begin(self, inode: int) -> None:
        self._inode, self._place, self._part = inode, 0, b""

    def _current(self) -> tuple[Path | None, int]:
        """The file to read on, and the inode of the one behind it, 0 for none."""
        known = _steady(self._directory)
        inodes = [inode for inode, _ in known]
        if not known:
            return None, 0
        if self._inode not in inodes:  # the first call, or so much was said that what was read is gone
            self._begin(inodes[0])
        here = inodes.index(self._inode)
        return known[here][1], inodes[here + 1] if here + 1 < len(known) else 0

    def _rest_of(self, path: Path) -> Generator[bytes, None, bool]:
        """The whole lines from the place on; False where the path is another file by now."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            if os.fstat(file.fileno()).st_ino != self._inode:
                return False
            file.seek(self._place)
            while data := file.read(_CHUNK):
                self._place += len(data)
                *whole, self._part = (self._part + data).split(b"\n")
                yield from (line for line in whole if line)
        return True


def _steady(directory: Path) -> list[tuple[int, Path]]:
    """The inodes and names of the files, oldest first. A listing that the writer's renaming came into would miss one or
    have one twice, so two that are the same are waited for."""
    before: list[tuple[int, Path]] | None = None
    while True:
        found = [(_inode(path), path) for path in files(directory)]
        if found == before:
            return found
        before = found
