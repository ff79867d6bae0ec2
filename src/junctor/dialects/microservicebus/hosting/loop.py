"""The event loop of one service, in a thread of its own, because existing code blocks inside ``async def``.

What comes or ends in one turn of a loop crosses together: a wake-up of another thread costs more than a small action.
While code blocks the loop, what waits for it for longer than :data:`PATIENCE` is done by a second one: an action is not
kept waiting by a ``Start`` that sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from junctor.core.hop import Hop, current
from junctor.runtime.supervisor import Supervisor

log = logging.getLogger("junctor.microservicebus")

PATIENCE = 1.0
"""Seconds that a call waits for a loop that is blocked."""

Outcome = tuple["Work", Any, "BaseException | None"]


class Course:
    """One call of an action, as the tasks that it starts see it: ``over`` when it has returned. What they send from
    then on is their own."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


course: ContextVar[Course | None] = ContextVar("junctor_msb_course", default=None)


class Lane:
    """A thread with an event loop.

    :param first: called in the thread before the loop runs.
    """

    def __init__(self, name: str, first: Callable[[], object] | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.supervisor = Supervisor()
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
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.call_soon(self.loop.stop)


class Work:
    """A call on its way. ``future`` belongs to the loop of the caller."""

    __slots__ = ("args", "fn", "future", "hop", "lane", "since", "task")

    def __init__(
        self, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], hop: Hop | None, future: Any
    ) -> None:
        self.fn = fn
        self.args = args
        self.hop = hop
        self.future = future
        self.since = time.monotonic()
        self.task: asyncio.Task[Any] | None = None
        self.lane: Lane | None = None


class ServiceLoop:
    """Runs the coroutines of one service. Made on the loop of the node, which calls it.

    :param blocked: called on the node's loop when code has blocked the loop for :data:`PATIENCE` while work waits.
    """

    def __init__(self, name: str, blocked: Callable[[], object] | None = None) -> None:
        self._name = name
        self._home = asyncio.get_running_loop()
        self._main: Lane
        self._spare: Lane | None = None
        self._blocked = False
        self._tell = blocked
        self._waiting: dict[Work, None] = {}
        self._new: deque[Work] = deque()
        self._done: deque[Outcome] = deque()
        self._woken = self._returning = False
        self._look_at: asyncio.TimerHandle | None = None
        self._opened = self.closed = False

    async def open(self, first: Callable[[], object]) -> None:
        """Start the thread, and call a function in it before its loop runs: what that raises comes out of here."""
        done: asyncio.Future[None] = self._home.create_future()

        def enter() -> None:
            error: BaseException | None = None
            try:
                first()
            except BaseException as raised:  # noqa: BLE001 - it is the failure of the service
                error = raised
            with contextlib.suppress(RuntimeError):  # the node has ended
                self._home.call_soon_threadsafe(_end, done, None, error)

        self._main = Lane(self._name, enter)
        self._opened = True
        await done

    async def call(self, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], hop: Hop | None) -> Any:
        """Call a coroutine function there; on the node's loop. Calls begin in the order in which they came.

        A cancellation goes on to the task.
        """
        work = self.begin(fn, args, hop)
        try:
            return await work.future
        except asyncio.CancelledError:
            if work.future.cancelled():
                self.cancel(work)
            raise

    def begin(self, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], hop: Hop | None) -> Work:
        """The same without waiting; ``future`` of the work has the end."""
        work = Work(fn, args, hop, self._home.create_future())
        self._waiting[work] = None
        self._new.append(work)
        if not self._woken:
            self._woken = True
            self._home.call_soon(self._main.soon, self._take)
        if self._blocked and self._spare is not None:
            self._spare.soon(self._take_over, self._spare)
        if self._look_at is None:
            self._look_at = self._home.call_later(PATIENCE, self._look)
        return work

    def cancel(self, work: Work) -> None:
        """Cancel what it does, or that it is done."""
        self._waiting.pop(work, None)
        if work.lane is not None and work.task is not None:
            work.lane.soon(work.task.cancel)

    def close(self) -> None:
        """End both loops; what still runs is cancelled. Does not wait."""
        self.closed = True
        if self._look_at is not None:
            self._look_at.cancel()
        if self._opened:
            self._main.close()
        if self._spare is not None:
            self._spare.close()

    # On the loops of the service ------------------------------------------------------------------------------

    def _take(self) -> None:
        self._woken = self._blocked = False
        start, new, name = self._main.supervisor.start, self._new, self._name
        while new:
            work = new.popleft()
            # The task copies the context of this callback.
            current.set(work.hop)
            start(name, self._do(work, self._main))

    def _take_over(self, lane: Lane) -> None:
        for work in list(self._waiting):
            current.set(work.hop)
            lane.supervisor.start(self._name, self._do(work, lane))

    async def _do(self, work: Work, lane: Lane) -> None:
        if self._waiting.pop(work, self) is self:
            return  # another loop does it, or nobody wants it any more
        work.lane, work.task = lane, asyncio.current_task()
        course.set(run := Course())
        try:
            result, error = await work.fn(*work.args), None
            await asyncio.sleep(0)  # what it has started with create_task() and left alone belongs to it
        except BaseException as raised:  # noqa: BLE001 - SystemExit of an action is its failure, not the end of the loop
            result, error = None, raised
        run.over = True
        self._done.append((work, result, error))
        if not self._returning:
            self._returning = True
            lane.loop.call_soon(self._return)

    def _return(self) -> None:
        """What has ended in this turn of a loop of the service goes back together."""
        with contextlib.suppress(RuntimeError):  # the node has ended: nobody waits any more
            self._home.call_soon_threadsafe(self._deliver)

    # On the loop of the node ----------------------------------------------------------------------------------

    def _deliver(self) -> None:
        self._returning = False
        while self._done:
            work, result, error = self._done.popleft()
            _end(work.future, result, error)

    def _look(self) -> None:
        """Whether the oldest work has waited for too long: then the second loop takes what waits."""
        self._look_at = None
        waiting = list(self._waiting)
        if not waiting or self.closed:
            return
        late = time.monotonic() - waiting[0].since
        if late >= PATIENCE:
            self._help()
        self._look_at = self._home.call_later(max(0.05, PATIENCE - late), self._look)

    def _help(self) -> None:
        if not self._blocked and self._tell is not None:
            self._tell()
        self._blocked = True
        if self._spare is None:
            self._spare = Lane(f"{self._name} (second)")
        self._spare.soon(self._take_over, self._spare)


def _end(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    """Give a future its end, unless nobody waits any more."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        # Thrown into a coroutine these two would mean something else.
        odd = isinstance(error, StopIteration | GeneratorExit)
        future.set_exception(RuntimeError(repr(error)) if odd else error)
