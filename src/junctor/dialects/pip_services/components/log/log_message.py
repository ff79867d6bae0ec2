"""A line as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from junctor.dialects.pip_services.commons.errors import ErrorDescription, ErrorDescriptionFactory
from junctor.dialects.pip_services.components.log.log_level import LogLevelConverter


class LogMessage:
    """
    :param level: a :class:`LogLevel` or its name.
    :param source: what wrote it, as a rule the name of the container.
    :param error: the error, or its description.
    """

    def __init__(
        self,
        level: Any = None,
        source: str | None = None,
        correlation_id: str | None = None,
        error: BaseException | ErrorDescription | None = None,
        message: str | None = None,
    ) -> None:
        self.time = datetime.now(UTC)
        self.level = LogLevelConverter.to_string(level) if isinstance(level, int) else level
        self.source = source
        self.correlation_id = correlation_id
        self.error = ErrorDescriptionFactory.create(error) if isinstance(error, BaseException) else error
        self.message = message

    def to_json(self) -> dict[str, Any]:
        return {
            "time": self.time.isoformat().replace("+00:00", "Z"),
            "level": self.level,
            "source": self.source,
            "correlation_id": self.correlation_id,
            "error": None if self.error is None else self.error.to_json(),
            "message": self.message,
        }
