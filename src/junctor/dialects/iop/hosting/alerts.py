"""Alerts of items: told to the item that is called ``Ens.Alert``, as in InterSystems IRIS.

What code or a handler meets (``log_alert``, AlertOnError) is sent from where it happens. What only shows from outside
(QueueCountAlert, QueueWaitAlert, InactivityTimeout) are rules of the flow, which go to the same item.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from junctor.core.hop import current
from junctor.core.port import Port
from junctor.core.signals import When
from junctor.core.spec import service_name
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import known
from junctor.dialects.iop.messages import Message
from junctor.errors import JunctorError
from junctor.flows.alerts import AlertRule
from junctor.flows.destinations import Send
from junctor.messages import message, session_text

PROCESSOR = "Ens.Alert"
"""The name of the item that gets alerts."""


@dataclass
class AlertRequest(Message):
    """An alert, as ``Ens.AlertRequest`` in InterSystems IRIS. ``AlertTime`` is UTC."""

    SourceConfigName: str = ""
    AlertText: str = ""
    AlertTime: str = ""
    SessionId: str = ""
    AlertDestination: str = ""


message(name="Ens.AlertRequest")(AlertRequest)


class Alerter:
    """Tells of alerts of one item, from where they happen.

    :param port: that of its service.
    """

    def __init__(self, item: Item, port: Port) -> None:
        self._item = item
        self._port = port
        self._on_error = known(item, "AlertOnError")
        self._grace = known(item, "AlertRetryGracePeriod")
        self._interval = known(item, "RetryInterval")

    def failed(self, error: BaseException, attempt: int, last: bool) -> None:
        """Tell of an error of the item, where AlertOnError asks for it.

        :param last: its message is given up.
        """
        if self._on_error and is_told(attempt, last, self._interval, self._grace):
            self.tell(f"{type(error).__name__}: {error}")

    def tell(self, text: str) -> None:
        """Send an alert. It goes at once, whatever becomes of the message that is being handled; without an item
        ``Ens.Alert`` nobody is told, and that of ``Ens.Alert`` itself goes nowhere."""
        if self._item.name == PROCESSOR:
            return
        hop = current.get()
        alert = AlertRequest(
            SourceConfigName=self._item.name,
            AlertText=text,
            AlertTime=_time(self._port.time_ns()),
            SessionId=session_text(hop.session) if hop is not None else "",
        )
        with contextlib.suppress(JunctorError):  # there is no such item, or the node stops
            contextvars.Context().run(self._send, alert)

    def _send(self, alert: AlertRequest) -> None:
        self._port.send(self._port.link_to(service_name(PROCESSOR), AlertRequest), alert).result()


def is_told(attempt: int, last: bool, interval: float, grace: float) -> bool:
    """Whether the failure of an attempt is told: once a message, as soon as attempts went on for the grace period, or
    none is left."""
    begun = (attempt - 1) * interval >= grace
    before = attempt > 1 and (attempt - 2) * interval >= grace
    return (begun or last) and not before


def rules_of(item: Item, told: bool) -> Iterator[AlertRule]:
    """The rules of the flow that stand for the alerting settings of an item.

    :param told: the flow has an item that gets alerts.
    """
    if item.name == PROCESSOR:
        return
    count, wait, idle = (known(item, name) for name in ("QueueCountAlert", "QueueWaitAlert", "InactivityTimeout"))
    service = (item.service,)
    wishes = {
        "queue-count": When(queue=count, service=service) if count else None,
        "queue-wait": When(age=wait, service=service) if wait else None,
        "inactive": When(silent=idle, service=service) if idle else None,
    }
    send = (Send(service=service_name(PROCESSOR)),) if told else ()
    for name, when in wishes.items():
        if when is not None:
            yield AlertRule(name=f"{item.service}-{name}", when=when, send=send)


def as_alert(body: Any, items: Mapping[str, str]) -> Any:
    """What a rule sends, as an alert; any other body as it is.

    :param items: names of items by those of their services.
    """
    if not isinstance(body, dict) or not {"rule", "items", "text"} <= body.keys():
        return body
    services = [one.get("service", "").rpartition("/")[2] for one in body["items"]]
    names = ", ".join(items.get(name, name) for name in services)
    return AlertRequest(SourceConfigName=names, AlertText=body["text"], AlertTime=str(body.get("time", "")))


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(sep=" ", timespec="milliseconds")[:23]
