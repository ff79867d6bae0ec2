"""The page at ``/`` of a node whose services have none: what runs here and what can be called."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import msgspec

from junctor.core.signals import SYSTEM
from junctor.http.answers.responses import JSON
from junctor.http.asgi import Scope, header_value
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.hosting import Host, Hosts
from junctor.http.problem import HttpError
from junctor.http.routes import Opened, Routes

_HTML = (b"content-type", b"text/html; charset=utf-8")
# The page holds no script and needs nothing from elsewhere.
_POLICY = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
_PARTS = ("/docs", "/openapi.json", "/health/ready", "/metrics")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b2733}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}h2 small{font-weight:400;color:#5b6b7a}"
    "table{border-collapse:collapse;width:100%}td{padding:.15rem .8rem .15rem 0;vertical-align:top}"
    "code{font:14px ui-monospace,monospace}a{color:#0b62a4}"
    "@media(prefers-color-scheme:dark){body{background:#12181f;color:#dbe4ec}a{color:#6cb6f0}}"
)


def open_index(routes: Routes, node: Hosts, described: Iterable[Opened] | None = None) -> None:
    """Open ``/``, unless a service wants it.

    :param described: whose entries it lists; those of ``routes`` by default.
    """

    def index(scope: Scope) -> Answer:
        opened = list(described) if described is not None else [*routes, *routes.sockets]
        listing = [_service(host, opened) for host in node.hosts.values() if host.flow != SYSTEM]
        if b"text/html" in (header_value(scope["headers"], b"accept") or b""):
            links = [path for path in _PARTS if _opens(routes, path)]
            return 200, [_HTML, _POLICY], _page(listing, links).encode()
        return 200, [JSON], msgspec.json.encode({"services": listing})

    routes.build_in("/", NodeEndpoint("index", index), yields=True)


def _service(host: Host, opened: Iterable[Opened]) -> dict[str, Any]:
    return {
        "service": host.address,
        "state": host.lifecycle.state.value,
        "doc": _first_line(host.spec.doc),
        "entries": [_entry(one) for one in opened if one.host is host],
    }


def _entry(one: Opened) -> dict[str, str]:
    return {"method": one.method, "path": one.path, "doc": _first_line(one.spec.doc)}


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _opens(routes: Routes, path: str) -> bool:
    try:
        routes.find(path, path.encode())
    except HttpError:
        return False
    return True


def _page(listing: list[dict[str, Any]], parts: list[str]) -> str:
    body = "".join(map(_section, listing)) or "<p>No service runs here.</p>"
    links = "".join(f"<a href={path}>{path}</a> " for path in parts)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Junctor</title><style>{_STYLE}</style><h1>What runs here</h1>{body}<p>{links}</p></html>"
    )


def _section(service: dict[str, Any]) -> str:
    rows = "".join(map(_row, service["entries"]))
    head = f"<h2>{escape(service['service'])} <small>{escape(service['state'])}</small></h2>"
    return f"{head}<p>{escape(service['doc'])}</p><table>{rows}</table>"


def _row(entry: dict[str, str]) -> str:
    path = f"<code>{escape(entry['path'])}</code>"
    if entry["method"] == "GET" and "{" not in entry["path"]:
        path = f'<a href="{escape(entry["path"])}">{path}</a>'
    return f"<tr><td>{escape(entry['method'])}<td>{path}<td>{escape(entry['doc'])}</tr>"
