"""Open runs without a service, at the start of a node: told, as nothing that comes for them is handled."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from junctor.core.signals import counted
from junctor.transports.base import AlertRecord

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.engine")


def tell_of_left_runs(engine: Engine) -> None:
    """Log and keep an alert record for each service that has open runs and is not here, or has no runs now."""
    for address, count in engine.transport.archive.open_runs().items():
        host = engine.hosts.get(address)
        if host is None or not host.spec.runs:
            text = f"{counted(count, 'open run')} of {address} cannot go on: no workflow or conversation runs there"
            log.warning("%s", text)
            command = f"junctor workflows --service {address}"
            engine.note_alert(AlertRecord(engine.clock.time_ns(), "runs-left", address, text, command))
