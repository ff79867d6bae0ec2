"""How important a line is."""

from __future__ import annotations

from typing import Any


class LogLevel:
    """Numbers: the higher, the more is logged."""

    Nothing = 0
    Fatal = 1
    Error = 2
    Warn = 3
    Info = 4
    Debug = 5
    Trace = 6


_NAMES = {
    LogLevel.Fatal: "FATAL",
    LogLevel.Error: "ERROR",
    LogLevel.Warn: "WARN",
    LogLevel.Info: "INFO",
    LogLevel.Debug: "DEBUG",
    LogLevel.Trace: "TRACE",
}
_LEVELS = (
    {name: level for level, name in _NAMES.items()}
    | {
        "NOTHING": LogLevel.Nothing,
        "NONE": LogLevel.Nothing,
        "WARNING": LogLevel.Warn,
    }
    | {str(level): level for level in range(LogLevel.Trace + 1)}
)


class LogLevelConverter:
    """Levels from what is written in configurations, and back."""

    @staticmethod
    def to_log_level(value: Any, default_value: int = LogLevel.Info) -> int:
        """From ``"warn"``, ``"warning"``, ``3`` or ``"3"``; the default for everything else."""
        return default_value if value is None else _LEVELS.get(str(value).strip().upper(), default_value)

    @staticmethod
    def to_string(level: int) -> str:
        return _NAMES.get(level, "UNDEF")

    @staticmethod
    def to_integer(level: int) -> int:
        return level
