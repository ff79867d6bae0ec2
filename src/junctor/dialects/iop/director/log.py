"""The event log of a production: the log of its node, in the rows that InterSystems IRIS has."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from junctor.core.spec import service_name
from junctor.dialects.iop.definition import ProductionDefinition
from junctor.observe.logfile import LogReader
from junctor.observe.logs import ALERT, FAILURE, readable

LAST = 10
"""Rows that a stream begins with."""

MOST = 10_000_000
"""Rows that are asked for at most: more than a log holds."""

_LOOK = 0.2  # seconds between two looks at the log
_TYPES = {"debug": "Trace", "info": "Info", "warning": "Warning", "error": "Error", "critical": "Alert"}
_STARTED = re.compile(rb'"logger":"junctor.node","text":"starting: [^"]*; pid (\d+);')
_EVENTS = {FAILURE: "Error", ALERT: "Alert"}
_ENTRY = re.compile(r"[^ ]+/[^ .]+\.(\w+): ")
_NONE = "-"


class LogRow(msgspec.Struct):
    """A line of the log. Times are those of this machine; ``job`` is the process of the node, as far as it is known;
    the ids are those that ``junctor trace`` takes."""

    time: datetime
    type: str
    item: str
    job: str
    message: str
    session: str
    source_class: str
    source_method: str
    text: str

    def __str__(self) -> str:
        shown = self.time.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        parts = [self.item, self.job, self.message, self.session, self.source_class, self.source_method]
        # Further lines are indented, so that nothing that was logged looks like a row of its own.
        text = readable(self.text.rstrip()).replace("\n", "\n    ")
        return " ".join([shown, self.type, *(part or _NONE for part in parts), text])


class _Entry(msgspec.Struct):
    time: datetime
    level: str
    logger: str
    text: str
    service: str = ""
    session: str = ""
    message: str = ""
    exception: str = ""
    event: str = ""
    source: str = ""


class EventLog:
    """Reads the log of a production that runs or not, and reads on where it stopped."""

    def __init__(self, directory: Path, production: ProductionDefinition) -> None:
        self._reader = LogReader(directory)
        self._items = {service_name(item.name): item for item in production.items}
        self._job = ""

    def rows(self) -> Iterator[LogRow]:
        """What was logged since the last call; at the first call, all that there is."""
        for line, job in self._lines():
            yield from self._row(line, job)

    def last(self, count: int) -> list[LogRow]:
        """The last rows, oldest first."""
        # Decoded are these alone, for a log may have a million lines; and one more, where a crash left half a line.
        kept = deque(self._lines(), min(count, MOST) + 1)
        rows = [row for line, job in kept for row in self._row(line, job)]
        return rows[-count:] if count else []

    def stream(self) -> Iterator[LogRow]:
        """The last rows, then each as it comes, without end."""
        yield from self.last(LAST)
        while True:
            yield from self.rows()
            time.sleep(_LOOK)

    def _lines(self) -> Iterator[tuple[bytes, str]]:
        """Each line with the process that wrote it, which says its number when it starts."""
        for line in self._reader.lines():
            started = _STARTED.search(line)
            self._job = started[1].decode() if started else self._job
            yield line, self._job

    def _row(self, line: bytes, job: str) -> Iterator[LogRow]:
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # a crash may leave half a line
            yield self._made(_decoder.decode(line), job)

    def _made(self, entry: _Entry, job: str) -> LogRow:
        item = self._items.get(entry.service.rpartition("/")[2])
        cls, _, method = entry.source.rpartition(".")
        return LogRow(
            entry.time,
            _EVENTS.get(entry.event) or entry.event or _TYPES.get(entry.level, entry.level.title()),
            item.name if item is not None else entry.service.rpartition("/")[2] or entry.logger,
            job,
            entry.message.rpartition("-")[2],
            entry.session[-8:],
            cls or (item.class_name if item is not None else ""),
            method or (entered[1] if (entered := _ENTRY.match(entry.text)) else ""),
            f"{entry.text}\n{entry.exception}" if entry.exception else entry.text,
        )


_decoder: Any = msgspec.json.Decoder(_Entry)
