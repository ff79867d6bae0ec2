"""The methods of a controller as handlers, for messages of other services."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from junctor.core.port import Port
from junctor.dialects.pip_services.commons.convert import JsonConverter
from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.commons.run import Parameters
from junctor.dialects.pip_services.hosting.client import CORRELATION, here
from junctor.dialects.pip_services.hosting.hosted import Part
from junctor.messages.codec import to_plain
from junctor.messages.envelope import session_text

_LIFE = frozenset(
    {
        *("configure", "set_references", "unset_references", "open", "close", "is_open", "get_command_set"),
        *("clear", "register"),
    }
)
_OURS = __name__.partition(".dialects.")[0] + "."


def methods_of(part: Part) -> list[str]:
    """The names by which a component can be called: what a controller has in public, and its commands."""
    if not _is_controller(part):
        return []
    return list(dict.fromkeys([*_public(type(part.first)), *_commands(part.first)]))


def _is_controller(part: Part) -> bool:
    locator = part.locator
    typed = isinstance(locator, Descriptor) and locator.get_type() == "controller"
    return typed or callable(getattr(part.first, "get_command_set", None))


def _public(cls: type) -> Iterator[str]:
    """Methods of the program's own classes, those of the base class first."""
    for base in reversed(cls.__mro__):
        if base is not object and not base.__module__.startswith(_OURS):
            for name, value in vars(base).items():
                if inspect.isfunction(value) and not name.startswith("_") and name not in _LIFE:
                    yield name


def _commands(component: Any) -> list[str]:
    get = getattr(component, "get_command_set", None)
    return [command.get_name() for command in get().get_commands()] if callable(get) else []


class Calling:
    """A handler: calls a method of the component, or else its command.

    A map becomes the arguments where it names them all; else the body is the first one. ``correlation_id`` is that of
    the body, else that of the sender, else the session.
    """

    def __init__(self, part: Part, port: Port, name: str) -> None:
        self._part = part
        self._port = port
        self._name = name

    def __call__(self, body: Any) -> Any:
        token = here.set(self._port)
        try:
            return plain(self._called(to_plain(body)))
        finally:
            here.reset(token)

    def _called(self, body: Any) -> Any:
        component = self._part.component
        method = getattr(component, self._name, None)
        if callable(method):
            return method(**arguments(method, body, self._correlation_id))
        args = Parameters.from_value(body)
        correlation_id = args.get_as_nullable_string(CORRELATION) or self._correlation_id
        return component.get_command_set().execute(correlation_id, self._name, args)

    @property
    def _correlation_id(self) -> str:
        message = self._port.message()
        if message is None:
            return ""
        return message.headers.get(CORRELATION) or session_text(message.session)


def arguments(method: Callable[..., Any], body: Any, correlation_id: str) -> dict[str, Any]:
    """The arguments of a method by name."""
    names = [name for name, one in inspect.signature(method).parameters.items() if one.kind in _NAMED]
    made: dict[str, Any] = {CORRELATION: correlation_id} if CORRELATION in names else {}
    if isinstance(body, Mapping) and set(body) <= set(names):
        given = dict(body)
    else:
        first = next((name for name in names if name != CORRELATION), None)
        given = {} if body is None or first is None else {first: body}
    made.update(given)
    missing = {name: None for name in _needed(method) if name not in made}
    return {**missing, **made}


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _needed(method: Callable[..., Any]) -> Iterator[str]:
    for name, one in inspect.signature(method).parameters.items():
        if one.kind in _NAMED and one.default is one.empty:
            yield name


def plain(value: Any) -> Any:
    """What a method returned, as data that every transport carries."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    text = JsonConverter.to_json(value)
    return None if text is None else json.loads(text)
