"""A call on its way to the loop of a service, and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from junctor.core.hop import Hop
from junctor.dialects.microservicebus.hosting.lane import Lane


class Course:
    """One call of an action, as the tasks that it starts see it: ``over`` when it has returned. What they send from
    then on is their own."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


course: ContextVar[Course | None] = ContextVar("junctor_msb_course", default=None)


class Work:
    """A call on its way. ``future`` belongs to the loop of the caller. ``lasts``: it may run for ever."""

    __slots__ = ("args", "course", "error", "fn", "future", "hop", "lane", "lasts", "result", "since", "task")

    def __init__(
        self, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], hop: Hop | None, future: Any
    ) -> None:
        self.fn = fn
        self.args = args
        self.hop = hop
        self.future = future
        self.since = time.monotonic()
        self.lasts = False
        self.course = Course()
        self.result: Any = None
        self.error: BaseException | None = None
        self.task: asyncio.Task[Any] | None = None
        self.lane: Lane | None = None
