"""API keys: who calls, by a secret in a header, and what becomes of callers without one."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Sequence

from junctor.core.hop import Asking, asking
from junctor.http.access.checks import DIGEST
from junctor.http.asgi import Headers, Receive, Scope
from junctor.http.endpoints import Answer, Application, Endpoint
from junctor.http.paths import split_raw
from junctor.http.problem import HttpError
from junctor.http.settings import ApiKey
from junctor.observe.secrets import register

log = logging.getLogger("junctor.http")

SUBPROTOCOL = "junctor"
KEY_PREFIX = "junctor.key."
"""A browser cannot send headers with a WebSocket. It offers the subprotocols ``junctor`` and ``junctor.key.KEY``."""

_CHALLENGE = (b"www-authenticate", b'Bearer realm="junctor"')
_CLOSE = (b"connection", b"close")

_SLASH = re.compile(r"[/\\]")

_STEP, _LONGEST = 0.1, 2.0
_FORGET = 60.0
_CLIENTS = 10_000


class _Known:
    """One key, as its digest."""

    __slots__ = ("digest", "everywhere", "name", "prefixes")

    def __init__(self, key: ApiKey) -> None:
        plain = not DIGEST.fullmatch(key.secret)
        self.name = key.name
        self.digest = _digest(key.secret.encode()) if plain else bytes.fromhex(key.secret.partition(":")[2])
        self.prefixes = [[part for part in path.split("/") if part] for path in key.paths]
        self.everywhere = [] in self.prefixes

    def opens(self, segments: list[str]) -> bool:
        if any(part in (".", "..") for segment in segments for part in _SLASH.split(segment)):
            return False  # it names another path to those who resolve it, a handler with files among them
        return any(segments[: len(prefix)] == prefix for prefix in self.prefixes)


class Keys:
    """The keys of one flow, or of the node's own pages. Values are compared as digests, in a time that tells nothing.

    Plain secrets are masked from now on in all that operators see.
    """

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        register(key.secret for key in keys)
        self._known = [_Known(key) for key in keys]
        self._failures = Failures()

    def caller(self, given: bytes | None, raw_path: bytes) -> str:
        """The name of the caller with this key.

        :param raw_path: the path as it was sent: what is encoded in a segment belongs to it.
        :raises HttpError: 401 without a known key, 403 where the key does not open the path.
        """
        found: _Known | None = None
        given = given or None  # an empty one is none, whatever digests are configured
        digest = _digest(given or b"")
        for known in self._known:
            if hmac.compare_digest(known.digest, digest):
                found = known
        if given is None or found is None:
            raise HttpError(
                "an API key is needed" if given is None else "the API key is not known",
                status=401,
                code="key",
                fix="Send it in a header: Authorization: Bearer KEY, or X-API-Key: KEY.",
                headers=(_CHALLENGE,) if given is None else (_CHALLENGE, _CLOSE),
            )
        if not found.everywhere and not found.opens(split_raw(raw_path)):
            raise HttpError(
                f"the key of {found.name} does not open this path",
                status=403,
                code="key-paths",
                fix="Add the path to `paths` of the key, or use another key.",
            )
        return found.name

    async def admit(self, scope: Scope, given: bytes | None) -> None:
        """Note who calls. Who comes with a wrong key again and again waits longer
        and longer for the answer.

        :raises HttpError: as :meth:`caller`.
        """
        try:
            asking.set(Asking(self.caller(given, scope["raw_path"])))
        except HttpError:
            if given is not None:
                await self._failures.slow_down(scope.get("client"))
            raise


class Failures:
    """Who came with a wrong key, and how often. Bounded, because clients come from many addresses."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def noted(self, client: str, now: float) -> float:
        """Seconds that the answer should wait, after one more failure."""
        count, last = self._seen.pop(client, (0, now))
        count = 1 if now - last > _FORGET else count + 1
        if len(self._seen) >= _CLIENTS:
            del self._seen[next(iter(self._seen))]
        self._seen[client] = count, now
        if count in (1, 10, 100, 1000):
            log.warning("a wrong API key from %s, the %s. time", client or "a client", count)
        return min(_STEP * count, _LONGEST)

    async def slow_down(self, client: tuple[str, int] | None) -> None:
        await asyncio.sleep(self.noted(client[0] if client else "", time.monotonic()))


class Keyed:
    """An endpoint for callers with a key."""

    __slots__ = ("_inner", "keys", "sharing", "source")

    def __init__(self, inner: Endpoint, keys: Keys) -> None:
        self._inner = inner
        self.keys = keys
        self.sharing = getattr(inner, "sharing", None)
        self.source = inner.source

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        await self.keys.admit(scope, key_in(scope["headers"]))
        return await self._inner.answer(scope, receive, values)


def key_in(headers: Headers) -> bytes | None:
    """The key that a request brings.

    :raises HttpError: 400, it brings two different ones.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"x-api-key":
            given = value.strip()
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            given = value[7:].strip()
        else:
            continue
        if found is not None and found != given:
            raise HttpError("the request has two API keys", code="key")
        found = given
    return found


def key_offered(subprotocols: Sequence[str]) -> bytes | None:
    """The key among the subprotocols that a browser offers."""
    for one in subprotocols:
        if one.startswith(KEY_PREFIX):
            return one[len(KEY_PREFIX) :].encode("latin-1")
    return None


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
