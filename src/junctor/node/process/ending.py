"""The end of a node's process: what asks it to stop, and that it ends in time whatever services leave behind.

A stop has :data:`GRACE` seconds. :data:`PATIENCE` later the process ends by force, first by an alarm that also reaches
code which blocks the event loop, then, once the loop is closed, by a thread that watches the interpreter end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from types import FrameType, TracebackType
from typing import Any

from junctor.node.node import GRACE, Node

OK, INTERNAL, INTERRUPTED = 0, 70, 130
SAME_KEY = 0.5
"""Seconds within which a second Ctrl-C is the same one, passed on by a wrapper such as make or uv."""
PATIENCE = 1.5
"""Seconds after the grace of a stop in which it must have come to its end."""
_LOOK = 0.05  # seconds between two looks at an interpreter that ends
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Lets Ctrl-C, SIGTERM and a closed terminal stop the node, lets SIGHUP load its flows again, and ends the process
    when the stop does not end.

    Handlers of Python, not of the loop: they also run while a handler of a service blocks the loop. They stay until the
    loop is closed, because closing it waits for threads of its pool.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._strangers = set(threading.enumerate())
        self._pid = os.getpid()
        self._terminals = [number for number in range(3) if os.isatty(number)]
        self._node: Node | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first = self._until = 0.0
        self.stopped = False

    def __enter__(self) -> Ending:
        # Only the main thread may set handlers; else the program around decides.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in (*_STOPS, signal.SIGALRM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def watch(self, node: Node) -> None:
        """Let signals stop this node from now on; time runs from the moment it is asked to stop, however that is."""
        self._node, self._loop = node, asyncio.get_running_loop()
        for number, before in self._before.items():
            if number == signal.SIGALRM:
                signal.signal(number, self._out_of_patience)
            elif number == signal.SIGHUP and before is not signal.SIG_IGN:  # nohup means: live on
                signal.signal(number, self._hung_up)
            elif number != signal.SIGHUP:
                signal.signal(number, self._asked)
        node.on_asked = self._arm

    def _arm(self) -> None:
        if not self._until:
            self._until = time.monotonic() + GRACE + PATIENCE
            if self._before:
                signal.setitimer(signal.ITIMER_REAL, GRACE + PATIENCE)

    def _asked(self, number: int, frame: FrameType | None) -> Any:
        if os.getpid() != self._pid:
            signal.signal(number, signal.SIG_DFL)  # a forked child, as of multiprocessing: not the node that is meant
            os.kill(os.getpid(), number)
            return
        now = time.monotonic()
        if not self._first:
            self._first = now
            self._arm()
            reason = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
            if self._loop is not None and self._node is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._node.ask_stop, reason)
        elif number == signal.SIGINT and now - self._first > SAME_KEY:
            os.write(2, b"junctor: ended at once; accepted messages are in the store\n")
            os._exit(INTERRUPTED)

    def _hung_up(self, number: int, frame: FrameType | None) -> Any:
        """The terminal is closed, which ends the node like Ctrl-C; else somebody asks for a look at the flows."""
        if os.getpid() != self._pid or (self._terminals and not any(map(os.isatty, self._terminals))):
            self._asked(number, frame)
        elif self._loop is not None and self._node is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._node.ask_reload, "SIGHUP")

    def _out_of_patience(self, number: int, frame: FrameType | None) -> None:
        """The stop did not come to its end: something blocks the event loop, so that nothing else can tell."""
        if self.stopped:
            _leave(OK, self._left())
        where = "".join(traceback.format_stack(frame)[-4:])
        text = "junctor: ended while code blocked the event loop; nothing accepted is lost. It was here:\n"
        os.write(2, (text + where).encode())
        os._exit(INTERNAL)

    # After the loop -----------------------------------------------------------------------------------------

    def see_to_exit(self, code: int) -> None:
        """Have the process end with this code also where threads that services left keep the interpreter from ending.

        The program around may go on first, as a script does after ``run()``; its own threads are not looked at.
        """
        if self._left():
            until = self._until or time.monotonic() + PATIENCE
            threading.Thread(target=self._watch_exit, args=(code, until), name="junctor end", daemon=True).start()

    def _watch_exit(self, code: int, until: float) -> None:
        while not _interpreter_ends() or time.monotonic() < until:
            time.sleep(_LOOK)
        if left := self._left():
            _leave(code, left)

    def _left(self) -> list[threading.Thread]:
        """The threads for which the interpreter would wait."""
        main = threading.main_thread()
        return [one for one in set(threading.enumerate()) - self._strangers if not one.daemon and one is not main]


def _interpreter_ends() -> bool:
    """Whether the main thread has nothing more to do than to wait for the others."""
    main = threading.main_thread()
    frame = sys._current_frames().get(main.ident or 0)
    while frame is not None:
        if frame.f_code.co_name == "_shutdown" and frame.f_code.co_filename == threading.__file__:
            return True
        frame = frame.f_back
    return not main.is_alive()


def _leave(code: int, left: list[threading.Thread]) -> None:
    frames = sys._current_frames()
    lines = ["junctor: ended without waiting longer for what services left behind:\n"]
    for one in sorted(left, key=lambda one: one.name):
        frame = frames.get(one.ident or 0)
        place = f" at {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
        lines.append(f"  thread {one.name}{place}\n")
    if not left:
        lines.append("  a task that does not end when it is cancelled\n")
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or in use at this very moment
            stream.flush()
    with contextlib.suppress(OSError):
        os.write(2, "".join(lines).encode(errors="backslashreplace"))
    os._exit(code)
