"""Measurements in the log."""

from __future__ import annotations

import json

from junctor.dialects.pip_services.commons.refer import IReferenceable, IReferences
from junctor.dialects.pip_services.components.count.cached_counters import CachedCounters
from junctor.dialects.pip_services.components.count.counter import Counter
from junctor.dialects.pip_services.components.log import CompositeLogger


class LogCounters(CachedCounters, IReferenceable):
    """Writes them to the loggers of the container, one line each, with INFO and the correlation id "counters"."""

    def __init__(self) -> None:
        super().__init__()
        self._logger = CompositeLogger()

    def set_references(self, references: IReferences) -> None:
        self._logger.set_references(references)

    def _save(self, counters: list[Counter]) -> None:
        for counter in sorted(counters, key=lambda one: one.name or ""):
            self._logger.info("counters", _line(counter))


def _line(counter: Counter) -> str:
    values = {name: value for name, value in counter.to_json().items() if name != "name"}
    return f"Counter {counter.name} {json.dumps(values)}"
