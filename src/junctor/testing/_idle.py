"""When a flow under test is idle: nothing of it can run before time moves on or the test does something.

Exactly: no callback of the event loop is ready; no commit is under way; no thread, own loop or worker process of a
service runs its code; and every task that runs code of a service waits for the node (a reply, its clock, room in a
queue) or for another task, by a lock, an event or a queue. A ``loop()`` may also wait for the world outside.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import types
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.errors import JunctorError
from junctor.runtime.debugger import attached as debugger_attached
from junctor.runtime.engine import Engine
from junctor.runtime.host import Host
from junctor.runtime.slots import Slot
from junctor.testing._port import WAITING

if TYPE_CHECKING:
    from junctor.testing._ledger import Ledger

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

_PACKAGE = Path(__file__).parents[1]
_RUNTIME = f"{_PACKAGE / 'runtime'}/"
_TRANSPORTS = f"{_PACKAGE / 'transports'}/"
_OURS = f"{_PACKAGE}/"
_LIBRARY = str(Path(asyncio.__file__).parents[1])
_BETWEEN_TASKS = tuple(str(Path(asyncio.__file__).parent / name) for name in ("locks.py", "queues.py"))
_SLEEP = asyncio.sleep.__code__
_LOOP = Host._main.__code__
_THREAD_WAITS = Future.result.__code__
_CONDITION_WAITS = threading.Condition.wait.__code__

_PAUSES = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005)
_LONG_PAUSE = 0.01
"""Seconds between two looks at what has no future to wait for: short ones first, most code is quick."""

_LOOP_PAUSE = 0.001
"""The shortest pause of an event loop."""

_TURNS = 25
"""Turns of a loop that does not show its ready callbacks, after which it counts as having none."""


class RealSleep(UserWarning):
    """Code of a service waits with ``asyncio.sleep``, which virtual time does not move."""


class NotAtRest(JunctorError, AssertionError):
    """Time cannot move on, because code in a flow under test does not come to rest; or it would have to, for an answer
    to come."""

    code = "not-at-rest"
    default_fix = (
        "Wait with self.sleep() instead of time.sleep() or asyncio.sleep(). Code that needs longer: "
        "running(..., patience=30). A loop() that reads from outside in a thread: running(..., background=[SERVICE])."
    )

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n{self.fix}" if self.where else f"{self.what}\n{self.fix}"


NotAtRest.__module__ = RealSleep.__module__ = "junctor.testing"  # what pytest shows


class Work(msgspec.Struct, frozen=True):
    """Something that is not at rest: what it is, where in the code it is, and the future that ends its waiting."""

    what: str
    line: str = ""
    future: Any = None


class Idle:
    """:param patience: seconds of real time that code may take to come to rest.
    :param background: services whose ``loop()`` in a thread is not waited for.
    """

    def __init__(self, engine: Engine, ledger: Ledger, patience: float, background: frozenset[str]) -> None:
        self._engine = engine
        self._ledger = ledger
        self._patience = patience
        self._background = background
        self._warned: set[str] = set()

    async def reached(self, driven: asyncio.Task[Any] | None = None) -> None:
        """Return when the flow is idle, or ``driven`` is done.

        :raises AssertionError: something has not come to rest in time; the text names it and its current line.
        """
        since = time.monotonic()
        pauses, seen = iter(_PAUSES), -1
        while True:
            await self._drain()
            if driven is not None and driven.done():
                return
            work = list(self._working(driven))
            if not work:
                # A thread that came to rest during the look has asked the loop for something first.
                if await self._nothing_came(driven):
                    return
                continue
            done = self._ledger.commits
            if done != seen:
                since, seen = time.monotonic(), done
            elif time.monotonic() - since > self._patience and not debugger_attached():
                raise NotAtRest(self._restless(work))
            pause = next(pauses, _LONG_PAUSE)
            if pause < _LOOP_PAUSE:
                _let_threads_run(pause)
            else:
                await self._something_ends(work, pause)

    async def _drain(self) -> None:
        """Let the loop run until no callback is ready. Its queue is looked at where the loop shows it."""
        ready = getattr(asyncio.get_running_loop(), "_ready", None)
        if not isinstance(ready, deque):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            return
        # What the loop's thread computed: on a machine that is busy otherwise, real time says little.
        until, done = time.thread_time() + self._patience, self._ledger.commits
        await asyncio.sleep(0)
        while ready:
            await asyncio.sleep(0)
            if time.thread_time() > until:
                if done == self._ledger.commits and not debugger_attached():
                    raise NotAtRest(self._spinning())
                until, done = time.thread_time() + self._patience, self._ledger.commits

    async def _nothing_came(self, driven: asyncio.Task[Any] | None) -> bool:
        """Whether the last look still holds: no callback has become ready since."""
        ready = getattr(asyncio.get_running_loop(), "_ready", None)
        if isinstance(ready, deque):
            return not ready
        await self._drain()
        return not list(self._working(driven))

    async def _something_ends(self, work: list[Work], pause: float) -> None:
        """Wait for one of the futures; for what shows none, look again soon."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def wake(_: object = None) -> None:
            if not woken.done():
                woken.set_result(None)

        futures = {each.future for each in work if each.future is not None} | self._waited
        for future in futures:
            future.add_done_callback(wake)
        timer = loop.call_later(pause, wake)
        try:
            await woken
        finally:
            timer.cancel()
            for future in futures:
                future.remove_done_callback(wake)

    # What works ---------------------------------------------------------------------------------------------

    def _working(self, driven: asyncio.Task[Any] | None) -> Iterator[Work]:
        self._waited: set[asyncio.Future[Any]] = set()
        if self._ledger.pending:
            yield Work("the store writes", future=self._ledger.done())
        for host in list(self._engine.hosts.values()):
            yield from self._threads_of(host)
            if host.own_loop is not None:
                yield from _on_own_loop(host)
            for slot in host.slots:
                if slot.building:
                    yield Work(f"{host.address} starts its worker process")
                elif slot.remote and slot.delivery is not None and not slot.delivery.waits:
                    yield Work(f"{host.address}.{slot.delivery.name or 'handler'} in its worker process")
        here = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not here and not task.done():
                yield from self._task(task, task is driven)

    def _threads_of(self, host: Host) -> Iterator[Work]:
        threads = [] if host.service in self._background else host.threads.busy
        for thread in threads:
            frame = _frame_of(thread)
            if frame is not None and not _rests(frame):
                yield Work(f"{host.address} in a thread", _line(frame))

    def _task(self, task: asyncio.Task[Any], driven: bool) -> Iterator[Work]:
        stack = _stack(task)
        codes = [code for _, code, _ in stack]
        files = [code.co_filename for code in codes]
        ours = driven or any(file.startswith(_RUNTIME) for file in files)
        if not ours or not stack:
            return
        future = getattr(task, "_fut_waiter", None)
        if future is None or future.done():
            yield Work(task.get_name())  # woken, or not begun yet
            return
        if WAITING in codes:
            return
        last = files[-1]
        if last.startswith(_RUNTIME):
            if isinstance(future, asyncio.Future):
                self._waited.add(future)  # perhaps of a thread, whose end it tells
            slot = stack[-1][0].cr_frame.f_locals.get("self")
            if isinstance(slot, Slot):
                yield from _in_thread(slot, future)
            return
        if last in _BETWEEN_TASKS:
            return
        name, line = self._place(task, stack)
        if codes[-1] is _SLEEP:
            self._warn(name, line)
        if _LOOP in codes or (not last.startswith(_TRANSPORTS) and _at_rest(task)):
            return
        yield Work(name, line, future)

    def _place(self, task: asyncio.Task[Any], stack: list[Any]) -> tuple[str, str]:
        return task.get_name(), next((line for _, code, line in reversed(stack) if not _library(code.co_filename)), "")

    def _warn(self, name: str, line: str) -> None:
        if line in self._warned or not line:
            return
        self._warned.add(line)
        file, _, rest = line.partition(":")
        warnings.warn_explicit(
            f"{name} waits with asyncio.sleep, in real time; self.sleep() waits on the clock of the test",
            RealSleep,
            file,
            int(rest.partition(" ")[0].rstrip(":") or 0),
        )

    # What is said -------------------------------------------------------------------------------------------

    def _restless(self, work: list[Work]) -> str:
        lines = [f"time cannot move on: not at rest after {self._patience:g} s of real time"]
        lines += [f"  {each.what}" + (f"\n    at {each.line}" if each.line else "") for each in work]
        return "\n".join(lines)

    def _spinning(self) -> str:
        here = asyncio.current_task()
        runnable = [
            task for task in asyncio.all_tasks() if task is not here and getattr(task, "_fut_waiter", 1) is None
        ]
        names = [" at ".join(self._place(task, _stack(task))) for task in runnable]
        return f"time cannot move on: the event loop has been busy for {self._patience:g} s with {', '.join(names)}"


