"""``/docs``: a page made in the browser from ``/openapi.json``, to read and to try. It loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache, partial

from junctor.http.asgi import Headers, Scope
from junctor.http.endpoints import Answer, NodeEndpoint
from junctor.http.routes import Routes

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def open_docs(routes: Routes, server: str = "") -> None:
    """Open ``/docs``; :func:`junctor.http.pages.openapi.open_openapi` has to be open beside it.

    :param server: the address where the entries answer, when it is not the one that this page comes from.
    """
    routes.build_in("/docs", NodeEndpoint("docs", partial(_answer, server)))


def _answer(server: str, scope: Scope) -> Answer:
    page, policy = _page(server)
    headers: Headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-cache"),
    ]
    return 200, headers, page


@cache
def _page(server: str) -> tuple[bytes, bytes]:
    """The page and its policy: only the script and the style in it run, and it asks only where it came from."""
    from importlib.resources import files

    text = files("junctor.http.pages").joinpath("docs.html").read_text("utf-8")
    allowed = {kind: f"'sha256-{_hash(code)}'" for kind, code in _INLINE.findall(text)}
    asks = f"'self' {server}".strip()
    policy = (
        f"default-src 'none'; script-src {allowed['script']}; style-src {allowed['style']}; connect-src {asks}; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text.encode(), policy.encode()


def _hash(code: str) -> str:
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
