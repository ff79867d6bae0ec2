"""Calls over aiohttp: one pool of connections a service, what can go wrong in the words of this product.

Nothing here knows of messages. Nobody's environment is looked at: no proxy, no ``.netrc``; cookies are not kept.
"""

from __future__ import annotations

import io
import os
import ssl
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from junctor.adapters.http.answer import Answer, Unpacking
from junctor.adapters.http.call import Call
from junctor.adapters.http.failed import HttpCallFailed
from junctor.adapters.http.outbound_settings import Redirects

HOPS = 5
"""Redirects that are followed one after the other."""

_FOR_ANYBODY = frozenset({"accept", "accept-language", "content-type"})
"""Headers that go along to another host; any other may have a secret in it."""

_ACCEPTED = {"Accept-Encoding": "gzip, deflate", "User-Agent": "junctor"}
_LARGE = 256 * 1024
_KEEPS_METHOD = (307, 308)
_MOVED = (301, 302, 303)


class Client:
    """A pool of connections. How many there are is up to how many call at once.

    :param context: of :func:`~junctor.adapters.http.trust.trust`; True for TLS with the authorities of the machine.
    :param timeout: seconds for a call with its answer, ``connect_timeout`` for connecting.
    :param limit: bytes of the largest answer, unpacked.
    """

    def __init__(
        self,
        context: ssl.SSLContext | bool = True,
        *,
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        limit: int = 16 * 1024 * 1024,
        redirects: Redirects = "same-host",
    ) -> None:
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._limit = limit
        self._redirects = redirects
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers=_ACCEPTED,
            skip_auto_headers=("Content-Type",),
        )

    async def close(self) -> None:
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        await self.close()

    async def answer(self, call: Call) -> Answer:
        """Make a call, follow its redirects, and read the answer, whatever its status.

        :raises ConnectionError: there is nobody, the certificate is not theirs, or the answer was cut.
        :raises TimeoutError: it took too long.
        :raises HttpCallFailed: what came is no HTTP, is larger than allowed, or redirects without an end.
        """
        for _ in range(HOPS + 1):
            try:
                answer = await self._once(call)
            except ConnectionResetError:  # a kept connection may be closed, because the other side thought it idle
                answer = await self._once(call)
            further = self._redirected(call, answer)
            if further is None:
                return answer
            call = further
        what = f"more than {HOPS} redirects, the last one to {call.shown}"
        raise HttpCallFailed(what, where=call.named, answered=answer.status, reaction="park")

    async def _once(self, call: Call) -> Answer:
        url, body = URL(call.url, encoded=True), _data(call.body)
        sending = self._session.request(call.method, url, headers=call.headers, data=body, allow_redirects=False)
        try:
            async with sending as response:
                content = await self._read(response, call)
                return Answer(response.status, (response.reason or "")[:60], response.headers, content)
        except aiohttp.ConnectionTimeoutError:
            raise TimeoutError(f"{call.host} cannot be reached within {self._connect_timeout:g} s") from None
        except TimeoutError:
            raise TimeoutError(f"{call.host} did not answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise _told(error, call) from None

    async def _read(self, response: aiohttp.ClientResponse, call: Call) -> bytes:
        packed = response.headers.get("Content-Encoding", "")
        if not packed and (response.content_length or self._limit + 1) <= self._limit:
            return await response.read()
        unpacking = Unpacking(packed, self._limit, call.named)
        async for piece in response.content.iter_any():
            unpacking.feed(piece)
        return unpacking.end()

    # Redirects ----------------------------------------------------------------------------------------------

    def _redirected(self, call: Call, answer: Answer) -> Call | None:
        """The call that a redirect asks for; None for an answer that is one, and where it is not to be followed: the
        other side may change a POST into a GET only by saying that it has what was posted (303)."""
        if answer.status not in _MOVED and answer.status not in _KEEPS_METHOD:
            return None
        location = answer.headers.get("Location", "")
        keeps = answer.status in _KEEPS_METHOD or call.method in ("GET", "HEAD")
        if self._redirects == "none" or not location or (not keeps and answer.status != 303):
            return None
        url = _joined(call.url, location)
        same = _origin(url) == _origin(call.url)
        if not same and (self._redirects != "any" or _origin(url)[0] != "https"):
            return None
        kept = {name: value for name, value in call.headers.items() if same or name.lower() in _FOR_ANYBODY}
        hidden = len(urlsplit(url).path) if call.hidden else 0  # what is secret may be anywhere in it
        if keeps:
            return Call(call.method, url, kept, call.body, hidden)
        bare = {name: value for name, value in kept.items() if name.lower() != "content-type"}
        return Call("GET", url, bare, hidden=hidden)


def _data(body: bytes | None) -> bytes | io.BytesIO | None:
    """A large body piece by piece: written at once it would keep everybody waiting."""
    return io.BytesIO(body) if body is not None and len(body) >= _LARGE else body


def _joined(url: str, location: str) -> str:
    """Where a redirect leads; nowhere when it is no URL."""
    try:
        return urljoin(url, location).partition("#")[0]
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; of what is no URL, nothing that another one has."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", None, None)
    return (parts.scheme, parts.hostname, port)


def _told(error: Exception, call: Call) -> Exception:
    """What went wrong, without what the library would show of the request."""
    host = call.host
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
        return ConnectionError(f"the certificate of {host} is refused: {reason}")
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.os_error
        return ConnectionError(f"{host} cannot be reached: {reason}")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return ConnectionResetError(f"{host} closed the connection without an answer")
    if isinstance(error, aiohttp.ClientPayloadError):
        return ConnectionError(f"{host} cut its answer")
    if isinstance(error, aiohttp.ClientResponseError):
        what = f"what came is no HTTP: {' '.join(error.message.split())[:200]}"
        return HttpCallFailed(what, where=call.named, fix="Look at what listens there.")
    if isinstance(error, aiohttp.ClientConnectionError):
        return ConnectionError(f"{host}: the connection failed")
    what = f"it cannot be called: {type(error).__name__}"
    return HttpCallFailed(what, where=call.named, reaction="park")
