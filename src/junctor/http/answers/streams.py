"""Answers that come in parts: what a generator yields is sent as it comes, as fast as the client takes it.

A generator runs in a task or thread of its own, within the service's limit of streams; what it yields waits in a small
buffer until the client has taken it. It ends with its client: its ``finally`` runs. A plain generator learns of it at
its next ``yield``.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from junctor.core.spec import Call
from junctor.http.answers.responses import checked, header
from junctor.http.asgi import Headers, Receive, Scope, Send, header_value
from junctor.messages.codec import encode
from junctor.runtime.supervisor import Supervisor

T = TypeVar("T")

KEEP_ALIVE = 15.0
"""Seconds of silence after which a stream of events sends a comment, so that nothing in between takes it for dead."""
FIRST = 1.0
"""Seconds to wait for the first part, or for an error in its place, before the status is sent."""
BUFFER = 64 * 1024
_PATIENCE = 5.0


class Event(msgspec.Struct, Generic[T], frozen=True):
    """One server-sent event.

    ``data`` that is text is sent as it is, everything else as JSON. ``event`` is the name that the client listens to,
    ``message`` without one. ``id`` comes back in the header ``Last-Event-ID`` when the client connects again, and
    ``retry`` is how many milliseconds it waits before it does. A line feed or NUL in ``event`` or ``id`` is a
    ``ValueError``.
    """

    data: T
    event: str = ""
    id: str = ""
    retry: int | None = None

    def __post_init__(self) -> None:
        if any(character in self.event + self.id for character in "\r\n\0"):
            raise ValueError("the name and the id of an event are one line of text")


class Streaming:
    """A stream with a status, headers and a content type of its own; :func:`stream` makes it."""

    __slots__ = ("content", "framing", "raw_headers", "status_code")

    def __init__(self, content: Any, framing: Framing | None, status: int, headers: Headers) -> None:
        self.content = content
        self.framing = framing
        self.status_code = status
        self.raw_headers = headers


def stream(
    content: AsyncIterator[Any] | Iterator[Any],
    media_type: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Streaming:
    """What a route returns to stream with a content type or headers of its own.

    :param media_type: of the ``str`` or ``bytes`` that come; without one their type decides.
    :raises TypeError: ``content`` is not an iterator.
    :raises ValueError: there is no such status.
    """
    if not is_stream(content):
        raise TypeError(f"a stream is an iterator or asynchronous iterator, not {type(content).__qualname__}")
    charset = "; charset=utf-8" if media_type.startswith("text/") and "charset" not in media_type else ""
    framing = Framing(media_type + charset, _raw) if media_type else None
    return Streaming(content, framing, checked(status, 200), [header(*pair) for pair in (headers or {}).items()])


def is_stream(value: Any) -> bool:
    """Whether it gives its values one after the other."""
    return hasattr(value, "__anext__") or hasattr(value, "__next__")


class Framing(msgspec.Struct, frozen=True):
    """How the values of a stream become bytes."""

    media_type: str
    frame: Callable[[Any], bytes]
    events: bool = False


def _raw(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a stream of text or bytes yielded {type(value).__qualname__}")


def _line(value: Any) -> bytes:
    return encode(value.data if isinstance(value, Event) else value) + b"\n"


def _event(value: Any) -> bytes:
    made = value if isinstance(value, Event) else Event(value)
    text = made.data if isinstance(made.data, str) else encode(made.data).decode()
    lines = [f"event: {made.event}"] if made.event else []
    lines += [f"id: {made.id}"] if made.id else []
    lines += [f"retry: {made.retry}"] if made.retry is not None else []
    # What ends a line for the client ends one here; str.splitlines would know more.
    lines += [f"data: {line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join([*lines, "", ""]).encode()


BYTES = Framing("application/octet-stream", _raw)
TEXT = Framing("text/plain; charset=utf-8", _raw)
LINES = Framing("application/x-ndjson", _line)
EVENTS = Framing("text/event-stream", _event, events=True)


def framing_of(kind: Any, headers: Headers) -> Framing | None:
    """How values of a type are sent to a client that accepts what its headers say. None: the first value decides."""
    if kind is Any:
        return EVENTS if wants_events(headers) else None
    if kind in (bytes, bytearray, memoryview):
        return BYTES
    if kind is str:
        return TEXT
    if kind is Event or getattr(kind, "__origin__", None) is Event:
        return LINES if b"ndjson" in (header_value(headers, b"accept") or b"") else EVENTS
    return EVENTS if wants_events(headers) else LINES


def wants_events(headers: Headers) -> bool:
    return b"text/event-stream" in (header_value(headers, b"accept") or b"")


class Stream:
    """One stream under way, from its producer, on whatever thread or loop, to its client: an ASGI application.

    :param name: what streams, for the name of the task.
    :param framing: None where the first value decides.
    :param failed: makes the answer to an exception of the generator.
    :param done: called when the generator has ended.
    """

    def __init__(
        self,
        name: str,
        framing: Framing | None,
        headers: Headers,
        failed: Callable[[BaseException], tuple[int, Headers, bytes]],
        done: Callable[[Stream], object],
    ) -> None:
        self.status_code = 200
        self.raw_headers: Headers = []
        self._name = name
        self._framing = framing
        self._headers = headers
        self._failed = failed
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._tasks = Supervisor()
        self._producer: asyncio.Task[Any] | None = None
        self._chunks: deque[bytes] = deque()
        self._given = self._taken = 0
        self._here = True
        self._room: Callable[[], object] | None = None
        self._interrupt: Callable[[], object] | None = None
        self._waiter: asyncio.Future[Any] | None = None
        self._ended = self._gone = False
        self.error: BaseException | None = None

    # The producer's side ------------------------------------------------------------------------------------

    async def begin(self, enter: Callable[[Call], Awaitable[Any]], make: Call, blocking: bool) -> bool:
        """Start the generator and wait a moment for its first value, so that an early error has a status of its own.

        :param enter: runs a function within the service, as a call of its own.
        :param make: gives the generator from the arguments that the function gets.
        :returns: False when it failed before it gave anything: :attr:`error` says why.
        """
        feed = partial(self._feed_blocking if blocking else self._feed, make)
        self._producer = self._tasks.start(f"{self._name} stream", self._produce(enter, feed))
        try:
            await self._arrival(FIRST)
            while self._framing is None and not (self._chunks or self._ended):
                await self._arrival(KEEP_ALIVE)
        except BaseException:
            self.end()
            raise
        return bool(self._chunks) or self.error is None

    async def _produce(self, enter: Callable[[Call], Awaitable[Any]], feed: Call) -> None:
        try:
            await enter(feed)
        except BaseException as error:  # noqa: BLE001 - whatever ends a generator is told to its client
            self.error = error
        finally:
            self._ended = True
            self._notify()
            self._done(self)

    async def _feed(self, make: Call, **arguments: Any) -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self._here = loop is self._loop
        self._interrupt = partial(loop.call_soon_threadsafe, task.cancel)
        produced = make(**arguments)
        try:
            if not self._gone:
                async for value in produced:
                    self._put(value)
                    await self._wait_for_room(loop)
                    if self._left():
                        break
        except asyncio.CancelledError:
            if not self._left():
                raise
        finally:
            if hasattr(produced, "aclose"):
                await produced.aclose()

    async def _wait_for_room(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waits():
            ready = loop.create_future()
            self._room = partial(loop.call_soon_threadsafe, _set, ready)
            if self._waits():  # the client may have taken something a moment ago
                await ready

    def _feed_blocking(self, make: Call, **arguments: Any) -> None:
        self._here = False
        ready = threading.Event()
        produced = make(**arguments)
        try:
            while not self._left():
                try:
                    value = next(produced)
                except StopIteration:
                    break
                self._put(value)
                while self._waits():
                    ready.clear()
                    self._room = ready.set
                    if self._waits():
                        ready.wait()
        finally:
            if hasattr(produced, "close"):
                produced.close()

    def _put(self, value: Any) -> None:
        if self._framing is None:
            self._framing = framing_of(type(value), self._headers)
            assert self._framing is not None
        chunk = self._framing.frame(value)
        if not chunk:
            return
        self._given += len(chunk)
        if self._here:
            self._arrive(chunk)
        else:
            self._loop.call_soon_threadsafe(self._arrive, chunk)

    def _waits(self) -> bool:
        """Whether the generator has to wait for the client."""
        return self._given - self._taken >= BUFFER and not self._gone

    def _left(self) -> bool:
        return self._gone

    # The client's side --------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        framing = self._framing or LINES
        watch = self._tasks.start(f"{self._name} client", self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while (chunk := await self._take(framing)) is not None:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await self._finish(framing, send)
        finally:
            watch.cancel()
            self.end()
            assert self._producer is not None
            # What the generator still does at its end belongs to the request, within reason.
            await asyncio.wait({self._producer}, timeout=_PATIENCE)

    @property
    def media_type(self) -> bytes:
        return (self._framing or LINES).media_type.encode()

    @property
    def events(self) -> bool:
        return self._framing is not None and self._framing.events

    def end(self) -> None:
        """End the generator, because nobody listens any more or the node stops. Idempotent; from the loop."""
        if self._gone or self._ended:
            return
        self._gone = True
        if self._interrupt is not None:
            self._interrupt()
        if self._room is not None:
            self._room()
        self._notify()

    async def _take(self, framing: Framing) -> bytes | None:
        """What has come since the last time; None at the end."""
        while not self._chunks:
            if self._ended or self._gone:
                return None
            if not await self._arrival(KEEP_ALIVE) and framing.events:
                return b":\n\n"
        taken = b"".join(self._chunks)
        self._chunks.clear()
        self._taken += len(taken)
        room, self._room = self._room, None
        if room is not None:
            room()
        return taken

    async def _finish(self, framing: Framing, send: Send) -> None:
        """The end as it was. What was cut short must not look complete: the connection is dropped instead."""
        rest = b""
        if self.error is not None:
            problem = self._failed(self.error)[2]
            if framing.events:
                rest = _event(Event(problem.decode(), event="error"))
        if framing.events or (self.error is None and not self._gone):
            await send({"type": "http.response.body", "body": rest})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end()

    async def _arrival(self, within: float) -> bool:
        """Wait until something comes or it ends; whether it did in time."""
        if self._chunks or self._ended or self._gone:
            return True
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(within, _set, self._waiter, True)
        try:
            return not await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _arrive(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._notify()

    def _notify(self) -> None:
        if self._waiter is not None:
            _set(self._waiter)


class HeadersOnly:
    """The answer to HEAD for a stream: nothing runs, and nothing says how long it would be."""

    def __init__(self, status: int, framing: Framing | None) -> None:
        self.status_code = status
        self.raw_headers: Headers = [(b"content-type", framing.media_type.encode())] if framing else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b""})


def _set(future: asyncio.Future[Any], value: Any = None) -> None:
    if not future.done():
        future.set_result(value)
