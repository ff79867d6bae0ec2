"""Lines on the console."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from junctor.dialects.pip_services.components.log.console import write_line
from junctor.dialects.pip_services.components.log.log_level import LogLevel, LogLevelConverter
from junctor.dialects.pip_services.components.log.logger import Logger


class ConsoleLogger(Logger):
    """Writes ``[CORRELATION-ID:LEVEL:TIME] MESSAGE: ERROR``; fatal, error and warn to standard error, others to
    standard output, each line at once."""

    def _write(self, level: int, correlation_id: str | None, error: BaseException | None, message: str) -> None:
        stream = sys.stderr if level <= LogLevel.Warn else sys.stdout
        write_line(stream, level, line(level, correlation_id, error, message))


def line(level: int, correlation_id: str | None, error: BaseException | None, message: str) -> str:
    """A line with its end; the time is UTC with milliseconds."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    text = message if error is None else f"{message or 'Error'}: {error_text(error)}"
    return f"[{correlation_id or '---'}:{LogLevelConverter.to_string(level)}:{now}Z] {text}\n"


def error_text(error: BaseException) -> str:
    """What it says, or its class where it says nothing."""
    return str(error) or type(error).__name__
