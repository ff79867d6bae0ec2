"""Components are closed one after the other, and none of them keeps the others from it."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections.abc import Callable

from junctor.dialects.pip_services.commons.errors import InvalidStateException

_LOOK = 0.05  # seconds between two looks at a component that takes its time
_SHARE = 0.75
"""What one component may use of the time that is left for all that are still to be closed."""


class Closing:
    """Closes components in their order. One that does not come to its end within its share of the time is named, and
    the others are closed meanwhile. Without :meth:`limit` there is time for all.
    """

    def __init__(self) -> None:
        self._until = math.inf
        self._seconds = math.inf
        self._late: list[_Call] = []
        self._now = ""

    @property
    def current(self) -> str:
        """The names of the components that are being closed, empty for none."""
        return ", ".join(filter(None, [*(call.component for call in self._late), self._now]))

    def limit(self, seconds: float) -> None:
        """From now on there is so much time for all; callable from any thread."""
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def __call__(self, component: str, close: Callable[[], object]) -> None:
        """Close one. What it raises comes out, unless it takes too long: then it comes with :meth:`finish`."""
        call = _Call(component, close)
        begun, self._now = time.monotonic(), component
        # Asked again and again: the time may be limited meanwhile.
        while not call.ended(_LOOK) and time.monotonic() < begun + (self._until - begun) * _SHARE:
            pass
        self._now = ""
        if not call.ended(0):
            self._late.append(call)
        elif call.error is not None:
            raise call.error

    def finish(self) -> list[Exception]:
        """Wait for those that take long, as far as the time allows. The errors of those that raised or did not end."""
        for call in self._late:
            while not call.ended(_LOOK) and time.monotonic() < self._until:
                pass
        errors = [self._error_of(call) for call in self._late]
        self._late = [call for call in self._late if not call.ended(0)]
        return [error for error in errors if error is not None]

    def _error_of(self, call: _Call) -> Exception | None:
        if not call.ended(0):
            message = f"{call.component} did not close within {self._seconds:.1f} s; it is left as it is"
            return InvalidStateException(None, "NOT_CLOSED", message)
        if call.error is not None:
            call.error.add_note(f"in close of {call.component}")
        return call.error if isinstance(call.error, Exception) else None


class _Call:
    """One component that is being closed, in a thread of its own: a daemon, so that it does not keep the process."""

    def __init__(self, component: str, close: Callable[[], object]) -> None:
        self.component = component
        self.error: BaseException | None = None
        self._close = close
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name=f"close {component}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._close()
        except BaseException as error:  # noqa: BLE001 - it comes out where the container is closed
            self.error = error

    def ended(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()
