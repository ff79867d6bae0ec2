"""A time that is being measured."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from junctor.dialects.pip_services.components.count.interfaces import ICounterTimingCallback


class CounterTiming:
    """Begins when it is made; also usable as ``with counters.begin_timing("name"):``.

    :param callback: is told of the end; None: nobody is.
    """

    def __init__(self, counter: str | None = None, callback: ICounterTimingCallback | None = None) -> None:
        self._counter = counter
        self._callback = callback
        self._start = time.perf_counter()

    def end_timing(self) -> None:
        if self._callback is not None:
            self._callback.end_timing(self._counter or "", (time.perf_counter() - self._start) * 1000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_timing()
