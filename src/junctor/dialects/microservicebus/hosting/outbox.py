"""Messages from the loops of a service to that of the node, in batches: one wake-up for several, both ways."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from functools import partial
from typing import Any

from junctor.core.hop import current
from junctor.core.port import Link, Port


class Outbox:
    """Sends for code that runs on a loop beside that of the node. Made on the loop of the node."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._home = asyncio.get_running_loop()
        self._new: deque[tuple[Link, Any, asyncio.Future[None]]] = deque()
        self._woken = False
        self._back: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Back] = weakref.WeakKeyDictionary()

    def send(self, link: Link, payload: Any) -> asyncio.Future[None]:
        """Hand a message over, in the order of the calls; from a running loop, to which the future belongs."""
        future = asyncio.get_running_loop().create_future()
        self._new.append((link, payload, future))
        if not self._woken:
            self._woken = True
            self._home.call_soon_threadsafe(self._send)
        return future

    def _send(self) -> None:
        self._woken = False
        current.set(None)  # the context is that of the code which sent first
        send, new = self._port.send, self._new
        while new:
            link, payload, future = new.popleft()
            try:
                pending: Any = send(link, payload)
            except Exception as error:  # noqa: BLE001 - its sender gets whatever went wrong here
                self._ended(future, error)
                continue
            pending.when_done(partial(self._accepted, future))

    def _accepted(self, future: asyncio.Future[None], accepted: asyncio.Future[Any]) -> None:
        error = asyncio.CancelledError() if accepted.cancelled() else accepted.exception()
        self._ended(future, error)

    def _ended(self, future: asyncio.Future[None], error: BaseException | None) -> None:
        loop = future.get_loop()
        back = self._back.get(loop)
        if back is None:
            back = self._back[loop] = _Back()
        back.ended.append((future, error))
        if back.woken:
            return
        back.woken = True
        try:
            loop.call_soon_threadsafe(back.deliver)
        except RuntimeError:
            del self._back[loop]  # its service, or the thread of it, has ended


class _Back:
    """The way back to one loop. Each has its own: several take from theirs at once, each in its thread."""

    __slots__ = ("ended", "woken")

    def __init__(self) -> None:
        self.ended: deque[tuple[asyncio.Future[None], BaseException | None]] = deque()
        self.woken = False

    def deliver(self) -> None:
        """On the loop that it leads to."""
        self.woken = False
        while self.ended:
            future, error = self.ended.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
