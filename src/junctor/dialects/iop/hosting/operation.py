"""Business operations as services: each typed method takes its type, ``on_message`` all else."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from junctor.core.spec import HandlerSpec, ScheduleSpec
from junctor.dialects.iop.hosting.hosted import Hosted
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.types import is_message_class
from junctor.dialects.iop.hosting.values import known

ON_MESSAGE = "on_message"


def handlers_of(item: Item) -> Iterator[HandlerSpec]:
    """The entries of an operation."""
    assert item.component is not None
    for name, accepts in _typed(item.component):
        yield HandlerSpec(name=name, accepts=accepts, replies=Any, bind=partial(_entered, name), blocking=True)
    yield HandlerSpec(name=ON_MESSAGE, accepts=Any, replies=Any, bind=partial(_entered, ON_MESSAGE), blocking=True)


def keepalive_of(item: Item) -> Iterator[ScheduleSpec]:
    """The calls of ``on_keepalive``, where KeepaliveInterval asks for them."""
    every = known(item, "KeepaliveInterval")
    if every:
        yield ScheduleSpec(name="on_keepalive", bind=_keepalive, every=every, initial=every, blocking=True)


def _entered(name: str, hosted: Hosted) -> Callable[[Any], Any]:
    return lambda request: hosted.guard.call(getattr(hosted.component, name), request)


def _keepalive(hosted: Hosted) -> Callable[[], Any]:
    return hosted.keep_alive


def _typed(cls: type) -> Iterator[tuple[str, type]]:
    for name, function in inspect.getmembers(cls, inspect.isfunction):
        parameters = list(inspect.signature(function).parameters)[1:]
        if name.startswith("_") or len(parameters) != 1:
            continue
        hint: Any = typing.get_type_hints(function).get(parameters[0])
        if is_message_class(hint):
            yield name, hint
