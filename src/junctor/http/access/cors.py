"""Pages of other origins: which may call, and the headers by which a browser learns it (Fetch Standard, CORS)."""

from __future__ import annotations

from collections.abc import Iterable

from junctor.http.asgi import Headers, Receive, Scope, header_value
from junctor.http.endpoints import Answer, Application, Endpoint
from junctor.http.problem import HttpError
from junctor.http.settings import Cors

_READING = frozenset({"GET", "HEAD"})
_USUAL = ("content-type", "idempotency-key", "traceparent")
"""Headers that our own routes read: a page that may call may send them."""
_WITH_KEYS = ("authorization", "x-api-key")
_VARY = (b"vary", b"Origin")


class Sharing:
    """What one flow allows to pages of other origins.

    :param keys: the flow has API keys, so pages may send one.
    """

    def __init__(self, cors: Cors, *, keys: bool = False) -> None:
        self.open = "*" in cors.origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in cors.origins if origin != "*")
        names = dict.fromkeys((*_USUAL, *(_WITH_KEYS if keys else ()), *(name.lower() for name in cors.headers)))
        self._headers = ", ".join(names).encode()
        self._expose = ", ".join(dict.fromkeys((*cors.expose, "junctor-session", "retry-after"))).encode()
        self._credentials = cors.credentials
        self._max_age = b"%d" % cors.max_age

    def admits(self, origin: str, method: str) -> bool:
        """Whether a page of this origin may send this method; ``*`` is for reading alone."""
        return origin in self._origins or (self.open and method in _READING)

    def headers(self, origin: str, method: str) -> Headers:
        """The headers of an answer to a page. Without admission there is none but Vary, and its browser keeps the
        answer from it."""
        if origin in self._origins:
            made: Headers = [(b"access-control-allow-origin", origin.encode("latin-1")), _VARY]
            if self._credentials:
                made.append((b"access-control-allow-credentials", b"true"))
        elif self.open and method in _READING:
            made = [(b"access-control-allow-origin", b"*")]
        else:
            return [_VARY]
        return [*made, (b"access-control-expose-headers", self._expose)]

    def preflight(self, origin: str, wanted: str, methods: Iterable[str], request: Headers) -> Answer:
        """The answer to the question that a browser asks before a request of a page.

        :raises HttpError: 403, the page may not send it.
        """
        if not self.admits(origin, wanted):
            raise HttpError(
                f"pages of {ascii(origin)} may not send {ascii(wanted)} here",
                status=403,
                code="cross-site",
                fix="Name the origin in `http: {cors: {origins: [...]}}` of the flow.",
            )
        allowed = sorted(method for method in methods if self.admits(origin, method))
        made = [pair for pair in self.headers(origin, wanted) if pair[0] != b"access-control-expose-headers"]
        made += [
            (b"access-control-allow-methods", ", ".join(allowed).encode()),
            (b"access-control-allow-headers", self._headers),
            (b"access-control-max-age", self._max_age),
        ]
        if header_value(request, b"access-control-request-private-network") == b"true":
            made.append((b"access-control-allow-private-network", b"true"))
        return 204, made, b""


class Shared:
    """An endpoint whose answers depend on the origin that asks. Caches must know that, whoever asked first."""

    __slots__ = ("_inner", "sharing", "source")

    def __init__(self, inner: Endpoint, sharing: Sharing) -> None:
        self._inner = inner
        self.sharing = sharing
        self.source = inner.source

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        made = await self._inner.answer(scope, receive, values)
        return made if made is None or self.sharing.open else with_headers(made, [_VARY])


def sharing_of(endpoint: object) -> Sharing | None:
    """What an endpoint allows to pages of other origins."""
    sharing: Sharing | None = getattr(endpoint, "sharing", None)
    return sharing


def with_headers(made: Answer | Application, extra: Headers) -> Answer | Application:
    """The answer with headers that take the place of those of the same name; what it varies by adds up."""
    names = {name for name, _ in extra} - {b"vary"}
    if type(made) is tuple:
        status, headers, body = made
        return status, [pair for pair in headers if pair[0] not in names and pair not in extra] + extra, body
    # A response object may be kept and returned again: its own list is replaced, not extended.
    kept = [pair for pair in made.raw_headers if pair[0] not in names and pair not in extra]  # type: ignore[union-attr]
    made.raw_headers = kept + extra  # type: ignore[union-attr]
    return made
