"""Traces that are collected, and saved together."""

from __future__ import annotations

import threading
import time

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.commons.errors import ErrorDescriptionFactory
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferenceable, IReferences
from junctor.dialects.pip_services.components.trace.interfaces import ITracer
from junctor.dialects.pip_services.components.trace.operation_trace import OperationTrace
from junctor.dialects.pip_services.components.trace.trace_timing import TraceTiming

_CONTEXT = Descriptor("pip-services", "context-info", "*", "*", "1.0")


class CachedTracer(ITracer, IReconfigurable, IReferenceable):
    """The base class of tracers that send to another system; subclasses write ``_save``. Closed, it saves what is
    left, and from then on each operation at once.

    Parameters: ``source``, ``options.interval`` between two saves (10000 ms), ``options.max_cache_size`` (100).
    """

    def __init__(self) -> None:
        self._source: str | None = None
        self._cache: list[OperationTrace] = []
        self._max_cache_size = 100
        self._interval = 10_000
        self._saved = time.monotonic()
        self._opened = self._closed = False
        self._lock = threading.RLock()

    def configure(self, config: ConfigParams) -> None:
        self._interval = config.get_as_integer_with_default("options.interval", self._interval)
        self._max_cache_size = config.get_as_integer_with_default("options.max_cache_size", self._max_cache_size)
        self._source = config.get_as_string_with_default("source", self._source)

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        self._opened, self._closed = True, False

    def close(self, correlation_id: str | None) -> None:
        """Save what is left."""
        self._opened, self._closed = False, True
        self.dump()

    def set_references(self, references: IReferences) -> None:
        context = references.get_one_optional(_CONTEXT)
        if context is not None and self._source is None:
            self._source = context.name

    def trace(self, correlation_id: str | None, component: str, operation: str | None, duration: float) -> None:
        self._write(correlation_id, component, operation, None, duration)

    def failure(
        self, correlation_id: str | None, component: str, operation: str | None, error: BaseException, duration: float
    ) -> None:
        self._write(correlation_id, component, operation, error, duration)

    def begin_trace(self, correlation_id: str | None, component: str, operation: str | None) -> TraceTiming:
        return TraceTiming(correlation_id, component, operation, self)

    def _write(
        self,
        correlation_id: str | None,
        component: str,
        operation: str | None,
        error: BaseException | None,
        duration: float,
    ) -> None:
        described = None if error is None else ErrorDescriptionFactory.create(error)
        made = OperationTrace(None, self._source, component, operation, correlation_id, duration, described)
        with self._lock:
            self._cache.append(made)
        if self._closed or (time.monotonic() - self._saved) * 1000 > self._interval:
            self.dump()

    def _save(self, operations: list[OperationTrace]) -> None:
        """Save them; what it raises leaves them in the cache."""
        raise NotImplementedError(f"{type(self).__name__}._save is not written")

    def clear(self) -> None:
        """Forget what is not saved."""
        with self._lock:
            self._cache = []

    def dump(self) -> None:
        """Save now."""
        with self._lock:
            operations, self._cache = self._cache, []
            self._saved = time.monotonic()
        if not operations:
            return
        try:
            self._save(operations)
        except Exception:  # noqa: BLE001 - whatever it saves to is out of reach: the next dump tries again
            with self._lock:
                self._cache = (operations + self._cache)[-self._max_cache_size :]
