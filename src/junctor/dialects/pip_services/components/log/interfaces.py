"""What takes lines of a log."""

from __future__ import annotations

from abc import ABC
from typing import Any


class ILogger(ABC):  # noqa: B024 - Logger has all of it
    """``message`` may have ``%`` conversions; they are filled only where arguments are given."""

    def get_level(self) -> int:
        raise NotImplementedError

    def set_level(self, level: int) -> None:
        raise NotImplementedError

    def log(
        self, level: int, correlation_id: str | None, error: BaseException | None, message: str, *args: Any
    ) -> None:
        raise NotImplementedError

    def fatal(self, correlation_id: str | None, error: BaseException | None, message: str, *args: Any) -> None:
        raise NotImplementedError

    def error(self, correlation_id: str | None, error: BaseException | None, message: str, *args: Any) -> None:
        raise NotImplementedError

    def warn(self, correlation_id: str | None, message: str, *args: Any) -> None:
        raise NotImplementedError

    def info(self, correlation_id: str | None, message: str, *args: Any) -> None:
        raise NotImplementedError

    def debug(self, correlation_id: str | None, message: str, *args: Any) -> None:
        raise NotImplementedError

    def trace(self, correlation_id: str | None, message: str, *args: Any) -> None:
        raise NotImplementedError
