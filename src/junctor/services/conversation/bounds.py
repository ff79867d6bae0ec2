"""How large a conversation may be: its snapshot is read and written with each callback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from junctor.core.snapshot import Snapshot
from junctor.services.conversation.attributes import NotStorable

SHOWN = 3
"""Parts of a snapshot that are named, the largest."""

_FIX = "Keep large data elsewhere, a reference here; drop what is not needed any more."

Log = logging.Logger | logging.LoggerAdapter[Any]


def check_size(snapshot: Snapshot, size: int, before: int, limit: int, where: str, log: Log) -> None:
    """See that a snapshot can be kept. One that has grown over a quarter of the limit is told in the log.

    :param size: its bytes, ``before`` those that it had, ``limit`` those that it may have.
    :param where: the class and number of the conversation.
    :raises NotStorable: it is too large.
    """
    if size > limit:
        what = f"the conversation has {size:,} bytes, the limit is {limit:,}: {_largest(snapshot)}"
        raise NotStorable(what, where=where, fix=_FIX)
    if size > limit // 4 >= before:
        log.warning("%s has %s bytes, of at most %s: %s", where, f"{size:,}", f"{limit:,}", _largest(snapshot))


def _largest(snapshot: Snapshot) -> str:
    parts = sorted(_parts(snapshot), reverse=True)[:SHOWN]
    return ", ".join(f"{name} {size:,}" for size, name in parts)


def _parts(snapshot: Snapshot) -> Iterator[tuple[int, str]]:
    yield from ((len(bytes(raw)), name) for name, raw in snapshot.attributes.items())
    for one in snapshot.requests.values():
        yield len(bytes(one.request)), f"the request {one.name}"
