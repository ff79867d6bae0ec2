"""The packages that a service can add, as its flow has it."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from junctor.core.port import Port
from junctor.dialects.microservicebus.packages import Folder, PackageRules, Packages

if TYPE_CHECKING:
    from junctor.dialects.microservicebus.hosting.bus import Bus

ORCHESTRATOR = "orchestrator"
"""The service whose setting ``packages`` is that of all."""


def packages_of(port: Port, bus: Bus) -> Packages:
    """Those of a service: into the data directory of its node, by the rules of the service, else those of the flow."""
    node = bus.node
    if node is None:
        return Packages(None, PackageRules())
    home = node.directory or _temporary()
    return Packages(
        Folder(home, stopping=lambda: port.stopping),
        _rules(bus, port.service),
        bus.folder,
        tell=lambda text: port.log.info("%s", text),
    )


def _rules(bus: Bus, service: str) -> PackageRules:
    hosts = bus.hosts
    for name in (service, ORCHESTRATOR):
        said = hosts[name].spec.settings.get("packages") if name in hosts else None
        if said:
            return msgspec.convert(said, PackageRules)
    return PackageRules()


@functools.lru_cache(maxsize=1)
def _temporary() -> Path:
    """For nodes that keep nothing: as long as this process lives."""
    kept = tempfile.TemporaryDirectory(prefix="junctor-packages-")
    _kept.append(kept)
    return Path(kept.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []
