"""Lines on the console, and in the trace of the call in which they are written."""

from __future__ import annotations

import logging
import time
from typing import IO

from junctor.core.hop import Hop, current
from junctor.core.outcome import LogLine
from junctor.dialects.pip_services.components.log.log_level import LogLevel
from junctor.observe.hidden import without_hidden
from junctor.observe.secrets import mask

_NUMBERS = {
    LogLevel.Fatal: logging.CRITICAL,
    LogLevel.Error: logging.ERROR,
    LogLevel.Warn: logging.WARNING,
    LogLevel.Info: logging.INFO,
}
"""The levels whose lines join a trace."""


def write_line(stream: IO[str], level: int, text: str) -> None:
    """Write a line at once. In a node it joins the trace of the call, with its level.

    :param level: a :class:`LogLevel`.
    :param text: the line with its end.
    """
    hop = current.get()
    if hop is not None and hop.open:
        _write_in(hop, stream, level, text)
    else:
        stream.write(text)
    stream.flush()


def _write_in(hop: Hop, stream: IO[str], level: int, text: str) -> None:
    text = without_hidden(text, hop)
    if level in _NUMBERS:
        hop.note(LogLine(time.time_ns(), _NUMBERS[level], "pip-services", mask(text.rstrip())))
    # What is printed in a hop joins its trace once more: the line has done so already, or is not meant to.
    token = current.set(None)
    try:
        stream.write(text)
    finally:
        current.reset(token)
