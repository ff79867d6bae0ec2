"""Code on the event loop that is about to wait for another program.

What it waits for may be an answer of this very node, which cannot come while the loop waits: the node would stand still
for ever. The interpreter tells of such steps before they are done (PEP 578), early enough to do them elsewhere.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

_STEPS = frozenset(
    {
        *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "http.client.send"),
        *("subprocess.Popen", "os.system"),
    }
)
_thread = threading.local()


class MustWait(BaseException):
    """The call would wait; it is to be made in a thread. No ``except Exception`` of a program stops it."""


def without_waiting(call: Callable[..., Any], kwargs: Mapping[str, Any]) -> Any:
    """What a call returns.

    :raises MustWait: it has come to a step that waits. What it did before is done.
    """
    _watch()
    _thread.watched, _thread.came = True, False
    try:
        result = call(**kwargs)
    finally:
        _thread.watched = False
    if _thread.came:  # a bare except has swallowed it
        raise MustWait
    return result


@functools.cache
def _watch() -> None:
    sys.addaudithook(_step)


def _step(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _STEPS and getattr(_thread, "watched", False):
        _thread.came = True
        raise MustWait(event)