def _in_thread(slot: Slot, future: Any) -> Iterator[Work]:
    """A slot that waits for its thread: the thread may wait for the node in turn."""
    delivery, thread = slot.delivery, slot.thread
    if delivery is None or thread is None or slot.remote:
        return
    frame = _frame_of(thread)
    if frame is not None and not _rests(frame):
        name = f".{delivery.name}" if delivery.name else ""
        yield Work(f"{slot.host.address}{name} in a thread", _line(frame), future)


def _frame_of(thread: threading.Thread) -> types.FrameType | None:
    return sys._current_frames().get(thread.ident or 0)


def _let_threads_run(seconds: float) -> None:
    """The loop has nothing to do: what blocks it so briefly is not felt, and a loop cannot pause for less than 1 ms."""
    time.sleep(seconds)


def _at_rest(waiter: Any) -> bool:
    """Whether a task or future that is not known to wait for the node does so after all, through other tasks."""
    if isinstance(waiter, asyncio.Task):
        if waiter.done():
            return True
        future = getattr(waiter, "_fut_waiter", None)
        if future is None or future.done():
            return False
        stack = _stack(waiter)
        codes = [code for _, code, _ in stack]
        if WAITING in codes or (codes and codes[-1].co_filename in _BETWEEN_TASKS):
            return True
        for awaited, code, _ in reversed(stack):
            found = _awaited_by(awaited, code)
            if found is not None:
                return all(_at_rest(each) for each in found)
        return _at_rest(future)
    children = getattr(waiter, "_children", None)  # of a gather()
    return children is not None and all(_at_rest(child) for child in children)


