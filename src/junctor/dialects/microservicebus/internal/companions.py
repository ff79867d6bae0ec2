"""The internal services that a flow lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

from junctor.dialects.microservicebus.internal.logger import Logger
from junctor.dialects.microservicebus.internal.msb import MicroServiceBusHandler
from junctor.dialects.microservicebus.internal.orchestrator import Orchestrator
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
    with contextlib.suppress(ImportError):
        from junctor.dialects.microservicebus.com import Com

        found[COM] = Com
    return found
