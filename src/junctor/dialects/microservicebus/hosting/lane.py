"""A thread with an event loop, for code that may block it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from junctor.runtime.supervisor import Supervisor

log = logging.getLogger("junctor.microservicebus")

_left: list[asyncio.Task[Any]] = []
"""Tasks that went on when they were cancelled with their loop. They never run again, and are kept: to throw them away
would run their code once more, without a loop."""


class Lane:
    """A thread with an event loop.

    :param first: called in the thread before the loop runs.
    """

    def __init__(self, name: str, first: Callable[[], object] | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.supervisor = Supervisor()
        self.returning = self.called = False
        self._first = first
        self._closed = False
        # A daemon: code that blocks for ever must not keep the process from ending.
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            if self._first is not None:
                self._first()
            while not self._closed:
                self._turn()
        finally:
            with contextlib.suppress(RuntimeError):  # other threads make tasks
                _left.extend(task for task in asyncio.all_tasks(self.loop) if not task.done())
            self.loop.close()

    def _turn(self) -> None:
        try:
            self.loop.run_forever()
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a task of the service is not the end of its loop
            log.error("%s: a task ended with %r", self.thread.name, error)

    def soon(self, call: Callable[..., Any], *args: Any) -> bool:
        """Call it on the loop; False where that has ended."""
        try:
            self.loop.call_soon_threadsafe(call, *args)
        except RuntimeError:
            return False
        return True

    def close(self) -> None:
        """Cancel what runs, and end. Does not wait."""
        self.soon(self._cancel_all)

    def _cancel_all(self) -> None:
        self._closed = True
        try:
            tasks = asyncio.all_tasks(self.loop)
        except RuntimeError:  # other threads make tasks all the time; there is one set for all
            self.loop.call_soon(self._cancel_all)
            return
        for task in tasks:
            task.cancel()
        self.loop.call_soon(self.loop.stop)
