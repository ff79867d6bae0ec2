"""The shapes of ASGI as this package uses them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

WHOLE = "junctor.whole"
"""The key of a scope under which a server offers to send a complete answer in one step: it is called with status,
headers and body, and adds the length. Servers that do not know it get two events, as ASGI has them."""

PROMPT = "junctor.prompt"
"""A key that is in the scope of a request which was answered without waiting. The next one of its client likely is."""


def header_value(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this name (lower case), None without one."""
    for key, value in headers:
        if key == name:
            return value
    return None
