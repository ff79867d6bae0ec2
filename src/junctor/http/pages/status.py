"""``/heartbeat`` and ``/status``, as microservices of other frameworks answer them. A service may take the paths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from junctor.http.answers.responses import JSON
from junctor.http.asgi import Scope
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.hosting import Hosts
from junctor.http.pages.health import condition
from junctor.http.routes import Routes

_NO_STORE = (b"cache-control", b"no-store")


def open_status(
    routes: Routes, node: Hosts, *, name: str = "", version: str = "", uptime: Callable[[], float] = lambda: 0.0
) -> None:
    """Open ``/heartbeat``, the time in UTC as JSON text, and ``/status``, how the node is in a few words.

    :param name: the name of the node; ``version`` of Junctor; ``uptime`` in seconds.
    """

    def heartbeat(scope: Scope) -> Answer:
        return 200, [JSON, _NO_STORE], msgspec.json.encode(_now())

    def status(scope: Scope) -> Answer:
        found = condition(node.hosts, ready=node.ready, stopping=node.stopping)
        body: dict[str, Any] = {
            "node": name,
            "version": version,
            "current_time": _now(),
            "uptime": int(uptime()),
            "ready": found.ready,
            "services": {address: host.lifecycle.state.value for address, host in node.hosts.items()},
        }
        return 200, [JSON, _NO_STORE], msgspec.json.encode(body)

    routes.build_in("/heartbeat", NodeEndpoint("heartbeat", heartbeat), yields=True)
    routes.build_in("/status", NodeEndpoint("status", status), yields=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
