"""What a send or request gives back: awaitable on an event loop, ``result()`` for blocking code."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Generator
from typing import Any

import msgspec

from junctor.errors import JunctorError


class WouldBlock(JunctorError):
    """``result()`` was called on the node's event loop, where it would wait for itself."""

    code = "would-block"
    default_fix = "Write `await` in front of the call instead of .result() behind it."


class Joined:
    """A send that joined the running delivery: it is accepted with it."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        return iter(())  # type: ignore[return-value]

    def result(self, timeout: float | None = None) -> None:
        return None


JOINED = Joined()


class LoopPending(msgspec.Struct, eq=False):
    """A result that comes on the node's own event loop. One is made for every message: a struct, at half the price."""

    _future: Any

    def __await__(self) -> Generator[Any, Any, Any]:
        # Half the price of its __await__, and the same.
        return iter(self._future)  # type: ignore[no-any-return]

    def when_done(self, call: Callable[[Any], object]) -> None:
        """Call it with the future when the result is there."""
        self._future.add_done_callback(call)

    def result(self, timeout: float | None = None) -> Any:
        if not self._future.done():
            raise WouldBlock("result() would block the event loop that has to bring the result")
        return self._future.result()


class ThreadPending:
    """A result that comes from the node's event loop to another thread, with or without a loop of its own."""

    __slots__ = ("_future",)

    def __init__(self, future: concurrent.futures.Future[Any]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, Any, Any]:
        return asyncio.wrap_future(self._future).__await__()

    def result(self, timeout: float | None = None) -> Any:
        return self._future.result(timeout)


class Settled:
    """A result that is there already."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from ()
        return self._value

    def when_done(self, call: Callable[[Any], object]) -> None:
        """Call it with a future that has the result."""
        future = asyncio.get_running_loop().create_future()
        future.set_result(self._value)
        call(future)

    def result(self, timeout: float | None = None) -> Any:
        return self._value


def resolve(future: asyncio.Future[Any], value: Any) -> None:
    """Give a waiting future its result, unless it has one or nobody waits any more."""
    if not future.done():
        future.set_result(value)
