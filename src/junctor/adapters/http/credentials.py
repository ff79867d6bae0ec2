"""Who calls: the header ``Authorization``, fixed or with a token that is asked for."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import quote, urlencode

import msgspec

from junctor.adapters.http.answer import NO_JSON, Answer
from junctor.adapters.http.call import TYPES, Call
from junctor.adapters.http.failed import HttpCallFailed

_EARLY = 60.0
"""Seconds before its end that a token is renewed, or a tenth of its life where that is less."""


class Credentials(Protocol):
    """Says who calls."""

    async def authorization(self) -> str:
        """The value of the header; empty for none."""
        ...

    def refused(self, authorization: str) -> bool:
        """The other side answered 401 to it: whether another one may be had."""
        ...

    def masked(self, text: str) -> str:
        """The text without what it must not show."""
        ...


class Fixed:
    """A header that stays the same."""

    def __init__(self, value: str = "") -> None:
        self._value = value

    @classmethod
    def basic(cls, user: str, password: str) -> Fixed:
        """User and password (RFC 7617)."""
        return cls(f"Basic {_pair(user, password)}")

    @classmethod
    def bearer(cls, token: str) -> Fixed:
        """A token (RFC 6750)."""
        return cls(f"Bearer {token}")

    async def authorization(self) -> str:
        return self._value

    def refused(self, authorization: str) -> bool:
        return False

    def masked(self, text: str) -> str:
        return _without(text, self._value)


class Granted(msgspec.Struct):
    """What a token endpoint answers (RFC 6749, 5.1). ``expires_in`` in seconds; some write it as text."""

    access_token: str
    token_type: str = "bearer"
    expires_in: float | None = None


class Tokens:
    """Tokens for client credentials (RFC 6749, 4.4): one for all calls, renewed before it ends.

    :param ask: makes a call; ``now`` is the node's clock in seconds.
    :param in_header: client and secret go as HTTP Basic, else in the body.
    """

    def __init__(
        self,
        ask: Callable[[Call], Awaitable[Answer]],
        now: Callable[[], float],
        *,
        url: str,
        client: str,
        secret: str,
        scope: str = "",
        in_header: bool = True,
    ) -> None:
        self._ask = ask
        self._now = now
        self._call = _call_for_token(url, client, secret, scope, in_header)
        self._one = asyncio.Lock()
        self._value = self._shown = ""
        self._until = 0.0

    async def authorization(self) -> str:
        """:raises ConnectionError: no token is to be had, for whatever reason: it is no fault of a message."""
        async with self._one:
            if not self._value or self._now() >= self._until:
                self._take(await self._granted())
            return self._value

    def refused(self, authorization: str) -> bool:
        if authorization == self._value:
            self._value = ""  # which others may have done already
        return True

    def masked(self, text: str) -> str:
        return _without(text, self._shown)

    def _take(self, granted: Granted) -> None:
        self._value = self._shown = f"Bearer {granted.access_token}"
        life = float("inf") if granted.expires_in is None else max(granted.expires_in, 0.0)
        self._until = self._now() + life - min(_EARLY, life / 10)

    async def _granted(self) -> Granted:
        where = self._call.shown
        try:
            answer = await self._ask(self._call)
        except HttpCallFailed as error:
            raise ConnectionError(f"{where} gives no token: {error.what}") from None
        if answer.status != 200:
            raise ConnectionError(f"{where} gives no token: {answer.said}{_complaint(answer)}")
        try:
            granted = msgspec.json.decode(answer.body, type=Granted, strict=False)
        except NO_JSON:
            raise ConnectionError(f"{where} gives no token: what it answers is none") from None
        if granted.token_type.lower() != "bearer" or not granted.access_token.isprintable():
            raise ConnectionError(f"{where} gives a token of an unknown kind: {granted.token_type[:40]!r}")
        return granted


def _call_for_token(url: str, client: str, secret: str, scope: str, in_header: bool) -> Call:
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    headers = {"Content-Type": TYPES["form"], "Accept": "application/json"}
    if in_header:  # each part is written as in a form first (RFC 6749, 2.3.1)
        headers["Authorization"] = f"Basic {_pair(quote(client, safe=''), quote(secret, safe=''))}"
    else:
        form |= {"client_id": client, "client_secret": secret}
    return Call("POST", url, headers, urlencode(form).encode())


def _complaint(answer: Answer) -> str:
    """The word of RFC 6749, 5.2, such as ``invalid_client``; what else is said may repeat the secret."""
    try:
        said = msgspec.json.decode(answer.body)
    except NO_JSON:
        return ""
    word = said.get("error") if isinstance(said, dict) else None
    return f", {word[:60]}" if isinstance(word, str) and word.isprintable() else ""


def _pair(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _without(text: str, authorization: str) -> str:
    secret = authorization.partition(" ")[2]
    return text.replace(secret, "***") if secret else text
