"""The shapes of ASGI as this package uses them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


def header_value(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this name (lower case), None without one."""
    for key, value in headers:
        if key == name:
            return value
    return None
