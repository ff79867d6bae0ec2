"""Loggers by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.log.composite_logger import CompositeLogger
from junctor.dialects.pip_services.components.log.console_logger import ConsoleLogger
from junctor.dialects.pip_services.components.log.null_logger import NullLogger


class DefaultLoggerFactory(Factory):
    """``pip-services:logger:null``, ``console`` and ``composite``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("null", NullLogger), ("console", ConsoleLogger), ("composite", CompositeLogger)):
            self.register_as_type(Descriptor("pip-services", "logger", kind, "*", "1.0"), cls)
