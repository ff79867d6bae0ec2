"""Metrics in the Prometheus text format, written from plain counters when somebody asks.

Written by hand and not by prometheus_client: the format is a screen of rules, and the package costs 75 ms of a blocked
loop and 10 MB in every scraped node. Where the code of a service uses that package itself, its figures are added.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from junctor.core.lifecycle import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ServiceFigures(msgspec.Struct, frozen=True):
    """One service at one moment. ``outcomes`` counts messages by what became of them; ``handler_seconds`` is the time
    spent in its code, ``counts`` is what it counts of its own."""

    flow: str
    service: str
    state: State
    queue_messages: int = 0
    queue_bytes: int = 0
    in_flight: int = 0
    handler_seconds: float = 0.0
    outcomes: Mapping[str, int] = {}
    calls: int = 0
    ticks: int = 0
    counts: Mapping[str, int] = {}


class NodeFigures(msgspec.Struct, frozen=True):
    """A node at one moment. ``requests`` counts HTTP answers by method and hundreds of the status, ``sockets`` the open
    WebSockets; ``loop_lag`` in seconds; ``transport`` is its name."""

    services: tuple[ServiceFigures, ...] = ()
    requests: Mapping[tuple[str, int], int] = {}
    loop_lag: float = 0.0
    transport: str = ""
    node: str = ""
    version: str = ""
    sockets: int = 0


Sample = tuple[Mapping[str, str], float]


def exposition(figures: NodeFigures) -> str:
    """The text that a scrape of ``/metrics`` reads."""
    lines = [line for family in _families(figures) for line in _lines(*family)]
    return "\n".join(lines) + "\n" + _figures_of_services_own()


def _families(figures: NodeFigures) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    yield from _service_families([({"flow": one.flow, "service": one.service}, one) for one in figures.services])
    yield (
        "junctor_http_requests_total",
        "counter",
        "HTTP requests answered, by method and class of status.",
        [({"method": method, "status": f"{hundreds}xx"}, n) for (method, hundreds), n in figures.requests.items()],
    )
    yield "junctor_http_websockets", "gauge", "WebSockets that are open.", [({}, figures.sockets)]
    lag = "How late the event loop was at its last look, in seconds."
    yield "junctor_event_loop_lag_seconds", "gauge", lag, [({}, figures.loop_lag)]
    info = {"transport": figures.transport, "node": figures.node, "version": figures.version}
    yield "junctor_node_info", "gauge", "The node, always 1.", [(info, 1)]


def _service_families(
    services: list[tuple[dict[str, str], ServiceFigures]],
) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    outcomes = [({**at, "outcome": name}, n) for at, one in services for name, n in one.outcomes.items()]
    states = [({**at, "state": s.value}, int(s is one.state)) for at, one in services for s in State]
    yield "junctor_messages_total", "counter", "Messages by what became of them.", outcomes
    yield from _one_each(
        services,
        ("junctor_calls_total", "counter", "Calls of routes and actions.", "calls"),
        ("junctor_ticks_total", "counter", "Ticks of schedules.", "ticks"),
        ("junctor_queue_messages", "gauge", "Messages that wait or are in hand.", "queue_messages"),
        ("junctor_queue_bytes", "gauge", "Their encoded size in bytes.", "queue_bytes"),
        ("junctor_in_flight", "gauge", "Deliveries and calls that run now.", "in_flight"),
        ("junctor_handler_seconds_total", "counter", "Time spent in the code of the service.", "handler_seconds"),
    )
    own = [({**at, "what": what}, n) for at, one in services for what, n in one.counts.items()]
    yield "junctor_service_counts_total", "counter", "What services count of their own.", own
    yield "junctor_service_state", "gauge", "1 for the state that the service is in.", states


def _one_each(
    services: list[tuple[dict[str, str], ServiceFigures]], *families: tuple[str, str, str, str]
) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    for name, kind, text, field in families:
        yield name, kind, text, [(at, getattr(one, field)) for at, one in services]


def _lines(name: str, kind: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(of)}"' for key, of in labels.items())
        yield f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _figures_of_services_own() -> str:
    module = sys.modules.get("prometheus_client")
    if module is None:
        return ""
    text: str = module.generate_latest(module.REGISTRY).decode()
    return text
