"""Business operations as services: each typed method takes its type, ``on_message`` all else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from junctor.core.spec import HandlerSpec, ScheduleSpec
from junctor.dialects.iop.components.dispatch import dispatch_of
from junctor.dialects.iop.hosting.hosted import Hosted
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import known


def handlers_of(item: Item) -> Iterator[HandlerSpec]:
    """The entries of an operation. Those with a type are found by it, also by targets of native services."""
    for name, accepts in (*typed_methods(item.component), (dispatch_of(item.component).fallback, Any)):
        yield HandlerSpec(name=name, accepts=accepts, replies=Any, bind=_entered, blocking=True)


def typed_methods(component: Any) -> Iterator[tuple[str, type]]:
    """The methods of a component that take a message class each, with that class. The method that takes all else comes
    last, where its annotation names a class that no other takes."""
    table = dispatch_of(component)
    for entry in table.entries:
        if entry.accepts is not None:
            yield entry.method, entry.accepts
    if table.accepts is not None and all(entry.accepts is not table.accepts for entry in table.entries):
        yield table.fallback, table.accepts


def keepalive_of(item: Item) -> Iterator[ScheduleSpec]:
    """The calls of ``on_keepalive``, where KeepaliveInterval asks for them."""
    every = known(item, "KeepaliveInterval")
    if every:
        yield ScheduleSpec(name="on_keepalive", bind=_keepalive, every=every, initial=every, joins=False, blocking=True)


def _entered(hosted: Hosted) -> Callable[[Any], Any]:
    return partial(hosted.guard.call, hosted.handle)


def _keepalive(hosted: Hosted) -> Callable[[], Any]:
    return hosted.keep_alive
