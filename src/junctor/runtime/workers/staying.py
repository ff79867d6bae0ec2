"""Which entries of a service run in the node also where the rest of it runs in workers."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from junctor.core.spec import Call, RouteSpec, ServiceSpec
from junctor.messages import codec


def in_node(spec: ServiceSpec) -> tuple[str, ...]:
    """The names of those that go on talking to their client, as streams and WebSockets do, and of routes whose
    arguments cannot travel: files, whole requests. They have an instance of their own in the node."""
    return (*(route.name for route in spec.routes if stays(route)), *(socket.name for socket in spec.sockets))


def stays(route: RouteSpec) -> bool:
    """Whether a route runs in the node."""
    return route.streams or not _travels(route.signature)


def _travels(signature: Call) -> bool:
    """Whether all arguments have a JSON form."""
    try:
        parameters = inspect.signature(signature).parameters.values()
    except (TypeError, ValueError):
        return False
    return all(_has_form(parameter.annotation) for parameter in parameters)


def _has_form(annotation: Any) -> bool:
    if annotation is inspect.Parameter.empty or annotation is Any:
        return True
    try:
        msgspec.json.schema(annotation, schema_hook=_of_pydantic)
    except (TypeError, NotImplementedError):
        return False
    return True


def _of_pydantic(kind: type) -> dict[str, Any]:
    if codec.is_pydantic(kind):
        return {}
    raise NotImplementedError
