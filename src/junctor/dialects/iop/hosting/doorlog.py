"""The log of a running component: lines of ``trace`` where they are wanted, alerts to who is told of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import known


def keeps_traces(item: Item) -> bool:
    """Whether the lines of ``trace`` are kept: LogTraceEvents of the item, or that of its whole production."""
    return bool(known(item, "LogTraceEvents")) or item.production.log_general_trace_events


class DoorLog(logging.LoggerAdapter[Any]):
    """The log of a service, with the two things that the event log of InterSystems IRIS has beside it.

    :param traces: lines below INFO are kept, as those of INFO.
    :param alert: called with the text of what is CRITICAL.
    """

    def __init__(self, log: Any, traces: bool, alert: Callable[[str], None]) -> None:
        super().__init__(log, {})
        self._lowest = logging.INFO if traces else logging.NOTSET
        self._alert = alert

    def isEnabledFor(self, level: int) -> bool:
        return bool(self.logger.isEnabledFor(max(level, self._lowest)))

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1  # the caller's line, not this one
        self.logger.log(max(level, self._lowest), msg, *args, **kwargs)
        if level >= logging.CRITICAL:
            self._alert(str(msg) % args if args else str(msg))
