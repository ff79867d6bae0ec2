"""Logs."""

from junctor.dialects.pip_services.components.log.cached_logger import CachedLogger
from junctor.dialects.pip_services.components.log.composite_logger import CompositeLogger
from junctor.dialects.pip_services.components.log.console_logger import ConsoleLogger
from junctor.dialects.pip_services.components.log.default_logger_factory import DefaultLoggerFactory
from junctor.dialects.pip_services.components.log.interfaces import ILogger
from junctor.dialects.pip_services.components.log.log_level import LogLevel, LogLevelConverter
from junctor.dialects.pip_services.components.log.log_message import LogMessage
from junctor.dialects.pip_services.components.log.logger import Logger
from junctor.dialects.pip_services.components.log.null_logger import NullLogger

__all__ = (
    "CachedLogger",
    "CompositeLogger",
    "ConsoleLogger",
    "DefaultLoggerFactory",
    "ILogger",
    "LogLevel",
    "LogLevelConverter",
    "LogMessage",
    "Logger",
    "NullLogger",
)
