"""Alerts as operators see them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from junctor.node.views.messages import instant
from junctor.transports.base import Archive


class AlertView(msgspec.Struct):
    """Something an operator should know, and the command to run next."""

    time: datetime
    kind: str
    service: str
    text: str
    command: str


def latest_alerts(archive: Archive, limit: int) -> list[AlertView]:
    """The latest alerts, newest first."""
    return [
        AlertView(instant(alert.time), alert.kind, alert.service, alert.text, alert.command)
        for alert in archive.alerts(limit)
    ]
