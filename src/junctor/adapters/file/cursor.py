"""Which file is read and how far, as it is kept in the state of the service and committed with the records."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO

import msgspec

from junctor.adapters.file.formats import Place

HEAD = 1024
"""Bytes at the begin of a file by which it is known again."""


class Identity(msgspec.Struct, frozen=True):
    """By what a file is known again: its place on the disk, its size and time, and a hash of its first bytes.

    Some file systems give a file another number when they are mounted anew, so device and inode alone do not tell that
    it is another one.
    """

    device: int
    inode: int
    size: int
    mtime: int
    head: str
    hashed: int

    def changed(self, now: Identity) -> str:
        """What happened to the file since; empty where it is as it was, or something was written behind its end.

        :param now: of the file under its name, with a head of as many bytes as this.
        """
        same_file = (self.device, self.inode) == (now.device, now.inode)
        if now.size < self.size:
            return f"it had {self.size:,} bytes and has {now.size:,}" if same_file else "it is another file now"
        if now.head != self.head:
            return "its first bytes are others" if same_file else "it is another file now"
        if now.size == self.size and now.mtime != self.mtime:
            return "it was written to, within its length"
        if now.size > self.size and not same_file:
            return "it is another file now"
        return ""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that is being read: its name below the folder as :func:`~.names.kept` has it, what it was when it was
    found, and where its next record begins.

    ``claimed`` is the name under which it is taken from other nodes. ``ended`` is when its last record was read, in
    nanoseconds; ``problem`` why it was not read to its end.
    """

    name: str
    identity: Identity
    offset: int = 0
    line: int = 1
    claimed: str = ""
    ended: int = 0
    problem: str = ""

    @property
    def place(self) -> Place:
        return Place(self.offset, self.line)

    @property
    def key(self) -> str:
        """What the keys of its records begin with: the same for a file that comes back as it was."""
        return f"{self.name[-200:]}:{self.identity.mtime}:{self.identity.head}"


def identity_of(source: BinaryIO, hashed: int = HEAD) -> Identity:
    """The identity of an open file, at whatever place it stands.

    :param hashed: bytes to hash, when it has so many.
    """
    status = os.fstat(source.fileno())
    count = min(hashed, status.st_size)
    head = hashlib.sha256(os.pread(source.fileno(), count, 0)).hexdigest()[:16]
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, head, count)
