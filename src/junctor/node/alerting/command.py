"""An alert to a program: the text on its standard input, the notice as JSON in its environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import IO

from junctor.flows.destinations import Command
from junctor.node.alerting.limit import STOPPING
from junctor.node.alerting.notice import NotDelivered, Notice
from junctor.observe.logs import readable
from junctor.observe.secrets import mask

SECONDS = 30.0
VARIABLE = "JUNCTOR_ALERT"

_TAIL = 300
_LOOK = 0.05


def run(command: Command, notice: Notice, key: str, stopping: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Start the program, without a shell, in the folder of the node's process, and wait for its end.

    :param key: ``$JUNCTOR_ALERT_KEY``: the same for each attempt.
    :raises NotDelivered: it cannot be started, takes too long and is killed with what it started, or ends with another
        code than 0.
    """
    environment = {**os.environ, VARIABLE: notice.payload().decode(), f"{VARIABLE}_KEY": key}
    with tempfile.TemporaryFile() as text, tempfile.TemporaryFile() as errors:
        text.write(f"{notice.text}\n".encode())
        text.seek(0)
        try:
            process = subprocess.Popen(
                command.argv,
                stdin=text,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NotDelivered(f"it cannot be started: {reason}", where=command.to) from None
        code = _ended(process, stopping, seconds)
        told = _tail(errors)
    if code is None:
        raise NotDelivered(f"it did not end within {seconds:g} s and was killed{told}", where=command.to)
    if code:
        raise NotDelivered(f"it ended with code {code}{told}", where=command.to)


def _ended(process: subprocess.Popen[bytes], stopping: Callable[[], bool], seconds: float) -> int | None:
    """The exit code, None for one that was killed with its whole group."""
    end = time.monotonic() + seconds
    with process:
        while time.monotonic() < end:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                if stopping():
                    end = min(end, time.monotonic() + STOPPING)
                    stopping = _never
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return None


def _never() -> bool:
    return False


def _tail(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - _TAIL))
    text = " ".join(mask(readable(errors.read().decode("utf-8", "replace"))).split())
    return f": {text}" if text else ""
