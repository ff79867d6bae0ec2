"""The base class of loggers."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferenceable, IReferences
from junctor.dialects.pip_services.components.log.interfaces import ILogger
from junctor.dialects.pip_services.components.log.log_level import LogLevel, LogLevelConverter

_CONTEXT = Descriptor("pip-services", "context-info", "*", "*", "1.0")


class Logger(ILogger, IReconfigurable, IReferenceable):
    """Keeps the level and makes the texts; subclasses write ``_write``.

    Parameters: ``level`` (info), ``source`` (the name in the context information).
    """

    def __init__(self) -> None:
        self._level = LogLevel.Info
        self._source: str | None = None

    def configure(self, config: ConfigParams) -> None:
        self._level = LogLevelConverter.to_log_level(config.get("level"), self._level)
        self._source = config.get_as_string_with_default("source", self._source)

    def set_references(self, references: IReferences) -> None:
        context = references.get_one_optional(_CONTEXT)
        if context is not None and self._source is None:
            self._source = context.name

    def get_level(self) -> int:
        return self._level

    def set_level(self, level: int) -> None:
        self._level = level

    def get_source(self) -> str | None:
        return self._source

    def set_source(self, source: str | None) -> None:
        self._source = source

    def _write(self, level: int, correlation_id: str | None, error: BaseException | None, message: str) -> None:
        """Write a line. Called only where the level asks for it."""
        raise NotImplementedError(f"{type(self).__name__}._write is not written")

    def _format_and_write(
        self, level: int, correlation_id: str | None, error: BaseException | None, message: str | None, *args: Any
    ) -> None:
        if level <= self._level:
            self._write(level, correlation_id, error, formatted(message, args))

    def log(
        self, level: int, correlation_id: str | None, error: BaseException | None, message: str, *args: Any
    ) -> None:
        self._format_and_write(level, correlation_id, error, message, *args)

    def fatal(self, correlation_id: str | None, error: BaseException | None, message: str = "", *args: Any) -> None:
        self.log(LogLevel.Fatal, correlation_id, error, message, *args)

    def error(self, correlation_id: str | None, error: BaseException | None, message: str = "", *args: Any) -> None:
        self.log(LogLevel.Error, correlation_id, error, message, *args)

    def warn(self, correlation_id: str | None, message: str, *args: Any) -> None:
        self.log(LogLevel.Warn, correlation_id, None, message, *args)

    def info(self, correlation_id: str | None, message: str, *args: Any) -> None:
        self.log(LogLevel.Info, correlation_id, None, message, *args)

    def debug(self, correlation_id: str | None, message: str, *args: Any) -> None:
        self.log(LogLevel.Debug, correlation_id, None, message, *args)

    def trace(self, correlation_id: str | None, message: str, *args: Any) -> None:
        self.log(LogLevel.Trace, correlation_id, None, message, *args)


def formatted(message: Any, args: tuple[Any, ...]) -> str:
    """The text of a line. Arguments that do not fit are put behind it: no line of a log is worth an error."""
    text = "" if message is None else str(message)
    if not args:
        return text
    try:
        return text % args
    except (TypeError, ValueError):
        return f"{text} {' '.join(map(str, args))}"
