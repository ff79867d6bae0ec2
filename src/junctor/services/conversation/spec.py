"""From a conversation class to the spec that the engine runs."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import structs

from junctor.core.run import CANCEL, REPLIED, WOKEN
from junctor.core.spec import Bind, Context, HandlerSpec, ServiceSpec
from junctor.errors import ConfigurationError, nearest
from junctor.messages.types import is_body_class
from junctor.services.conversation.callbacks import Callback, Callbacks, callbacks_of
from junctor.services.conversation.director import Director, Steps
from junctor.services.conversation.plan import Plan
from junctor.services.hints import own_annotations
from junctor.services.markers import Handles
from junctor.services.service import Service


def conversation_spec(cls: type[Service], made: ServiceSpec) -> ServiceSpec:
    """The spec of a conversation, out of the one that its class would have as a service.

    :raises ConfigurationError: a callback or attribute is declared wrongly.
    """
    from junctor.services.native import members

    callbacks = callbacks_of(members(cls))
    if not made.handlers:
        raise ConfigurationError(
            "no message begins a conversation of this class",
            where=cls.__name__,
            fix="Mark the method that takes it with @handler.",
        )
    if made.stateful:
        raise ConfigurationError(
            "a conversation has no self.state",
            where=cls.__name__,
            fix="Declare an attribute: it is stored with each callback. Or keep the state in a Service.",
        )
    for handler in made.handlers:
        _check_key(cls, handler, callbacks.handlers[handler.name][1])
    targets = tuple(target.name for target in made.targets)
    plan = Plan(cls, made.build, callbacks, targets, made.code)
    return structs.replace(
        made,
        runs="conversation",
        build=partial(_director, plan),
        handlers=tuple(_handler(handler, callbacks) for handler in made.handlers),
        inner=(*_joins(made, callbacks), *_ends(callbacks)),
        stateful=False,
    )


def _check_key(cls: type[Service], handler: HandlerSpec, mark: Handles) -> None:
    """:raises ConfigurationError: the types that it takes have no such field."""
    where = f"{cls.__name__}.{handler.name}"
    if not mark.begins and not mark.key:
        what = "begins=False needs key=: nothing says which conversation its messages are for"
        raise ConfigurationError(what, where=where, fix='Write for example @handler(key="order", begins=False).')
    field = mark.key.partition(".")[0]
    if not field or not is_body_class(handler.accepts) or hasattr(handler.accepts, field):
        return
    known = {name for base in handler.accepts.__mro__ for name in own_annotations(base)}
    if field not in known:
        what = f'{handler.accepts.__name__} has no field "{field}"'
        fix = f"{nearest(field, known)}key= names the field of the body by which a message finds its conversation."
        raise ConfigurationError(what, where=where, fix=fix)


def _director(plan: Plan, context: Context) -> Director:
    return Director(context, plan)


def _handler(handler: HandlerSpec, callbacks: Callbacks) -> HandlerSpec:
    callback, mark = callbacks.handlers[handler.name]
    if mark.key:
        return structs.replace(handler, bind=lambda director: partial(director.find, callback), blocking=False)
    bind = _bound(callbacks, lambda director: partial(director.begin, callback))
    return structs.replace(handler, bind=bind, blocking=callbacks.blocking)


def _joins(made: ServiceSpec, callbacks: Callbacks) -> list[HandlerSpec]:
    found = []
    for handler in made.handlers:
        callback, mark = callbacks.handlers[handler.name]
        if mark.key:
            bind = _bound(callbacks, partial(_join, callback))
            found.append(
                HandlerSpec(
                    name=Plan.inner(handler.name), accepts=handler.accepts, bind=bind, blocking=callbacks.blocking
                )
            )
    return found


def _join(callback: Callback, director: Director) -> Callable[[Any], Steps]:
    return partial(director.join, callback)


def _ends(callbacks: Callbacks) -> list[HandlerSpec]:
    blocking = callbacks.blocking
    replied = _bound(callbacks, lambda director: director.replied)
    woken = _bound(callbacks, lambda director: director.woken)
    return [
        HandlerSpec(name=REPLIED, accepts=Any, bind=replied, blocking=blocking),
        HandlerSpec(name=WOKEN, accepts=Any, bind=woken, blocking=blocking),
        HandlerSpec(name=CANCEL, accepts=Any, bind=lambda director: director.cancelled),
    ]


def _bound(callbacks: Callbacks, steps: Callable[[Director], Callable[[Any], Steps]]) -> Bind:
    """What makes the callable of a handler: one that blocks, or a coroutine function."""
    if callbacks.blocking:
        return lambda director: partial(_in_thread, steps(director))
    return lambda director: partial(_on_loop, steps(director))


def _in_thread(begin: Callable[[Any], Steps], body: Any) -> None:
    """Where one callback blocks, asynchronous ones run in its thread too, each on an event loop of its own."""
    steps = begin(body)
    call = next(steps, None)
    while call is not None:
        value = call()
        call = _sent(steps, asyncio.run(value) if inspect.iscoroutine(value) else value)


async def _on_loop(begin: Callable[[Any], Steps], body: Any) -> None:
    steps = begin(body)
    call = next(steps, None)
    while call is not None:
        call = _sent(steps, await call())


def _sent(steps: Steps, value: Any) -> Callable[[], Any] | None:
    """The next call, None behind the last one. What a callback itself raises is none of this."""
    try:
        return steps.send(value)
    except StopIteration:
        return None
