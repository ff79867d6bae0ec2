"""Health for probes and people: is the loop alive, is the start over, and does every service run.

A service that failed too often, or waits to be started again, makes the node not ready. A held or paused one does not:
its messages are accepted and wait, none is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from junctor.core.lifecycle import State
from junctor.http.answers.responses import JSON
from junctor.http.asgi import Scope
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.hosting import Host, Hosts
from junctor.http.routes import Routes

_SERVING = frozenset({State.RUNNING, State.HELD, State.PAUSED})
_BAD = frozenset({State.FAILED, State.BACKOFF})
_NO_STORE = (b"cache-control", b"no-store")


class Condition(msgspec.Struct, frozen=True):
    """How a node is. ``ready``: it takes work, and every service accepts it; ``reasons`` say why not.

    ``well``: nothing has failed; a node that starts or stops is well and not ready. ``waiting`` are the services that
    accept messages and do not handle them now.
    """

    ready: bool
    well: bool
    reasons: list[str]
    waiting: list[str]


def condition(hosts: Mapping[str, Host], *, ready: bool, stopping: bool) -> Condition:
    """How a node with these services is.

    :param ready: its start is over and its stop has not begun.
    """
    reasons = ["the node is stopping"] if stopping else [] if ready else ["the node is starting"]
    reasons += [_said(host) for host in hosts.values() if host.lifecycle.state not in _SERVING]
    failing = any(host.lifecycle.state in _BAD for host in hosts.values())
    waiting = [_said(host) for host in hosts.values() if host.lifecycle.state in (State.HELD, State.PAUSED)]
    return Condition(not reasons, not failing, reasons, waiting)


def open_health(routes: Routes, node: Hosts) -> None:
    """Open ``/health/live``, ``/health/ready`` and ``/health/started``, and the names that Kubernetes uses for them
    where no service wants those."""

    def live(scope: Scope) -> Answer:
        return 200, [JSON, _NO_STORE], b'{"status":"alive"}'

    def ready(scope: Scope) -> Answer:
        found = condition(node.hosts, ready=node.ready, stopping=node.stopping)
        body = {"status": "ready" if found.ready else "not ready", "reasons": found.reasons, "waiting": found.waiting}
        return 200 if found.ready else 503, [JSON, _NO_STORE], msgspec.json.encode(body)

    def started(scope: Scope) -> Answer:
        over = node.ready or node.stopping
        return (
            200 if over else 503,
            [JSON, _NO_STORE],
            b'{"status":"started"}' if over else b'{"status":"starting"}',
        )

    for name, make, other in (
        ("live", live, ("/livez", "/healthz")),
        ("ready", ready, ("/readyz",)),
        ("started", started, ("/startupz",)),
    ):
        endpoint = NodeEndpoint("health", make)
        routes.build_in(f"/health/{name}", endpoint)
        for path in other:
            routes.build_in(path, endpoint, yields=True)


def _said(host: Host) -> str:
    because = f": {host.lifecycle.reason}" if host.lifecycle.reason else ""
    return f"{host.address} is {host.lifecycle.state.value}{because}"
