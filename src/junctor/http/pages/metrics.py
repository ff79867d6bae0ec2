"""``/metrics``: the figures of the node for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from junctor.http.asgi import Scope
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.hosting import Host, Hosts
from junctor.http.routes import Routes
from junctor.observe.metrics import CONTENT_TYPE, NodeFigures, ServiceFigures, exposition

_OUTCOMES = ("accepted", "done", "retried", "held", "parked", "expired", "failed", "refused")
_TYPE = (b"content-type", CONTENT_TYPE.encode())


def figures_of(host: Host) -> ServiceFigures:
    """The figures of one service, now."""
    counters, depth = host.counters, host.depth
    return ServiceFigures(
        flow=host.flow,
        service=host.service,
        state=host.lifecycle.state,
        queue_messages=depth.count,
        queue_bytes=depth.bytes,
        in_flight=host.in_flight,
        handler_seconds=counters.busy / 1e9,
        outcomes={name: getattr(counters, name) for name in _OUTCOMES},
        calls=counters.calls,
        ticks=counters.ticks,
        counts=counters.counts.now(),
    )


def open_metrics(
    routes: Routes,
    node: Hosts,
    requests: Callable[[], dict[tuple[str, int], int]],
    *,
    sockets: Callable[[], int] = lambda: 0,
    name: str = "",
    transport: str = "",
    version: str = "",
) -> None:
    """Open ``/metrics``.

    :param requests: gives the counts of the listener; ``sockets`` how many WebSockets are open.
    :param name: the name of the node; ``transport`` and ``version`` as it should show them.
    """

    def metrics(scope: Scope) -> Answer:
        figures = NodeFigures(
            services=tuple(map(figures_of, node.hosts.values())),
            requests=requests(),
            sockets=sockets(),
            loop_lag=node.loop_lag,
            transport=transport,
            node=name,
            version=version,
        )
        return 200, [_TYPE], exposition(figures).encode()

    routes.build_in("/metrics", NodeEndpoint("metrics", metrics))
