"""A process that ends by itself, to see what others make of it."""

from __future__ import annotations

import os
import random
import traceback
from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.errors import ApplicationException
from junctor.dialects.pip_services.commons.run import FixedRateTimer, IOpenable


class SetInterval:
    """Calls a function again and again, from a thread of its own, until ``stop()``.

    :param interval: seconds between two calls.
    """

    def __init__(self, action: Callable[[], Any], interval: float) -> None:
        self._timer = FixedRateTimer(action, interval * 1000, interval * 1000)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    cancel = stop


class Shutdown(IReconfigurable, IOpenable):
    """Ends the process by a crash after a while.

    Parameters: ``mode`` "null" or "zero" (an error of Python), "exception", "exit" (exit code 1);
    ``min_timeout`` (300000 ms) and ``max_timeout`` (900000 ms) from the opening.
    """

    def __init__(self) -> None:
        self._mode = "exception"
        self._min_timeout = 300_000
        self._max_timeout = 900_000
        self._timer: FixedRateTimer | None = None

    def configure(self, config: ConfigParams) -> None:
        self._mode = config.get_as_string_with_default("mode", self._mode)
        self._min_timeout = config.get_as_integer_with_default("min_timeout", self._min_timeout)
        self._max_timeout = config.get_as_integer_with_default("max_timeout", self._max_timeout)

    def is_open(self) -> bool:
        return self._timer is not None

    def open(self, correlation_id: str | None) -> None:
        self.close(correlation_id)
        timeout = random.uniform(self._min_timeout, max(self._min_timeout, self._max_timeout))
        self._timer = FixedRateTimer(self.shutdown, timeout, timeout)
        self._timer.start()

    def close(self, correlation_id: str | None) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def shutdown(self) -> None:
        """Do it now: end the process, as a crash would."""
        if self._mode != "exit":
            try:
                self._fail()
            except Exception:  # noqa: BLE001 - raised to be shown
                traceback.print_exc()
        os._exit(1)

    def _fail(self) -> None:
        if self._mode in ("null", "nullpointer"):
            raise AttributeError("'NoneType' object has no attribute 'shutdown'")
        if self._mode in ("zero", "dividebyzero"):
            raise ZeroDivisionError("division by zero")
        raise ApplicationException("test", None, "CRASH", "Crash test exception")
