"""No log."""

from __future__ import annotations

from junctor.dialects.pip_services.components.log.log_level import LogLevel
from junctor.dialects.pip_services.components.log.logger import Logger


class NullLogger(Logger):
    """Takes lines and forgets them."""

    def __init__(self) -> None:
        super().__init__()
        self._level = LogLevel.Nothing

    def _write(self, level: int, correlation_id: str | None, error: BaseException | None, message: str) -> None:
        """Nothing."""
