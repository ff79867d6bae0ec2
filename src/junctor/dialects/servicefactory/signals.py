"""Ctrl-C and SIGTERM of a program."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, "FrameType | None"], object]


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Take both signals in the block. Only in the main thread."""
    before = [signal.signal(number, handler) for number in NUMBERS]
    try:
        yield
    finally:
        for number, old in zip(NUMBERS, before, strict=True):
            signal.signal(number, old)


@contextmanager
def deferred() -> Iterator[list[int]]:
    """Only note which signals come: an exception in the middle of an import could come out as any other one."""
    came: list[int] = []
    with handled(lambda number, frame: came.append(number)):
        yield came
