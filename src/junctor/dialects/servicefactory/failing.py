"""What a ``loop()`` that raises comes to: it is called again after a wait that grows, and all else goes on."""

from __future__ import annotations

import sys

from msgspec.structs import replace

from junctor.core.policy import RestartPolicy
from junctor.core.port import Port
from junctor.core.restart import RestartHistory
from junctor.observe.frames import traceback_text, users_part


class FailingLoop:
    """The failures of one ``loop()``.

    :param policy: its waits, and the time after which a failure is forgotten. There is no limit: the process of a
        service goes on for ever.
    """

    def __init__(self, port: Port, policy: RestartPolicy) -> None:
        self._port = port
        self._history = RestartHistory(replace(policy, limit=sys.maxsize))
        self.remark = ""

    def failed(self, error: Exception) -> None:
        """Tell of it, and wait; the wait ends early when the service stops."""
        delay = self._history.failed(self._port.time_ns() / 1e9)
        what = f"{type(error).__name__}: {error}"
        self.remark = f"loop() fails: {what}"
        told = traceback_text(error, users_part(error.__traceback__)).rstrip()
        self._port.log.error("loop() failed: %s; it is called again in %.1f s\n%s", what, delay, told)
        self._port.sleep(delay or 0.0).result()

    def over(self) -> None:
        """It returned."""
        self.remark = ""
