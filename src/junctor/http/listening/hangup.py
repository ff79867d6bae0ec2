"""Whether a client has closed its side of a connection that is not read at the moment."""

from __future__ import annotations

import asyncio
import select

_HUNG_UP = getattr(select, "POLLRDHUP", 0)


def has_gone(transport: asyncio.BaseTransport) -> bool:
    """Nobody is told by the loop while a connection is not read. Known on Linux; False elsewhere."""
    if not _HUNG_UP:
        return False
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), _HUNG_UP)
    return bool(poll.poll(0))
