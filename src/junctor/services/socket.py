"""WebSockets as a service sees them: one client, and an audience of many."""

from __future__ import annotations

import abc
import asyncio
import types
import typing
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

from junctor.errors import JunctorError

In = TypeVar("In")
Out = TypeVar("Out")


class SocketClosed(JunctorError):
    """The client has gone, or the connection was closed. A method that lets it through has ended well."""

    code: ClassVar[str] = "socket-closed"
    status: ClassVar[int] = 499  # the client's doing, and no failure of the service
    default_fix: ClassVar[str] = "Nothing can be sent any more; return from the method."


class Socket(abc.ABC, Generic[In, Out]):
    """One client of a ``@websocket`` method: what it sends is an ``In``, what it gets an ``Out``.

    Values travel as JSON text, ``bytes`` as binary messages. ``Socket[None, Out]`` takes nothing from the client.
    ``caller`` is the name of the API key that it came with, empty without one.
    """

    caller: str = ""

    @abc.abstractmethod
    async def send(self, value: Out) -> None:
        """Send it. Waits while the client does not keep up.

        :raises SocketClosed: the client has gone.
        :raises EncodeError: the value has no JSON form.
        """

    @abc.abstractmethod
    async def receive(self) -> In:
        """The next message. One that does not fit the type closes the connection with 1007 or 1003.

        :raises SocketClosed: there will be none.
        """

    @abc.abstractmethod
    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection: 1000, or a code of your own from 4000 to 4999, with at most 123 bytes of reason."""

    @abc.abstractmethod
    def when_closed(self, then: Callable[[], object]) -> None:
        """Call it, on the node's loop, as soon as the connection has ended; at once when it has already."""

    @property
    @abc.abstractmethod
    def is_open(self) -> bool: ...

    async def closed(self) -> None:
        """Wait until the connection has ended."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self.when_closed(lambda: loop.call_soon_threadsafe(ended.set))
        await ended.wait()

    def __aiter__(self) -> Socket[In, Out]:
        return self

    async def __anext__(self) -> In:
        try:
            return await self.receive()
        except SocketClosed:
            raise StopAsyncIteration from None


class _Listener:
    """One socket of an audience, with what it has still to get."""

    __slots__ = ("late", "loop", "waiting", "woken")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: deque[Any] = deque()
        self.woken = asyncio.Event()
        self.late = False

    def wake(self) -> None:
        self.loop.call_soon_threadsafe(self.woken.set)


class Audience(Generic[Out]):
    """Sockets that all get the same: ``await audience.join(socket)`` in the WebSocket's method, and
    ``audience.tell(value)`` anywhere else, also in a plain ``def``.

    :param waiting: values that one client may be behind. Who falls back further is closed with code 1013, so that one
        slow client holds up nobody and fills no memory.
    """

    def __init__(self, waiting: int = 100) -> None:
        self._bound = waiting
        self._members: set[_Listener] = set()

    def __len__(self) -> int:
        return len(self._members)

    def tell(self, value: Out) -> int:
        """Hand it to everybody, without waiting. Gives the number of listeners."""
        members = list(self._members)
        for member in members:
            if len(member.waiting) >= self._bound:
                member.late = True
            else:
                member.waiting.append(value)
            member.wake()
        return len(members)

    async def join(self, socket: Socket[Any, Out]) -> None:
        """Send the socket all that is told from now on, until it closes."""
        member = _Listener()
        socket.when_closed(member.wake)
        self._members.add(member)
        try:
            while socket.is_open:
                await member.woken.wait()
                member.woken.clear()
                while member.waiting and not member.late:
                    await socket.send(member.waiting.popleft())
                if member.late:
                    await socket.close(1013, "this client is too slow")
        except SocketClosed:
            return
        finally:
            self._members.discard(member)


def socket_types(hint: Any) -> tuple[Any, Any] | None:
    """What ``Socket[In, Out]`` says, None for another type."""
    origin = typing.get_origin(hint) or hint
    if not (isinstance(origin, type) and issubclass(origin, Socket)):
        return None
    given = [None if part is types.NoneType else part for part in typing.get_args(hint)]
    accepts, sends = given if len(given) == 2 else (Any, Any)
    return (Any if isinstance(accepts, TypeVar) else accepts), (Any if isinstance(sends, TypeVar) else sends)
