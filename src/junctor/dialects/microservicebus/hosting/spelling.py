"""Methods that look like those that a node calls, and are spelled in another way: nobody calls them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from junctor.core.port import Port
from junctor.dialects.microservicebus.hosting.actions import overrides
from junctor.dialects.microservicebus.services import BaseService
from junctor.dialects.microservicebus.services.base import HOOKS, LIFECYCLE

_CALLED = {name.lower(): name for name in (*LIFECYCLE, *HOOKS)}


def misspelled(cls: type[BaseService]) -> Iterator[tuple[str, str]]:
    """Methods of a class, each with what it should be called. Where the class has that, too, both are meant."""
    for name in dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)):
        meant = _CALLED.get(name.lower(), name)
        if meant != name and inspect.isfunction(inspect.getattr_static(cls, name)) and not overrides(cls, meant):
            yield name, meant


def tell_misspelled(cls: type[BaseService], port: Port) -> None:
    """A warning for each; ``junctor doctor --fix`` corrects them."""
    for name, meant in misspelled(cls):
        port.log.warning("%s is not called: a node calls %s; call it so, or run junctor doctor --fix", name, meant)
