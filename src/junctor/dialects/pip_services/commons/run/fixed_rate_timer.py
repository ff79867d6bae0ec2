"""A call that is made again and again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.run.interfaces import IClosable, INotifiable
from junctor.dialects.pip_services.commons.run.parameters import Parameters

logger = logging.getLogger(__name__)


class FixedRateTimer(IClosable):
    """Calls from a thread of its own, at a fixed rate: a call that takes long delays the next, but not those after it.

    A call that fails is logged; the timer goes on.

    :param task_or_object: what to call without arguments, or a component whose ``notify`` is called.
    :param interval: milliseconds from one call to the next.
    :param delay: milliseconds before the first.
    """

    def __init__(self, task_or_object: Any = None, interval: float | None = None, delay: float | None = None) -> None:
        self._task: INotifiable | None = None
        self._callback: Callable[[], Any] | None = None
        self._interval = interval
        self._delay = delay
        self._stopped: threading.Event | None = None
        self._lock = threading.Lock()
        if task_or_object is not None:
            self.set_task(task_or_object)

    def get_task(self) -> INotifiable | None:
        return self._task

    def set_task(self, value: Any) -> None:
        """Takes a component with ``notify``, or a function."""
        if callable(getattr(value, "notify", None)):
            self._task = value
            self._callback = lambda: value.notify("pip-commons-timer", Parameters())
        else:
            self._task, self._callback = None, value

    def get_callback(self) -> Callable[[], Any] | None:
        return self._callback

    def set_callback(self, value: Callable[[], Any] | None) -> None:
        self._task, self._callback = None, value

    def get_delay(self) -> float | None:
        return self._delay

    def set_delay(self, value: float | None) -> None:
        self._delay = value

    def get_interval(self) -> float | None:
        return self._interval

    def set_interval(self, value: float | None) -> None:
        self._interval = value

    def is_started(self) -> bool:
        return self._stopped is not None

    def start(self) -> None:
        """Starts anew where it runs already; does nothing without an interval above 0."""
        self.stop()
        if not self._interval or self._interval <= 0:
            return
        with self._lock:
            self._stopped = threading.Event()
            arguments = (self._stopped, (self._delay or 0) / 1000, self._interval / 1000)
            # A daemon: a timer that was never stopped must not keep a process alive.
            threading.Thread(target=self._run, args=arguments, name="pip-timer", daemon=True).start()

    def stop(self) -> None:
        """Makes no further call; one that is under way ends by itself."""
        with self._lock:
            stopped, self._stopped = self._stopped, None
        if stopped is not None:
            stopped.set()

    def close(self, correlation_id: str | None) -> None:
        self.stop()

    def _run(self, stopped: threading.Event, delay: float, interval: float) -> None:
        due = time.monotonic() + delay
        while not stopped.wait(max(0.0, due - time.monotonic())):
            self._call()
            due = max(due + interval, time.monotonic())

    def _call(self) -> None:
        try:
            if self._callback is not None:
                self._callback()
        except Exception:  # code of the program: the timer outlives it
            logger.exception("a call of a timer failed")
