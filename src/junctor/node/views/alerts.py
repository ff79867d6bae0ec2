"""Alerts as operators see them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from junctor.clock import RealClock
from junctor.core.signals import Observation
from junctor.node.alerting.alerting import OpenAlert, open_alerts
from junctor.node.alerting.book import Book
from junctor.node.alerting.outlook import put_aside
from junctor.node.views.messages import instant
from junctor.transports.base import Archive


class AlertView(msgspec.Struct):
    """Something that happened and an operator should know, and the command to run next."""

    time: datetime
    kind: str
    service: str
    text: str
    command: str


class AlertsView(msgspec.Struct):
    """What is open now, and what happened, newest first."""

    open: list[OpenAlert]
    history: list[AlertView]


def latest_alerts(archive: Archive, limit: int) -> list[AlertView]:
    """The latest events, newest first."""
    return [
        AlertView(instant(alert.time), alert.kind, alert.service, alert.text, alert.command)
        for alert in archive.alerts(limit)
    ]


def open_when_down(archive: Archive, book: Book) -> list[OpenAlert]:
    """What was open when the node ended, and what was put aside."""
    aside = put_aside(archive)
    now = RealClock().time_ns()
    seen = Observation(time=now, monotonic=0.0, parked=aside.parked, suspended=aside.suspended)
    return open_alerts(book, seen, aside.underway)
