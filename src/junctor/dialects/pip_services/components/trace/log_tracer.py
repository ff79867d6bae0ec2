"""Traces in the log."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.components.log import CompositeLogger, LogLevel, LogLevelConverter
from junctor.dialects.pip_services.components.trace.interfaces import ITracer
from junctor.dialects.pip_services.components.trace.trace_timing import TraceTiming


class LogTracer(ITracer, IReconfigurable, IReferenceable):
    """Writes them to the loggers of the container.

    Parameters: ``options.log_level`` (debug). Failures are errors.
    """

    def __init__(self) -> None:
        self._logger = CompositeLogger()
        self._log_level = LogLevel.Debug

    def configure(self, config: ConfigParams) -> None:
        self._log_level = LogLevelConverter.to_log_level(config.get("options.log_level"), self._log_level)

    def set_references(self, references: IReferences) -> None:
        self._logger.set_references(references)

    def trace(self, correlation_id: str | None, component: str, operation: str | None, duration: float) -> None:
        text = f"Executed {_name(component, operation)} in {duration:g} msec"
        self._logger.log(self._log_level, correlation_id, None, text)

    def failure(
        self, correlation_id: str | None, component: str, operation: str | None, error: BaseException, duration: float
    ) -> None:
        text = f"Failed to execute {_name(component, operation)} in {duration:g} msec"
        self._logger.error(correlation_id, error, text)

    def begin_trace(self, correlation_id: str | None, component: str, operation: str | None) -> TraceTiming:
        return TraceTiming(correlation_id, component, operation, self)


def _name(component: str, operation: str | None) -> str:
    return f"{component}.{operation}" if operation else component
