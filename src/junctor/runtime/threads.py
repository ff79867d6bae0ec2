"""Threads for code that blocks: one a slot, and one with an event loop of its own where a service asks for it."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from junctor.core.hop import Hop, current

Work = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], "Hop | None", "asyncio.Future[Any]"]


SKIPPED = object()
"""The result of a call that did not happen, because one before it failed or the service was halted."""


class Turn:
    """Calls in a row of which a failure, or a change of state, skips the rest: the next one has to see it. Lives in the
    thread that runs it."""

    def __init__(self, fn: Callable[[Any], Any], goes_on: Callable[[], bool], strict: bool) -> None:
        self._fn = fn
        self._goes_on = goes_on
        self._strict = strict
        self._over = False

    def call(self, hop: Hop) -> Any:
        if self._over or not self._goes_on():
            self._over = True
            return SKIPPED
        try:
            result = self._fn(hop)
        except BaseException:
            self._over = self._strict
            raise
        self._over = hop.writes is not None
        return result


class SlotThread:
    """Runs blocking calls one after the other. Results come back in batches: one wake-up of the loop for several."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self._loop = loop
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._scheduled = False
        self.freed: Callable[[SlotThread], object] | None = None
        # A daemon: a handler that never returns must not keep the process from ending.
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def call(
        self, fn: Callable[..., Any], args: tuple[Any, ...], hop: Hop | None, kwargs: Any = None
    ) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        self._work.put((fn, args, kwargs or {}, hop, future))
        return future

    def call_in_turn(
        self, fn: Callable[[Any], Any], hops: Sequence[Hop], goes_on: Callable[[], bool], strict: bool
    ) -> list[asyncio.Future[Any]]:
        """Call ``fn`` with each hop, one after the other, without a way back to the loop in between.

        :param goes_on: asked before each call; once False the rest is :data:`SKIPPED`.
        :param strict: an exception skips the rest too.
        """
        futures = [self._loop.create_future() for _ in hops]
        turn = Turn(fn, goes_on, strict)
        for hop, future in zip(hops, futures, strict=True):
            self._work.put((turn.call, (hop,), {}, hop, future))
        return futures

    def close(self) -> None:
        """End after the work given so far; does not wait."""
        self._work.put(None)

    def _run(self) -> None:
        get = self._work.get
        context = contextvars.copy_context()
        while (work := get()) is not None:
            context.run(self._one, work)
            del work

    def _one(self, work: Work) -> None:
        fn, args, kwargs, hop, future = work
        current.set(hop)
        try:
            result, error = fn(*args, **kwargs), None
        except BaseException as raised:  # noqa: BLE001 - SystemExit of a handler is its failure, not the thread's end
            result, error = None, raised
        self._done.append((future, result, error))
        if not self._scheduled:
            self._scheduled = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                return  # The loop is closed: nobody waits any more.

    def _deliver(self) -> None:
        self._scheduled = False
        while self._done:
            future, result, error = self._done.popleft()
            if self.freed is not None:
                self.freed(self)
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                # Thrown into a coroutine these two would mean something else.
                odd = isinstance(error, StopIteration | GeneratorExit)
                future.set_exception(RuntimeError(repr(error)) if odd else error)


class _Ended(Exception):
    """Carries a SystemExit or KeyboardInterrupt out of a task, where it would end the event loop of the thread, and a
    GeneratorExit, which would close the coroutine that it is thrown into."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class OwnLoop:
    """A thread with an event loop for a service whose coroutines block."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    async def call(self, fn: Callable[..., Any], args: tuple[Any, ...], hop: Hop | None, kwargs: Any = None) -> Any:
        async def entered() -> Any:
            current.set(hop)
            try:
                result = fn(*args, **(kwargs or {}))
                return await result if asyncio.iscoroutine(result) else result
            except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
                raise _Ended(error) from error

        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(entered(), self.loop))
        except _Ended as ended:
            raise ended.error from None

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._cancel_all)

    def _cancel_all(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.call_soon(self.loop.stop)


class CallThreads:
    """Threads for calls beside the queue: as many as run at once, kept for the next call."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[SlotThread] = []
        self._busy: set[SlotThread] = set()
        self._made = 0

    def call(
        self, fn: Callable[..., Any], args: tuple[Any, ...], hop: Hop | None, kwargs: Any = None
    ) -> asyncio.Future[Any]:
        if self._idle:
            thread = self._idle.pop()
        else:
            self._made += 1
            thread = SlotThread(f"{self._name} call {self._made}", asyncio.get_running_loop())
            thread.freed = self._freed
        self._busy.add(thread)
        return thread.call(fn, args, hop, kwargs)

    @property
    def busy(self) -> list[threading.Thread]:
        """The threads that run a call."""
        return [thread.thread for thread in self._busy]

    def _freed(self, thread: SlotThread) -> None:
        if thread in self._busy:
            self._busy.discard(thread)
            self._idle.append(thread)

    def close(self) -> None:
        """End the threads; one that still runs ends after its call."""
        for thread in (*self._idle, *self._busy):
            thread.close()
        self._idle.clear()
        self._busy.clear()
