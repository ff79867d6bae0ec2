"""A port without an engine for specs under test: it keeps what it is given and answers from a table."""

from __future__ import annotations

from typing import Any

from junctor.core.port import Link
from junctor.core.spec import Context, ServiceSpec
from junctor.errors import JunctorError, UnknownTarget
from junctor.messages import TypeRegistry
from junctor.services.alone import Alone
from junctor.services.target import Ready


class Failed:
    """A send that was not accepted."""

    def __init__(self, error: JunctorError) -> None:
        self._error = error

    def __await__(self) -> Any:
        yield from ()
        raise self._error

    def result(self, timeout: float | None = None) -> Any:
        raise self._error


class TablePort(Alone):
    """``connect`` maps a target to the services it leads to; ``replies`` a service to its reply or error."""

    def __init__(self, connect: dict[str, list[str]] | None = None, replies: dict[str, Any] | None = None) -> None:
        super().__init__("service")
        self.flow = "flow"
        self.connect = connect or {}
        self.replies = replies or {}
        self.handed: list[tuple[str, Any, dict[str, Any]]] = []

    def links(self, target: str) -> tuple[Link, ...]:
        return tuple(self.link_to(service, Any) for service in self.connect.get(target, []))

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        if service == "nobody":
            raise UnknownTarget("there is no service nobody", where="flow")
        return Link(f"flow/{service}", TypeRegistry().register(request))

    def send(self, link: Link, body: Any, **options: Any) -> Any:
        self.handed.append((link.address, body, options))
        answer = self.replies.get(link.address)
        return Failed(answer) if isinstance(answer, JunctorError) else Ready(f"receipt {len(self.handed)}")

    def request(self, link: Link, body: Any, **options: Any) -> Any:
        self.handed.append((link.address, body, options))
        return Ready(self.replies.get(link.address))


def build(spec: ServiceSpec, port: TablePort | None = None, slot: int = 0) -> Any:
    """An instance as a node would make it."""
    context = Context(flow="flow", service=spec.name, settings=spec.settings, port=port or TablePort(), slot=slot)
    return spec.build(context)
