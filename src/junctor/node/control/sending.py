"""What a client hands to services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from junctor.core.port import Receipt
from junctor.messages import type_name
from junctor.messages.types import is_body_class
from junctor.node.control.questions import Question, given


def send(
    service: str,
    body: Any,
    *,
    type: str | None = None,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    delay: float | None = None,
    idempotency_key: str | None = None,
) -> Question[Receipt]:
    """Hand a message to a service; returns when it is accepted. ``delay`` in seconds."""
    how = given(key=key, headers=headers, delay=delay, idempotency_key=idempotency_key)
    return Question("send", _message(service, body, type) | how, Receipt)


def request(
    service: str,
    body: Any,
    *,
    type: str | None = None,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    reply: Any = Any,
) -> Question[Any]:
    """Hand a message to a service and return its reply, made an object of ``reply``. ``timeout`` in seconds."""
    return Question("request", _message(service, body, type) | given(key=key, headers=headers, timeout=timeout), reply)


def call(service: str, action: str, /, **arguments: Any) -> Question[Any]:
    """Call an action and return its result."""
    return Question("call", {"service": service, "action": action, "arguments": arguments})


def _message(service: str, body: Any, named: str | None) -> dict[str, Any]:
    """A body class names its type by itself."""
    if named is None and is_body_class(type(body)):
        named = type_name(type(body))
    return {"service": service, "body": body} | given(type=named)
