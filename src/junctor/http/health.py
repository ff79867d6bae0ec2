"""Health for probes and people: is the loop alive, and does every service run."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from junctor.core.lifecycle import State
from junctor.http.asgi import Scope
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.hosting import Host, Hosts
from junctor.http.responses import JSON
from junctor.http.routes import Routes

_SERVING = frozenset({State.RUNNING, State.HELD, State.PAUSED})
_NO_STORE = (b"cache-control", b"no-store")


class Condition(msgspec.Struct, frozen=True):
    """Whether a node is ready, with the reasons why not, and the services that take messages but do not handle them."""

    ready: bool
    reasons: list[str]
    waiting: list[str]


def condition(hosts: Mapping[str, Host], stopping: bool) -> Condition:
    """Ready when every service runs. A held or paused one keeps the node ready: its messages wait, none is refused."""
    reasons = ["the node is stopping"] if stopping else []
    reasons += [_said(host) for host in hosts.values() if host.lifecycle.state not in _SERVING]
    waiting = [_said(host) for host in hosts.values() if host.lifecycle.state in (State.HELD, State.PAUSED)]
    return Condition(not reasons, reasons, waiting)


def open_health(routes: Routes, node: Hosts) -> None:
    """Open ``/health/live`` and ``/health/ready``."""

    def live(scope: Scope) -> Answer:
        return 200, [JSON, _NO_STORE], b'{"status":"alive"}'

    def ready(scope: Scope) -> Answer:
        found = condition(node.hosts, node.stopping)
        body = {"status": "ready" if found.ready else "not ready", "reasons": found.reasons, "waiting": found.waiting}
        return 200 if found.ready else 503, [JSON, _NO_STORE], msgspec.json.encode(body)

    routes.build_in("/health/live", NodeEndpoint("health", live))
    routes.build_in("/health/ready", NodeEndpoint("health", ready))


def _said(host: Host) -> str:
    because = f": {host.lifecycle.reason}" if host.lifecycle.reason else ""
    return f"{host.address} is {host.lifecycle.state.value}{because}"