_GROUPS = {"_wait": "fs", "wait": "fs", "wait_for": "fut"}


def _awaited_by(awaited: Any, code: types.CodeType) -> list[Any] | None:
    """The tasks that a wait of asyncio waits for, None for any other code."""
    if not code.co_filename.startswith(str(Path(asyncio.__file__).parent)):
        return None
    names = getattr(awaited.cr_frame, "f_locals", {})
    if code.co_name == "__aexit__" and hasattr(names.get("self"), "_tasks"):
        return list(names["self"]._tasks)
    found = names.get(_GROUPS.get(code.co_name, ""))
    if found is None:
        return None
    return list(found) if isinstance(found, set | frozenset | list | tuple) else [found]


def _on_own_loop(host: Host) -> Iterator[Work]:
    assert host.own_loop is not None
    loop = host.own_loop.loop
    if getattr(loop, "_ready", ()):
        yield Work(f"{host.address} on its own loop")
        return
    for task in asyncio.all_tasks(loop):
        if task.done() or _at_rest(task):
            continue
        frame = _frame_of(host.own_loop.thread)
        line = next((line for _, code, line in reversed(_stack(task)) if not _library(code.co_filename)), "")
        yield Work(f"{host.address} on its own loop", line or (_line(frame) if frame is not None else ""))


def _stack(task: asyncio.Task[Any]) -> list[tuple[Any, types.CodeType, str]]:
    """The coroutines and generators that a task is in, outermost first, with their code and ``file:line in name``."""
    found: list[tuple[Any, types.CodeType, str]] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        code = (
            getattr(awaited, "cr_code", None) or getattr(awaited, "gi_code", None) or getattr(awaited, "ag_code", None)
        )
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if code is None:
            break
        found.append((awaited, code, f"{code.co_filename}:{frame.f_lineno if frame else 0} in {code.co_name}"))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found


def _rests(frame: types.FrameType) -> bool:
    """Whether a thread waits for an answer of the node that has not come."""
    if frame.f_code is not _CONDITION_WAITS:
        return False
    # Each is asked for once: the thread may run on meanwhile, and its frames end.
    outer = frame.f_back
    caller = outer.f_back if outer is not None else None
    if outer is None or caller is None or outer.f_code is not _THREAD_WAITS:
        return False
    waited = outer.f_locals.get("self")
    return waited is not None and not waited.done() and caller.f_code.co_filename.startswith(_RUNTIME)


def _line(frame: types.FrameType | None) -> str:
    """The innermost line of the user's code."""
    at = frame
    while at is not None and _library(at.f_code.co_filename):
        at = at.f_back
    at = at or frame
    return f"{at.f_code.co_filename}:{at.f_lineno} in {at.f_code.co_name}" if at is not None else ""


def _library(file: str) -> bool:
    return file.startswith((_OURS, _LIBRARY)) and "site-packages" not in file or file.startswith("<frozen")
