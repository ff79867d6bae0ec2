"""The ``retention:`` section of a flow: how long what is finished stays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from junctor.core.retention import Retention
from junctor.flows.files.reading import UNREAD, Reader
from junctor.settings import Leaf, Table
from junctor.settings.written import Node

NEVER = "never"
_AGES = ("done", "failures", "keys")


def read_retention(reader: Reader, node: Node) -> Retention | None:
    """The ages and the budget; what is wrong is noted at the reader. An age may be ``never``."""
    never = [name for name in _AGES if isinstance(node, Table) and _is_never(node.entries.get(name))]
    if never and isinstance(node, Table):
        entries = {name: part for name, part in node.entries.items() if name not in never}
        node = Table(entries, node.place, node.keys)
    read = reader.read(node, Retention, "retention")
    return None if read is UNREAD else msgspec.structs.replace(read, **dict.fromkeys(never, math.inf))


def written_retention(retention: Retention) -> dict[str, Any]:
    """In the words of a file, what is as by default left out."""
    return dict(_different(retention))


def _different(retention: Retention) -> Iterator[tuple[str, Any]]:
    for name, default in msgspec.structs.asdict(Retention()).items():
        value = getattr(retention, name)
        if value != default:
            yield name, NEVER if value == math.inf else value


def _is_never(node: Node | None) -> bool:
    return isinstance(node, Leaf) and node.value in (NEVER, math.inf)
