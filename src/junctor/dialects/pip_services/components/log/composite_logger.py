"""Several loggers as one."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences
from junctor.dialects.pip_services.components.log.interfaces import ILogger
from junctor.dialects.pip_services.components.log.log_level import LogLevel
from junctor.dialects.pip_services.components.log.logger import Logger

_LOGGERS = Descriptor(None, "logger", None, None, None)


class CompositeLogger(Logger):
    """Gives each line to all loggers of its container; they decide by their own levels.

    :param references: see :meth:`set_references`.
    """

    def __init__(self, references: IReferences | None = None) -> None:
        super().__init__()
        self._level = LogLevel.Trace
        self._loggers: list[ILogger] = []
        if references is not None:
            self.set_references(references)

    def set_references(self, references: IReferences) -> None:
        """Take all loggers, each once."""
        super().set_references(references)
        for found in references.get_optional(_LOGGERS):
            if found is not self and isinstance(found, ILogger) and all(found is not one for one in self._loggers):
                self._loggers.append(found)

    def _write(self, level: int, correlation_id: str | None, error: BaseException | None, message: str) -> None:
        for logger in self._loggers:
            # The text is ready: a % in it is no conversion any more.
            logger.log(level, correlation_id, error, message)
