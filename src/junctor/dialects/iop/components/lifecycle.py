"""The beginning and the end of a component, in the order of InterSystems IRIS."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from junctor.dialects.iop.components.component import Component, has_init, never_called
from junctor.dialects.iop.components.deferred import not_offered
from junctor.dialects.iop.components.dispatch import dispatch_of
from junctor.dialects.iop.components.host import BusinessHost

ENDINGS = ("on_tear_down", "on_teardown")
"""Two spellings of one hook: programs have either."""


def started(component: Component) -> None:
    """Call the hooks that come first. It has its door and its settings already.

    What is questionable in its class is logged; what ``on_connected`` raises is logged as a warning; what ``on_init``
    raises comes out of here, and the component has not started.

    :raises NotImplementedError: its base class is not offered yet.
    """
    if problem := not_offered(type(component)):
        raise NotImplementedError(problem)
    for text in doubts(type(component)):
        component._door.log.warning("%s", text)
    try:
        component.on_connected()
    except Exception as error:  # noqa: BLE001 - as in InterSystems IRIS
        component._door.log.warning("%s: on_connected: %r", component._door.item, error)
    component.on_init()


def doubts(cls: type) -> list[str]:
    """What is questionable in a component class, each a sentence: an ``__init__``, a handler that never gets anything,
    an annotation that cannot be resolved."""
    own = [never_called(cls)] if has_init(cls) else []
    return [*own, *(dispatch_of(cls).warnings if issubclass(cls, BusinessHost) else ())]


def stopped(component: Component) -> None:
    """Call ``on_tear_down`` and ``on_teardown``, each once, also where one is the other or calls it.

    :raises Exception: what the first of them raised; the other one is called all the same.
    """
    _each_once(component)
    errors: list[Exception] = []
    for name in ENDINGS:
        try:
            getattr(component, name, _nothing)()
        except Exception as error:  # noqa: BLE001 - the other is called all the same
            errors.append(error)
    if errors:
        raise errors[0]


def _each_once(component: Component) -> None:
    made: dict[Any, Callable[[], Any]] = {}
    for name in ENDINGS:
        hook = getattr(component, name, None)
        if hook is not None:
            vars(component)[name] = made.setdefault(getattr(hook, "__func__", hook), functools.cache(hook))


def _nothing() -> None: ...
