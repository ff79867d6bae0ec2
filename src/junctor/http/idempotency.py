"""``Idempotency-Key``: a request that a client repeats is carried out once, and answered as the first time.

The answer is kept before it is sent. So a client that heard nothing, and asks again, gets the answer of the first
request, also from a node that was restarted meanwhile where messages outlive the process. What a handler sent before a
crash that left no answer is not sent again: its messages carry keys made of the request's key and their own content
(:class:`~junctor.core.hop.Asking`).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from junctor.core.hop import Asking, asking
from junctor.http.asgi import Event, Headers, Receive, Scope
from junctor.http.endpoints import Answer, Application, Endpoint
from junctor.http.problem import HttpError
from junctor.http.settings import HttpSettings

KEPT = 24 * 3600.0
"""Seconds that an answer is kept."""

MAX_ANSWERS = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_ANSWER = 1024 * 1024
"""How many answers are kept, how many bytes of them, and how large one may be. The oldest make room."""

_REPLAYED = (b"idempotency-replayed", b"true")
_NAME = b"idempotency-key"
_WHO = frozenset({b"authorization", b"cookie"})
_PASSING = frozenset({401, 403, 408, 409, 425, 429})
"""Answers that tell of this moment, and not of what the request did: who was not known may be known next time."""


class Notes(Protocol):
    """Where answers are kept: names to bytes."""

    def read(self, name: str) -> bytes | None: ...

    async def entries(self) -> list[tuple[str, bytes]]:
        """Everything that is kept."""
        ...

    async def write(self, name: str, value: bytes | None) -> None:
        """Keep it; None forgets it. Returns when it is as durable as it will be."""
        ...


class Kept(msgspec.Struct, frozen=True):
    """An answer. ``until`` in seconds since 1970; ``fingerprint`` of the request, empty when its body was not read;
    ``head`` is what is known of it in any case."""

    until: float
    fingerprint: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    head: str = ""


class Ledger:
    """The answers of a node to requests with a key.

    :param clock: seconds since 1970.
    """

    def __init__(self, notes: Notes, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._notes = notes
        self._running: set[str] = set()
        self._index: dict[str, tuple[float, int]] = {}
        self._bytes = 0
        self._loading: asyncio.Future[None] | None = None

    async def ready(self) -> None:
        """Know what was kept before the node started. Only a request with a key needs that."""
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_future()
            try:
                found = [(name, _until(value), len(value)) for name, value in await self._notes.entries()]
            except BaseException as error:
                loading, self._loading = self._loading, None
                loading.set_exception(error if isinstance(error, Exception) else RuntimeError("cancelled"))
                loading.exception()  # whoever waits gets it; that nobody does is no news
                raise
            for name, until, size in sorted(found, key=lambda one: one[1]):
                self._note(name, until, size)
            self._loading.set_result(None)
        else:
            await asyncio.shield(self._loading)

    def find(self, name: str) -> Kept | None:
        """The answer that is kept under this name."""
        until, _ = self._index.get(name, (0.0, 0))
        value = self._notes.read(name) if until > self.clock() else None
        try:
            return msgspec.json.decode(value, type=Kept) if value is not None else None
        except msgspec.MsgspecError:
            return None

    def begin(self, name: str) -> None:
        """:raises HttpError: 409, the first request with this key still runs."""
        if name in self._running:
            raise HttpError(
                "the first request with this Idempotency-Key still runs",
                status=409,
                code="idempotency-running",
                fix="Send it again in a moment.",
                headers=((b"retry-after", b"1"),),
            )
        self._running.add(name)

    def end(self, name: str) -> None:
        self._running.discard(name)

    async def keep(self, name: str, answer: Kept) -> None:
        """Keep it, and forget what is too old or too much."""
        value = msgspec.json.encode(answer)
        self._forget(name)
        await self._notes.write(name, value)
        self._note(name, answer.until, len(value))
        now = self.clock()
        while self._index:
            oldest = next(iter(self._index))
            if self._index[oldest][0] > now and len(self._index) <= MAX_ANSWERS and self._bytes <= MAX_BYTES:
                break
            self._forget(oldest)
            await self._notes.write(oldest, None)

    def _note(self, name: str, until: float, size: int) -> None:
        self._index[name] = until, size
        self._bytes += size

    def _forget(self, name: str) -> None:
        self._bytes -= self._index.pop(name, (0.0, 0))[1]


class Idempotent:
    """An endpoint whose answers are kept for requests that bring a key."""

    __slots__ = ("_inner", "_largest", "_ledger", "sharing", "source")

    def __init__(self, inner: Endpoint, ledger: Ledger, settings: HttpSettings) -> None:
        self._inner = inner
        self._ledger = ledger
        self._largest = max(settings.body, settings.upload)
        self.sharing = getattr(inner, "sharing", None)
        self.source = inner.source

    async def answer(self, scope: Scope, receive: Receive, values: list[str]) -> Answer | Application | None:
        given = [value for name, value in scope["headers"] if name == _NAME]
        if not given:
            return await self._inner.answer(scope, receive, values)
        asked = asking.get() or Asking()
        name = _name_of(_key_of(given), asked.caller, self.source, scope)
        head = _head_of(scope, asked.caller)
        await self._ledger.ready()
        self._ledger.begin(name)
        token = asking.set(msgspec.structs.replace(asked, seed=f"http:{name}"))
        try:
            kept = self._ledger.find(name)
            if kept is not None:
                return await self._again(kept, head, scope, receive)
            return await self._first(name, head, scope, receive, values)
        finally:
            asking.reset(token)
            self._ledger.end(name)

    async def _first(
        self, name: str, head: str, scope: Scope, receive: Receive, values: list[str]
    ) -> Answer | Application | None:
        reading = _Reading(receive, scope)
        made = await self._inner.answer(scope, reading, values)
        whole = _whole(made)
        if whole is not None:
            status, headers, body = whole
            if status < 500 and status not in _PASSING and len(body) <= MAX_ANSWER:
                texts = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in headers]
                until = self._ledger.clock() + KEPT
                await self._ledger.keep(name, Kept(until, reading.fingerprint, status, texts, body, head))
        return made

    async def _again(self, kept: Kept, head: str, scope: Scope, receive: Receive) -> Answer | None:
        if kept.head not in ("", head):
            raise _other_request()
        if kept.fingerprint:
            reading = _Reading(receive, scope)
            if not await reading.to_end(self._largest):
                return None
            if reading.fingerprint != kept.fingerprint:
                raise _other_request()
        headers: Headers = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in kept.headers]
        return kept.status, [*headers, _REPLAYED], kept.body


class _Reading:
    """A request's body on its way to who reads it, and the fingerprint of what came by."""

    def __init__(self, receive: Receive, scope: Scope) -> None:
        self._receive = receive
        self._digest = hashlib.sha256(scope["query_string"] + b"\0")
        self._complete = False

    async def __call__(self) -> Event:
        event = await self._receive()
        if event["type"] == "http.request":
            self._digest.update(event.get("body", b""))
            self._complete = not event.get("more_body", False)
        return event

    async def to_end(self, limit: int) -> bool:
        """Read what is left. False: the client has gone. What is larger than ``limit`` is not read on."""
        size = 0
        while not self._complete and size <= limit:
            event = await self()
            if event["type"] != "http.request":
                return False
            size += len(event.get("body", b""))
        return True

    @property
    def fingerprint(self) -> str:
        return self._digest.hexdigest() if self._complete else ""


