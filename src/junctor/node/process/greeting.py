"""What a start tells: the flows, their services and connections, where things are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from junctor.flows import Wiring
from junctor.flows.model import Item
from junctor.node.node import Node
from junctor.observe.logs import readable
from junctor.services import Service

_MANY = 10
"""Settings of which all are told. Of a service with more, as an adapter, those that the flow sets."""


def greeting(node: Node, flows: Sequence[Wiring]) -> Iterator[str]:
    """The lines of a start."""
    for wiring in flows:
        yield from flow_lines(wiring)
    yield f"store {node.directory}" if node.durable else "messages are kept in memory only"
    for url in node.urls:
        yield f"http {url}"


def flow_lines(wiring: Wiring) -> Iterator[str]:
    """A flow: its services with their settings and connections, and the notes about it."""
    flow, items = wiring.plan, {item.name: item for item in wiring.model.items}
    yield f"flow {flow.name}"
    for service in flow.services:
        spec = service.spec
        told = ", ".join(f"{name}={_text(spec.settings[name])}" for name in _told(spec.settings, items.get(spec.name)))
        yield f"  {spec.name}" + (f"  {readable(told)}" if told else "")
        for connection in wiring.connections:
            if connection.source == spec.name:
                yield f"    {connection.target} -> {connection.to}  ({connection.terms})"
    for note in wiring.notes:
        yield f"note: {note}"


def _told(settings: Any, item: Item | None) -> list[str]:
    if item is None or len(settings) <= _MANY:
        return list(settings)
    source = item.source
    given = {*item.settings, *(source.__junctor__.kwargs if isinstance(source, Service) else ())}
    return [name for name in settings if name in given]


def _text(value: Any) -> str:
    """A setting in one line. What is secret does not show."""
    if type(value) is dict:
        return f"{{{', '.join(f'{name}: {_text(part)}' for name, part in value.items())}}}"
    return " ".join(str(value).split())
