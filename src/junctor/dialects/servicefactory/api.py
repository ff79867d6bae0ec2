"""The decorators of Service Factory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])

HANDLES = "__servicefactory_action__"
SHUTDOWN = "shutdown"
"""The action that every service has."""


class API:
    """``@Service.API.endpoint(port=1234)`` and ``@Service.API.handle("action")``."""

    @staticmethod
    def endpoint(port: Any) -> Callable[[C], C]:
        """The port of this machine on which the actions of the class are open.

        :raises ValueError: it is none.
        """
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"endpoint(port={port!r}): give a number from 1 to 65535")

        def mark(cls: C) -> C:
            cls.PORT = port  # type: ignore[attr-defined]
            return cls

        return mark

    @staticmethod
    def handle(action: Any) -> Callable[[F], F]:
        """Call the method for requests to ``/action``. It gets the body and answers with what it returns.

        :raises ValueError: it cannot be an action.
        """
        name = action.strip("/") if isinstance(action, str) else ""
        if not name or any(character in name for character in "{}?#% \\"):
            raise ValueError(f"handle({action!r}): give a name like 'status'")
        if name == SHUTDOWN:
            raise ValueError("every service has the action 'shutdown' already; finalize() is called when it ends")

        def mark(function: F) -> F:
            setattr(function, HANDLES, name)
            return function

        return mark


def actions_of(cls: type) -> dict[str, str]:
    """The actions of a class and its bases: their names, and the names of the methods."""
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        for name, value in vars(owner).items():
            action = getattr(value, HANDLES, None)
            if isinstance(action, str):
                found[action] = name
    return found
