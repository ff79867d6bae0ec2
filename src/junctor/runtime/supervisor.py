"""The only maker of tasks. Every task has a name, an owner and somebody who hears of its failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any

log = logging.getLogger("junctor.supervisor")

Failed = Callable[[BaseException], object]


def is_cancelled() -> bool:
    """Whether the running task is cancelled from above. Code that raises CancelledError by itself has just failed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def begun(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Do work at once, up to where it first waits, in a context of its own; the task that does the rest, None where
    there is none. What it raises before it waits comes out of here.

    Code that belongs into a task, as that of a user does, begins behind :func:`in_task`.
    """
    context = Context()
    try:
        waits_for = context.run(work.send, None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_rest(work, waits_for), context=context)


@coroutine
def in_task() -> Generator[None, None, None]:
    """Return as a part of a task, as timeouts, groups and cancelling need it."""
    if asyncio.current_task() is None:
        yield


async def _rest(work: Coroutine[Any, Any, None], at: Any) -> None:
    """The rest of a coroutine that has begun outside of a task: the step at which it stands is taken once more."""
    await _resumed(work, at)


@coroutine
def _resumed(work: Coroutine[Any, Any, None], at: Any) -> Generator[Any, Any, None]:
    try:
        yield at
    except BaseException as error:  # noqa: BLE001 - it is the coroutine's
        try:
            at = work.throw(error)
        except StopIteration:
            return
        yield at
    yield from work


class Supervisor:
    """Starts tasks, keeps them referenced, reports what ends badly, and ends them all at the close."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, Any], failed: Failed | None = None) -> asyncio.Task[Any]:
        """Run ``work`` as a task of the running loop.

        :param failed: called with the exception that ended it; without it the exception is logged.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, failed))
        return task

    def _ended(self, task: asyncio.Task[Any], failed: Failed | None) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if failed is not None:
            failed(error)
        else:
            log.error("%s ended with %r", task.get_name(), error, exc_info=error)

    async def end(self, *tasks: asyncio.Task[Any], grace: float = 0.0) -> None:
        """Wait up to ``grace`` seconds for the tasks, cancel the others, and return when all have ended."""
        alive = {task for task in tasks if not task.done() and task is not asyncio.current_task()}
        if alive and grace > 0:
            _, alive = await asyncio.wait(alive, timeout=grace)
        for task in alive:
            task.cancel()
        if alive:
            await asyncio.wait(alive, timeout=2.0)
        for task in alive:
            if not task.done():
                log.error("%s does not stop; it is left behind", task.get_name())

    async def aclose(self) -> None:
        await self.end(*self._tasks)
