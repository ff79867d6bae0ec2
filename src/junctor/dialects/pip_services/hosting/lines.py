"""What the node and libraries log, in the log of the container."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from junctor.dialects.pip_services.components.log import LogLevel
from junctor.dialects.pip_services.container.container import Container
from junctor.observe.frames import traceback_text, users_part

_LEVELS = ((logging.CRITICAL, LogLevel.Fatal), (logging.ERROR, LogLevel.Error), (logging.WARNING, LogLevel.Warn))


def join_lines(container: Container) -> Callable[[], None]:
    """Write warnings and errors to the loggers of a container, unless the program has set up logging of its own.
    Answers the undo."""
    root = logging.getLogger()
    if root.handlers:
        return lambda: None
    handler = _Lines(container)
    root.addHandler(handler)
    return lambda: root.removeHandler(handler)


class _Lines(logging.Handler):
    def __init__(self, container: Container) -> None:
        super().__init__(logging.WARNING)
        self._container = container
        self._inside = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        # A logger of the container may write to the logging of Python itself.
        if getattr(self._inside, "now", False):
            return
        self._inside.now = True
        try:
            self._container.log(_level(record.levelno), _text(record))
        finally:
            self._inside.now = False


def _level(number: int) -> int:
    return next((level for least, level in _LEVELS if number >= least), LogLevel.Info)


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        text = f"{text}\n{traceback_text(record.exc_info[1], users_part(record.exc_info[2]))}"
    return text.rstrip()
