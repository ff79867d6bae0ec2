"""What keeps the store: backups, and the removal of what is old."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from junctor.core.upkeep import Backup, Upkeep
from junctor.errors import StoreError
from junctor.node.control.table import operation
from junctor.runtime.sweep import Swept
from junctor.store.backup import BackupFailed

if TYPE_CHECKING:
    from junctor.node.node import Node

log = logging.getLogger("junctor.node")


@operation("backup", permission="operate")
async def backup(node: Node, path: str, who: str = "") -> Backup:
    """Write a verified copy of the store into a new file, while the node goes on.

    ``path`` is absolute, and as seen from the node.
    """
    if "\0" in path:
        raise BackupFailed("the path has a NUL in it", fix="Give the path of a file.")
    file = Path(path)
    if not file.is_absolute():
        raise BackupFailed(
            "the path is not absolute", where=path, fix="Give the whole path: the node has its own folder."
        )
    made = await _upkeep(node).backup(file)
    log.info("backup of %s records in %s, asked for by %s", made.records, path, who or "somebody")
    return made


@operation("sweep", permission="operate")
async def sweep(node: Node) -> Swept:
    """Remove now what the retention of the flows does not keep; otherwise the node does it by itself, in turn."""
    _upkeep(node)
    assert node.engine.sweep is not None, "where there is upkeep, it is swept"
    return await node.engine.sweep.once()


def _upkeep(node: Node) -> Upkeep:
    found = node.engine.transport.upkeep()
    if found is None:
        raise StoreError("this node keeps its messages in memory only", where=node.name, fix="Run it with a store.")
    return found
