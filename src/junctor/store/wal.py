"""What SQLite rejected at the end of its write-ahead log, and whether that is worth an alert.

SQLite reads the log up to the first frame that does not fit and drops the rest without a word. Behind a crash that is
right: the rest is a transaction that nobody was told about. Behind a bad sector it drops acknowledged messages. Silence
is right only for sound frames without a commit; a bad frame, or a commit that does not count, is reported.

See "WAL file format" in SQLite's documentation: a header of 32 bytes, then frames of 24 bytes and a page each. Frames
of the current log carry the salts of its header.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEADER, FRAME = 32, 24
_MAGIC = 0x377F0682
_WORDS = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")


@dataclass(frozen=True)
class Rejected:
    """The part that SQLite will not use.

    ``certain``: a transaction follows a rejected one. With FULL it began only when that one was on the disk, so what
    was acknowledged is lost.
    """

    frames: int
    certain: bool
    data: bytes


def rejected(path: Path, accepted: int) -> Rejected | None:
    """What stands in the log behind the ``accepted`` frames and should not be dropped in silence.

    :param path: the log; read only.
    :param accepted: how many frames SQLite recovered, before anything new was written.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        size = path.stat().st_size
        header = file.read(HEADER)
        if len(header) < HEADER:
            return None
        words = _WORDS.unpack(header)
        if not _header_is_sound(header, words):
            return _whole(file, size)
        return _behind(file, words, accepted, size)


def _whole(file: BinaryIO, size: int) -> Rejected | None:
    """All of a log whose header does not fit. A log without a frame holds nothing."""
    file.seek(0)
    frames = (size - HEADER) // FRAME
    return Rejected(frames, False, file.read()) if size > HEADER + FRAME else None


def _behind(file: BinaryIO, words: tuple[int, ...], accepted: int, size: int) -> Rejected | None:
    step = FRAME + words[2]
    start = HEADER + accepted * step
    commits = _commits(file, words, accepted, (size - HEADER) // step)
    if not commits:
        return None
    if not any(commits) and _are_sound(file, words, accepted, len(commits), step):
        return None
    file.seek(start)
    return Rejected(len(commits), any(commits[:-1]), file.read(len(commits) * step))


def _commits(file: BinaryIO, words: tuple[int, ...], first: int, end: int) -> list[bool]:
    """For each frame up to the last one that belongs to this log: whether it ends a transaction.

    A frame with one fitting salt belongs as well: the other one is damaged. Older logs share neither of them.
    """
    found: list[bool] = []
    last = 0
    for index in range(first, end):
        file.seek(HEADER + index * (FRAME + words[2]))
        _, commit, salt1, salt2, _, _ = _FRAME.unpack(file.read(FRAME))
        belongs = salt1 == words[4] or salt2 == words[5]
        found.append(belongs and commit != 0)
        if belongs:
            last = len(found)
    return found[:last]


def _are_sound(file: BinaryIO, words: tuple[int, ...], accepted: int, count: int, step: int) -> bool:
    """Whether the frames behind the accepted ones carry the checksums they should."""
    sums = words[6:8]
    if accepted:
        file.seek(HEADER + (accepted - 1) * step)
        sums = _FRAME.unpack(file.read(FRAME))[4:6]
    order = ">" if words[0] & 1 else "<"
    for index in range(count):
        file.seek(HEADER + (accepted + index) * step)
        frame = file.read(step)
        sums = checksum(frame[:8] + frame[FRAME:], sums, order)
        if sums != _FRAME.unpack(frame[:FRAME])[4:6]:
            return False
    return True


def _header_is_sound(header: bytes, words: tuple[int, ...]) -> bool:
    if words[0] & ~1 != _MAGIC:
        return False
    return checksum(header[:24], (0, 0), ">" if words[0] & 1 else "<") == words[6:8]


def checksum(data: bytes, sums: tuple[int, ...], order: str) -> tuple[int, ...]:
    """SQLite's running checksum over pairs of 32-bit words. ``order``: ``<`` or ``>``, the byte order of the log."""
    values = array("I", data)
    if (order == "<") != (struct.pack("=I", 1)[0] == 1):
        values.byteswap()
    one, two = sums
    for index in range(0, len(values), 2):
        one = (one + values[index] + two) & 0xFFFFFFFF
        two = (two + values[index + 1] + one) & 0xFFFFFFFF
    return one, two
