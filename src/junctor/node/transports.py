"""The transports that a node can be told by name."""

from __future__ import annotations

from pathlib import Path

from junctor.errors import ConfigurationError, nearest
from junctor.transports.base import Transport

TRANSPORTS = ("sqlite", "memory")


def open_transport(name: str, directory: Path | None) -> Transport:
    """The transport of this name, not opened yet.

    :raises ConfigurationError: there is none of this name, or it needs a directory.
    """
    if name == "memory":
        from junctor.transports.memory import MemoryTransport

        return MemoryTransport()
    if name == "sqlite" and directory is not None:
        from junctor.transports.sqlite import SqliteTransport

        return SqliteTransport(directory)
    if name == "sqlite":
        raise ConfigurationError("the sqlite transport needs a folder", where="store")
    fix = nearest(name, TRANSPORTS).rstrip()
    raise ConfigurationError(f'there is no transport "{name}"', where="transport", fix=fix)