def _key_of(given: list[bytes]) -> str:
    """The key, with or without the quotes of a structured header.

    :raises HttpError: 400.
    """
    text = given[0].strip()
    if len(text) > 1 and text[:1] == text[-1:] == b'"':
        text = text[1:-1]
    if len(given) > 1 or not 1 <= len(text) <= 255 or any(byte < 33 or byte > 126 for byte in text):
        raise HttpError(
            "Idempotency-Key must be one text of 1 to 255 visible ASCII characters",
            code="idempotency-key",
            fix='Use for example a UUID: Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324".',
        )
    return text.decode()


def _other_request() -> HttpError:
    return HttpError(
        "this Idempotency-Key was used for another request",
        status=422,
        code="idempotency-key",
        fix="Use a new key for each new request, and the same one only to repeat it unchanged.",
    )


def _head_of(scope: Scope, caller: str) -> str:
    """Of the query, and of who asks where the flow has no keys: the service may know by a password or cookie."""
    known = [value for name, value in scope["headers"] if name in _WHO] if not caller else []
    return hashlib.sha256(b"\0".join([scope["query_string"], *known])).hexdigest()


def _name_of(key: str, caller: str, source: str, scope: Scope) -> str:
    """One name a caller, entry, method, path and key, of fixed length. Two listeners may have the same path."""
    parts = (caller.encode(), source.encode(), scope["method"].encode(), scope["raw_path"], key.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _whole(made: Any) -> Answer | None:
    """Status, headers and body of an answer that is complete; None for one that is yet to be made while it is sent."""
    if type(made) is tuple:
        return made
    body = getattr(made, "body", None)
    if made is None or not isinstance(body, bytes) or hasattr(made, "body_iterator"):
        return None
    # The length is added again when it is sent.
    headers = [pair for pair in made.raw_headers if pair[0] != b"content-length"]
    return made.status_code, headers, body


def _until(value: bytes) -> float:
    try:
        return float(msgspec.json.decode(value, type=_Until).until)
    except msgspec.MsgspecError:
        return 0.0


class _Until(msgspec.Struct):
    until: float
