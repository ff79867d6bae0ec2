"""The state that is wanted of the node, as a service gets it each time that it starts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from junctor.dialects.microservicebus.hosting.actions import overrides, whole
from junctor.dialects.microservicebus.names import COM
from junctor.dialects.microservicebus.services import QueueMessage

if TYPE_CHECKING:
    from junctor.dialects.microservicebus.hosting.hosted import Hosted
    from junctor.dialects.microservicebus.hosting.life import Life

STATE_UPDATE = "StateUpdate"

LONGEST = 10.0
"""Seconds that it waits for Com, which knows what was wanted before the node ended."""

_POLL = 0.02


def takes_state(cls: type[Any]) -> bool:
    """Whether a class does something with the state."""
    return overrides(cls, STATE_UPDATE)


async def tell_state(hosted: Hosted, life: Life) -> None:
    """Call ``StateUpdate`` with the state as it is, on the loop of the service. What it raises is told, and is no
    failure of the service."""
    await _com_knows(hosted)
    bus = hosted.bus
    state = {"enabled": bus.enabled, "debug": bus.debug, "desired": {}, **(bus.wanted or {})}
    try:
        await whole(life.service.StateUpdate(QueueMessage(COM, hosted.id, STATE_UPDATE, state)))
    except Exception as error:
        hosted.port.log.error("StateUpdate failed: %r", error, exc_info=error)


async def _com_knows(hosted: Hosted) -> None:
    """Wait until the Com of the flow has read what it knows; one that the user has written keeps that for itself."""
    bus, end = hosted.bus, time.monotonic() + LONGEST
    while bus.wanted is None and time.monotonic() < end:
        com = bus.hosts.get(COM)
        if com is None or not com.spec.permanent:
            return
        await asyncio.sleep(_POLL)
