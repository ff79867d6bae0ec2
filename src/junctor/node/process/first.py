"""The first process of a container: a node is its child, so that it is a process like any other.

The kernel treats process 1 differently: signals that it has no handler for are lost, and it inherits the orphans of
everybody, which stay zombies until it asks for them. A node without an init around it would have to do that beside its
own children. So it forks once, before there are threads: the parent passes signals on and collects who has ended, the
child runs the node.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType

_PASSED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGCONT,
)


def stand_aside() -> None:
    """In process 1, return in a child only, and end with its exit code; in any other process, do nothing.

    The code of a child that a signal ended is 128 and the signal's number, as shells have it.
    """
    if os.getpid() != 1 or threading.active_count() > 1:
        return
    # Until the handlers are there a signal would be lost; the child gets it when they are.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return

    def pass_on(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _PASSED:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os._exit(_collect(child))


def _collect(child: int) -> int:
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
