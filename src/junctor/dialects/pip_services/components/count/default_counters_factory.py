"""Counters by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.build import Factory
from junctor.dialects.pip_services.components.count.composite_counters import CompositeCounters
from junctor.dialects.pip_services.components.count.log_counters import LogCounters
from junctor.dialects.pip_services.components.count.null_counters import NullCounters


class DefaultCountersFactory(Factory):
    """``pip-services:counters:null``, ``log`` and ``composite``."""

    def __init__(self) -> None:
        super().__init__()
        for kind, cls in (("null", NullCounters), ("log", LogCounters), ("composite", CompositeCounters)):
            self.register_as_type(Descriptor("pip-services", "counters", kind, "*", "1.0"), cls)
