"""Everything that a node answers itself, opened in one call."""

from __future__ import annotations

from junctor.http.app import Site
from junctor.http.health import open_health
from junctor.http.hosting import Hosts
from junctor.http.index import open_index
from junctor.http.metrics import open_metrics


def open_parts(site: Site, node: Hosts, *, name: str = "", transport: str = "", version: str = "") -> None:
    """Open health, metrics and the index of a node.

    :param name: the name of the node, ``transport`` and ``version`` as its metrics show them.
    """
    open_health(site.routes, node)
    open_metrics(site.routes, node, lambda: site.requests, name=name, transport=transport, version=version)
    open_index(site.routes, node)
