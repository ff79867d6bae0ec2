"""The measurement of one call."""

from __future__ import annotations

from typing import Any, Self


class InstrumentTiming:
    """Begins when it is made; the first of its ``end_`` methods ends it, later ones do nothing.

    :param name: of what is called.
    :param verb: what is done, for the log: "execute", "call".
    """

    def __init__(
        self,
        correlation_id: str | None,
        name: str,
        verb: str | None,
        logger: Any,
        counters: Any,
        counter_timing: Any = None,
        trace_timing: Any = None,
    ) -> None:
        self._correlation_id = correlation_id
        self._name = name
        self._verb = verb or "call"
        self._logger = logger
        self._counters = counters
        self._counter_timing = counter_timing
        self._trace_timing = trace_timing

    def end_timing(self, err: BaseException | None = None) -> None:
        """Ends it: with success where there is no error."""
        if err is None:
            self.end_success()
        else:
            self.end_failure(err)

    def end_success(self) -> None:
        if self._counter_timing is not None:
            self._counter_timing.end_timing()
        if self._trace_timing is not None:
            self._trace_timing.end_trace()
        self._clear()

    def end_failure(self, err: BaseException | None) -> None:
        if self._counter_timing is not None:
            self._counter_timing.end_timing()
        if err is not None:
            if self._logger is not None:
                self._logger.error(self._correlation_id, err, "Failed to %s %s", self._verb, self._name)
            if self._counters is not None:
                self._counters.increment_one(f"{self._name}.{self._verb}_errors")
            if self._trace_timing is not None:
                self._trace_timing.end_failure(err)
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.end_timing(error)

    def _clear(self) -> None:
        self._counters = self._logger = self._counter_timing = self._trace_timing = None
