"""What reaches services from outside: actions, messages, requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from junctor.core.port import Receipt
from junctor.node.control.entries import action_of, called_host, handler_for, host_of, refuse_reserved
from junctor.node.control.table import operation

if TYPE_CHECKING:
    from junctor.node.node import Node


@operation("call", permission="operate")
async def call(
    node: Node, service: str, action: str, arguments: dict[str, Any] | None = None, text: bool = False
) -> Any:
    """Call an action and answer what it returns. ``text``: the arguments were typed, "5" may also be a number."""
    host = called_host(node.engine, service)
    return await action_of(host, action).call(host, arguments or {}, text)


@operation("send", permission="send")
async def send(
    node: Node,
    service: str,
    body: msgspec.Raw,
    type: str | None = None,
    key: str | None = None,
    headers: dict[str, str] | None = None,
    delay: float = 0.0,
    idempotency_key: str | None = None,
) -> Receipt:
    """Hand a message to a service; answers when it is accepted. ``type`` picks among several handlers."""
    refuse_reserved(headers)
    entry = handler_for(node.engine, host_of(node.engine, service), type)
    sending = entry.port.send(
        entry.link, entry.read(body), key=key, delay=delay, headers=headers, idempotency_key=idempotency_key
    )
    return cast(Receipt, await sending)  # None only inside a delivery


@operation("request", permission="send")
async def request(
    node: Node,
    service: str,
    body: msgspec.Raw,
    type: str | None = None,
    key: str | None = None,
    headers: dict[str, str] | None = None,
    timeout: float | None = None,
) -> Any:
    """Hand a message to a service and answer its reply."""
    refuse_reserved(headers)
    entry = handler_for(node.engine, host_of(node.engine, service), type)
    return await entry.port.request(entry.link, entry.read(body), key=key, timeout=timeout, headers=headers)
