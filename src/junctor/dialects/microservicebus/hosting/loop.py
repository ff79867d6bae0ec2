"""The event loop of one service, in a thread of its own, because existing code blocks inside ``async def``.

What comes or ends in one turn of a loop crosses together: a wake-up of another thread costs more than a small action.
While code blocks the loop, what waits for it for longer than :data:`PATIENCE` is done by a second one: an action is not
kept waiting by a ``Start`` that sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from junctor.core.hop import Hop, current
from junctor.dialects.microservicebus.hosting.lane import Lane
from junctor.dialects.microservicebus.hosting.work import Work, course

PATIENCE = 1.0
"""Seconds that a call waits for a loop that is blocked."""

_LOOK = PATIENCE / 2
"""Seconds between two looks at what is under way. What is late is asked for first: the machine may just be busy."""


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
        self._ended: dict[Work, None] = {}
        self._done: deque[Work] = deque()
        self._woken = False
        self._under_way = 0
        self._asked: float | None = None
        self._look_at: asyncio.TimerHandle | None = None
        self._opened = self.closed = self._retired = False

    def at_home(self, call: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """A coroutine function that runs on the loop of the node, whichever loop calls it: a flow may say ``loop: own``
        of a service, which has one already."""

        async def called(*args: Any) -> Any:
            if asyncio.get_running_loop() is self._home:
                return await call(*args)
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(*args), self._home))

        return called

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

    def begin(
        self,
        fn: Callable[..., Coroutine[Any, Any, Any]],
        args: tuple[Any, ...],
        hop: Hop | None,
        lasts: bool = False,
    ) -> Work:
        """The same without waiting; ``future`` of the work has the end."""
        work = Work(fn, args, hop, self._home.create_future())
        work.lasts = lasts
        self._under_way += not lasts
        self._waiting[work] = None
        if not self._blocked:  # else it takes all that waits when it goes on; one that never does must not gather them
            self._new.append(work)
        if not self._woken:
            self._woken = True
            self._home.call_soon(self._main.soon, self._take)
        if self._blocked and self._spare is not None:
            self._call_spare(self._spare)
        if self._look_at is None:
            self._look_at = self._home.call_later(_LOOK, self._look)
        return work

    def cancel(self, work: Work) -> None:
        """Cancel what it does, or that it is done."""
        if self._waiting.pop(work, self) is None:
            self._under_way -= not work.lasts
            self._close_where_retired()
        elif work.lane is not None and work.task is not None:
            work.lane.soon(work.task.cancel)

    def retire(self) -> None:
        """Close once nothing is under way but what may run for ever."""
        self._retired = True
        self._close_where_retired()

    def _close_where_retired(self) -> None:
        if self._retired and self._under_way <= 0 and not self.closed:
            self.close()

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
        was_blocked, self._woken, self._blocked = self._blocked, False, False
        self._asked = None
        start, new, name = self._main.supervisor.start, self._new, self._name
        while new:
            work = new.popleft()
            # The task copies the context of this callback.
            current.set(work.hop)
            start(name, self._do(work, self._main))
        if was_blocked:
            self._take_over(self._main)

    def _take_over(self, lane: Lane) -> None:
        lane.called = False
        for work in list(self._waiting):
            current.set(work.hop)
            lane.supervisor.start(self._name, self._do(work, lane))

    async def _do(self, work: Work, lane: Lane) -> None:
        if self._waiting.pop(work, self) is self:
            return  # another loop does it, or nobody wants it any more
        work.lane, work.task = lane, asyncio.current_task()
        course.set(work.course)
        try:
            work.result = await work.fn(*work.args)
        except BaseException as raised:  # noqa: BLE001 - SystemExit of an action is its failure, not the end of the loop
            work.error = raised
        self._ended[work] = None
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # what it has started with create_task() and left alone belongs to it
        work.course.over = True
        if self._ended.pop(work, self) is self:
            return  # it was taken meanwhile
        self._done.append(work)
        if not lane.returning:
            lane.returning = True
            lane.loop.call_soon(self._return, lane)

    def _return(self, lane: Lane) -> None:
        """What has ended in this turn of a loop of the service goes back together."""
        with contextlib.suppress(RuntimeError):  # the node has ended: nobody waits any more
            self._home.call_soon_threadsafe(self._returned, lane)

    def _answer(self) -> None:
        """The loop is not blocked."""
        self._asked = None

    # On the loop of the node ----------------------------------------------------------------------------------

    def _returned(self, lane: Lane) -> None:
        lane.returning = False
        self._deliver()

    def _deliver(self) -> None:
        while self._done:
            self._take_back(self._done.popleft())

    def _take_back(self, work: Work) -> None:
        self._under_way -= not work.lasts
        _end(work.future, work.result, work.error)
        self._close_where_retired()

    def _look(self) -> None:
        """Whether something waits for too long: then the second loop takes it. What has ended before code blocked its
        loop goes back now."""
        self._look_at = None
        self._deliver()
        for work in list(self._ended):
            if self._ended.pop(work, self) is None:
                work.course.over = True
                self._take_back(work)
        waiting = list(self._waiting)
        if self.closed or not (waiting or self._under_way):
            return
        now = time.monotonic()
        if waiting and now - waiting[0].since >= _LOOK:
            if self._asked is None:
                self._asked = now
                self._main.soon(self._answer)
            elif now - self._asked >= _LOOK * 0.9:
                self._help()
        self._look_at = self._home.call_later(_LOOK, self._look)

    def _help(self) -> None:
        if not self._blocked and self._tell is not None:
            self._tell()
        self._blocked = True
        if self._spare is None:
            self._spare = Lane(f"{self._name} (second)")
        self._call_spare(self._spare)

    def _call_spare(self, spare: Lane) -> None:
        """Once until it comes: it may be blocked, too."""
        if not spare.called:
            spare.called = True
            spare.soon(self._take_over, spare)


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
