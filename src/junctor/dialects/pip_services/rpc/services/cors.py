"""Headers that the answers of an endpoint carry: nothing is kept by caches, and pages of which origins may read."""

from __future__ import annotations

from collections.abc import Iterable

from junctor.http import Request

Headers = list[tuple[bytes, bytes]]

_UNCACHED: Headers = [
    (b"cache-control", b"no-cache, no-store, must-revalidate"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
]
_METHODS = b"PUT, GET, POST, DELETE, PATCH, OPTIONS"
_ORIGIN = b"access-control-allow-origin"
_VARY = (b"vary", b"Origin")


class CorsHeaders:
    """The headers of each answer.

    :param origins: pages of these may read answers; ``*`` is every page, none is no page.
    :param headers: headers that pages may send.
    """

    def __init__(self, origins: Iterable[str] = (), headers: Iterable[str] = ("correlation_id",)) -> None:
        self.origins = tuple(dict.fromkeys(origin.rstrip("/") for origin in origins if origin))
        self.headers = tuple(dict.fromkeys(name for name in headers if name))
        self._open = "*" in self.origins
        self.fixed: Headers = [
            *_UNCACHED,
            (b"access-control-max-age", b"5"),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", ", ".join(self.headers).encode("latin-1")),
        ]
        if self._open:
            self.fixed.append((_ORIGIN, b"*"))
        elif self.origins:
            self.fixed.append(_VARY)

    def of(self, request: Request) -> Headers:
        """Those of the answer to a request. A browser wants its own origin alone, so a list is never sent."""
        if self._open or not self.origins:
            return self.fixed
        origin = request.header("origin")
        return [*self.fixed, (_ORIGIN, origin.encode("latin-1"))] if origin in self.origins else self.fixed
