"""Threads for code that blocks: one a slot, and one with an event loop of its own where a service asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from junctor.core.hop import Hop, current

Work = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], "Hop | None", "asyncio.Future[Any]"]


PROBATION = 20
"""Calls, at least, before the next ones may share a thread."""
LONGEST = 1_000_000
"""Calls, at most, before that."""
QUICK = 0.001
"""Seconds that most of them may take for it."""
BETWEEN = 0.001
"""Seconds between two looks at a thread that is shared."""
WAITS = 0.02
"""Seconds after which one that has still not gone on is known to wait."""
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


class CallThread(SlotThread):
    """A thread of :class:`CallThreads`. ``pending`` are the calls that it has been given and that are not over; ``ran``
    counts those that are, ``slow`` the ones among them that took longer than :data:`QUICK`. ``watched``: somebody looks
    soon whether it keeps up."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.pending = self.ran = self.slow = 0
        self.watched = False
        super().__init__(name, loop)

    def call(
        self, fn: Callable[..., Any], args: tuple[Any, ...], hop: Hop | None, kwargs: Any = None
    ) -> asyncio.Future[Any]:
        self.pending += 1
        return super().call(fn, args, hop, kwargs)

    def not_begun(self) -> list[Work]:
        """Take back what it has not begun."""
        works: list[Work] = []
        with contextlib.suppress(queue.Empty):
            while (work := self._work.get_nowait()) is not None:
                works.append(work)
            self.close()  # that was to be the last, and is again
        self.pending -= len(works)
        return works

    def give(self, work: Work) -> None:
        """Let it do what was taken back from another one."""
        self.pending += 1
        self._work.put(work)

    def _one(self, work: Work) -> None:
        began = perf_counter()
        super()._one(work)
        self.ran += 1
        self.slow += perf_counter() - began > QUICK


class CallThreads:
    """Threads for calls beside the queue: as many as run at once, kept for the next call.

    To wake a thread costs more than most small functions do. While nearly all calls of a service are quick, those that
    come at once share a thread, as long as it keeps up. What lies behind one that waits goes to threads of its own a
    moment later, and from then on all do, each time for longer.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[CallThread] = []
        self._busy: set[CallThread] = set()
        self._made = 0
        self._shared: CallThread | None = None
        self._shares = self._closed = False
        self._probation = self._left = PROBATION
        self._slow = 0

    def call(
        self, fn: Callable[..., Any], args: tuple[Any, ...], hop: Hop | None, kwargs: Any = None
    ) -> asyncio.Future[Any]:
        """Make a call in a thread that has nothing else to do."""
        thread = self._free()
        if thread is self._shared:
            self._shared = None
        return thread.call(fn, args, hop, kwargs)

    def share(
        self, fn: Callable[..., Any], args: tuple[Any, ...], hop: Hop | None, kwargs: Any = None
    ) -> asyncio.Future[Any]:
        """Make one of many calls that may be quick."""
        if not self._shares:
            return self.call(fn, args, hop, kwargs)
        thread = self._shared
        if thread is None or not thread.pending:
            thread = self._shared = self._free()
        elif not thread.watched:
            self._watch(thread)
        return thread.call(fn, args, hop, kwargs)

    @property
    def busy(self) -> list[threading.Thread]:
        """The threads that run a call."""
        return [thread.thread for thread in self._busy]

    def _free(self) -> CallThread:
        if self._idle:
            thread = self._idle.pop()
        else:
            self._made += 1
            thread = CallThread(f"{self._name} call {self._made}", asyncio.get_running_loop())
            thread.freed = self._freed
        self._busy.add(thread)
        return thread

    def _watch(self, thread: CallThread) -> None:
        thread.watched = True
        asyncio.get_running_loop().call_later(BETWEEN, self._look, thread, thread.ran)

    def _look(self, thread: CallThread, ran: int) -> None:
        """Whether a thread with several calls keeps up. Where it does not, what lies there goes on in another one."""
        thread.watched = False
        if thread.pending < 2:
            return
        if thread.ran != ran:
            self._watch(thread)
            return
        works = thread.not_begun()
        if not works:
            return
        other = self._free()
        if self._shared is thread:
            self._shared = other
        for work in works:
            other.give(work)
        if self._closed:
            other.close()
        self._watch(other)
        asyncio.get_running_loop().call_later(WAITS, self._look_back, thread, ran, other, other.ran)

    def _look_back(self, thread: CallThread, ran: int, other: CallThread, other_ran: int) -> None:
        """Whether the thread waits, and was not only kept from the interpreter lock as all of them were."""
        if thread.pending and thread.ran == ran and other.ran != other_ran:
            self._probation = min(self._probation * 10, LONGEST)
            self._part()

    def _freed(self, thread: SlotThread) -> None:
        assert isinstance(thread, CallThread)
        thread.pending -= 1
        if not thread.pending and thread in self._busy:
            self._busy.discard(thread)
            self._idle.append(thread)
        self._judge(thread)

    def _judge(self, thread: CallThread) -> None:
        # A number that two threads change at once may lose a call; it need not be exact.
        slow, thread.slow = thread.slow, 0
        if self._shares:
            return  # here the looks tell: on a busy loop each call waits for the interpreter lock, and seems slow
        self._slow += slow
        self._left -= 1
        if self._left <= 0:
            # Threads wait for each other: a quick call among many takes its time, too. The share of slow ones tells.
            self._shares = self._slow * 4 <= PROBATION
            self._left, self._slow = PROBATION, 0

    def _part(self) -> None:
        """Let each call have a thread of its own for a while."""
        self._shares, self._shared, self._left, self._slow = False, None, self._probation, 0

    def close(self) -> None:
        """End the threads; one that still runs ends after its calls."""
        self._closed = True
        for thread in (*self._idle, *self._busy):
            thread.close()
        self._idle.clear()
        self._busy.clear()
