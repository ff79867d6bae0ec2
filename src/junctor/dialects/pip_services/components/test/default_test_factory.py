"""Components for tests by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.test.shutdown import Shutdown


class DefaultTestFactory(Factory):
    """``pip-services:shutdown``."""

    def __init__(self) -> None:
        super().__init__()
        self.register_as_type(Descriptor("pip-services", "shutdown", "*", "*", "1.0"), Shutdown)
