"""The internal services that a flow lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

from junctor.dialects.microservicebus.internal.logger import Logger
from junctor.dialects.microservicebus.internal.msb import MicroServiceBusHandler
from junctor.dialects.microservicebus.internal.orchestrator import Orchestrator
from junctor.dialects.microservicebus.internal.service import InternalService


def internal_classes() -> Iterator[type[InternalService]]:
    """All of them."""
    yield from (Orchestrator, Logger, MicroServiceBusHandler)
    with contextlib.suppress(ImportError):
        from junctor.dialects.microservicebus.com import Com

        yield Com


def missing(names: Collection[str]) -> Iterator[type[InternalService]]:
    """Those that a flow has no service for.

    :param names: of the services that it has, enabled or not.
    """
    return (cls for cls in internal_classes() if cls.NAME not in names)
