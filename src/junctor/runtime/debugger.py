"""Whether somebody looks at this process with a debugger: then time limits rest.

A process that stands at a breakpoint is neither slow nor dead. While a debugger is attached no request runs out of
time, the loop's watchdog is silent, systemd's is fed, and failures spend no attempts.

Known are debugpy and PyCharm (a connected client), pdb and whatever else is built on :mod:`bdb` (found on the stacks of
the threads, so also while it waits for a command), and from Python 3.12 on a registered ``sys.monitoring`` debugger.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_STEPPERS = frozenset({"bdb", "pdb"})
_DEPTH = 400
"""Frames of a thread that are looked at."""

KEPT = 64
"""Standstills that are remembered; older ones have no request that waits since then."""


def attached() -> bool:
    """Whether a debugger is attached now. Takes some microseconds; not for the way of every message."""
    return _client_connected() or _monitored() or _stepping()


def _client_connected() -> bool:
    modules = sys.modules
    debugpy: Any = modules.get("debugpy")
    if debugpy is not None and hasattr(debugpy, "is_client_connected"):
        return bool(debugpy.is_client_connected())
    pydevd: Any = modules.get("pydevd")
    find = getattr(pydevd, "get_global_debugger", None)
    return find is not None and find() is not None


def _monitored() -> bool:
    monitoring: Any = getattr(sys, "monitoring", None)
    tool = monitoring.get_tool(monitoring.DEBUGGER_ID) if monitoring is not None else None
    # pydevd, which is inside debugpy, stays registered while no client is connected.
    return tool is not None and not ("pydevd" in sys.modules and "pydevd" in tool)


def _stepping() -> bool:
    """Whether a thread is in the hands of something like pdb. Coverage and profilers trace too, and are no debugger."""
    if "bdb" not in sys.modules:
        return False
    trace = threading.gettrace()
    if trace is not None and getattr(trace, "__module__", "") in _STEPPERS:
        return True
    return any(map(_is_stepped, sys._current_frames().values()))


def _is_stepped(frame: Any) -> bool:
    for _ in range(_DEPTH):
        if frame is None:
            return False
        if frame.f_globals.get("__name__") in _STEPPERS:
            return True
        trace = frame.f_trace
        if trace is not None and getattr(trace, "__module__", "") in _STEPPERS:
            return True
        frame = frame.f_back
    return False


class Standstills:
    """When a debugger was attached, as seen by who looks in regularly. Times are nanoseconds since 1970.

    ``now``: it was at the ``last`` look; ``stood`` is the sum of all times.
    """

    def __init__(self, look: Callable[[], bool] = attached) -> None:
        self._attached = look
        self.now = False
        self.stood = 0
        self.last = time.time_ns()
        self._spans: list[tuple[int, int]] = []

    def look(self) -> bool:
        """Look whether a debugger is attached; the time since the last look counts as stood then, and so does the time
        from the last look at it to the one that finds it gone."""
        before, since = self.now, self.last
        found = self._attached()
        at = time.time_ns()
        if found or before:
            self.stood += at - since
            if self._spans and self._spans[-1][1] == since:
                since = self._spans.pop()[0]
            self._spans = [*self._spans[-KEPT:], (since, at)]
        self.now, self.last = found, at
        return found

    def since(self, instant: int) -> int:
        """Nanoseconds stood since an instant."""
        return sum(end - max(begin, instant) for begin, end in self._spans if end > instant)

    def late(self, now: int, deadline: int, began: int) -> bool:
        """Whether a deadline has passed for something that began at ``began``, the time stood not counted."""
        return now > deadline and not self.now and now > deadline + self.since(began)
