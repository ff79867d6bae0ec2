"""How completion keys travel: in the names of what a conversation waits for, where operators see them."""

from __future__ import annotations

_TIMER = "timer:"


def asked_name(service: str, key: str | None) -> str:
    """The name of a request. A name of a service has no space in it."""
    return service if key is None else f"{service} {key}"


def timer_name(key: str | None) -> str:
    """The name of a timer; a name of a service has no colon in it."""
    return _TIMER if key is None else f"{_TIMER} {key}"


def key_of(name: str) -> str | None:
    """The completion key in the name of a request or timer."""
    _, space, key = name.partition(" ")
    return key if space else None
