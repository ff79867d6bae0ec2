"""Context information by its descriptor."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.info.context_info import ContextInfo


class DefaultInfoFactory(Factory):
    """``pip-services:context-info`` and, as older files call it, ``container-info``."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("context-info", "container-info"):
            self.register_as_type(Descriptor("pip-services", name, "default", "*", "1.0"), ContextInfo)
