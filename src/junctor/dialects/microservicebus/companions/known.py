"""The internal services that a flow lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from junctor.dialects.microservicebus.companions.logger import Logger
from junctor.dialects.microservicebus.companions.msb import MicroServiceBusHandler
from junctor.dialects.microservicebus.companions.orchestrator import Orchestrator
from junctor.dialects.microservicebus.names import COM
from junctor.flows.model import Item, policies_of


def companions(names: Collection[str]) -> Iterator[Item]:
    """Those that a flow has no service for.

    :param names: of the services that it has, enabled or not.
    """
    for name, source in _internal().items():
        if name not in names:
            yield Item(name=name, source=source, policies=policies_of(source), companion=True)


def _internal() -> dict[str, Any]:
    found: dict[str, Any] = {cls.NAME: cls for cls in (Orchestrator, Logger, MicroServiceBusHandler)}
    from junctor.dialects.microservicebus.com import Com  # it needs the dialect

    return {**found, COM: Com}
