"""The data directory and the name of its node."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import msgspec

from junctor.errors import StoreError

DATABASE = "junctor.db"
LOCK = "lock"
IDENTITY = "node.json"
RESERVE = "reserve"
DAMAGED = "damaged"


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who the node is: 12 random hexadecimal digits, and when it was made in nanoseconds since 1970.

    Of its last opening: ``epoch`` counts it, ``first`` is the number its records began with, ``inode`` the number of
    the database's file. By these a database is known that is not the one that the node used last.
    """

    node: str
    created: int
    epoch: int = 0
    first: int = 0
    inode: int = 0


def prepare(directory: Path) -> None:
    """Make the data directory, readable by its owner only.

    :raises StoreError: it cannot be made or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder cannot be made: {error.strerror}", where=str(directory)) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StoreError(
            "the folder is not writable", where=str(directory), fix="Give its user write access, or use --store."
        )


def read_identity(directory: Path) -> Identity | None:
    """The identity in the folder, None when there is none yet.

    :raises StoreError: the file is there and cannot be read.
    """
    path = directory / IDENTITY
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"the identity of the node cannot be read: {error}", where=str(path)) from error


def new_identity(node: str | None = None) -> Identity:
    """A new identity, in memory only.

    :param node: the name to keep, where only the file was lost.
    """
    return Identity(node or secrets.token_hex(6), time.time_ns())


def keep_identity(directory: Path, identity: Identity) -> None:
    """Write the identity, unless it stands there already. It is on the disk before anybody outside hears of it."""
    if read_identity(directory) != identity:
        write_durably(directory / IDENTITY, msgspec.json.encode(identity))


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that after a power cut either the old or the new content is there, whole.

    :raises StoreError: the folder or disk refuses.
    """
    fresh = path.with_suffix(path.suffix + ".new")
    try:
        with open(fresh, "wb", opener=_private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"the file cannot be written: {error.strerror}", where=str(path)) from error


def sync_directory(directory: Path) -> None:
    """Make the names in a folder durable, not only the content of its files."""
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
