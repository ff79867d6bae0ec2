"""What a handler is called with, settled when its route is registered."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from junctor.dialects.pip_services.commons.errors import BadRequestException, ConfigException
from junctor.dialects.pip_services.rpc.services.call import Call

Bound = Callable[[Call], Any]
_READ = (int, float, bool)
_WHOLE = ("body", "data")
"""Parameters that get all of the body."""


def bound(handler: Callable[..., Any], in_path: tuple[str, ...]) -> Bound:
    """A call of the handler for a request.

    A handler without parameters is called without arguments. One with parameters gets them by name: from the path,
    the query, the fields of the body; ``body`` and ``data`` are all of the body. What is nowhere is None, or the
    default of the parameter. A parameter that is declared int, float or bool gets what the text in the query says.
    """
    parameters = _parameters(handler)
    if parameters is None:
        return lambda call: handler(**call.values)
    kinds = {parameter.kind for parameter in parameters}
    named = [parameter for parameter in parameters if parameter.kind in _NAMED]
    rest = inspect.Parameter.VAR_KEYWORD in kinds
    if not named:
        return (lambda call: handler(**call.values)) if rest and in_path else (lambda call: handler())
    if rest or any(parameter.name not in in_path for parameter in named):
        return _Arguments(handler, named, rest)
    names = tuple(parameter.name for parameter in named)
    return lambda call: handler(**{name: call.values[name] for name in names})


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def bound_to_path(action: Callable[..., Any], in_path: tuple[str, ...]) -> Bound:
    """A call of an authorizer or interceptor for a request. What it compares with must not be said by who calls: its
    parameters get values of the path, which the handler gets as well, and nothing of the query or the body.

    :raises ConfigException: it needs what is not in the path.
    """
    parameters = _parameters(action)
    if parameters is None:
        return lambda call: action()
    given = {parameter.name for parameter in parameters if parameter.kind in _NAMED}
    missing = [one for one in parameters if one.kind in _SINGLE and one.default is one.empty]
    missing = [one for one in missing if one.kind not in _NAMED or one.name not in in_path]
    if missing:
        name = getattr(action, "__qualname__", type(action).__name__)
        text = f"{name} decides who may call, and needs {missing[0].name}, which is not in the path of its route"
        raise ConfigException(None, "BAD_AUTHORIZER", f"{text}; give it that when it is made, not by the request")
    if inspect.Parameter.VAR_KEYWORD in {parameter.kind for parameter in parameters}:
        return lambda call: action(**call.values)
    names = tuple(name for name in in_path if name in given)
    return lambda call: action(**{name: call.values[name] for name in names})


_SINGLE = (*_NAMED, inspect.Parameter.POSITIONAL_ONLY)


def names_of(handler: Callable[..., Any]) -> list[str]:
    """The parameters that a request fills, but for all of its body."""
    return [one.name for one in _parameters(handler) or () if one.kind in _NAMED and one.name not in _WHOLE]


def _parameters(handler: Callable[..., Any]) -> list[inspect.Parameter] | None:
    for resolved in (True, False):
        try:
            return list(inspect.signature(handler, eval_str=resolved).parameters.values())
        except (NameError, TypeError, ValueError, AttributeError):
            continue
    return None


class _Arguments:
    """Calls a handler with what the request says of each of its parameters."""

    __slots__ = ("_handler", "_named", "_rest")

    def __init__(self, handler: Callable[..., Any], named: list[inspect.Parameter], rest: bool) -> None:
        self._handler = handler
        self._named = tuple(
            (one.name, one.default, one.annotation if one.annotation in _READ else None) for one in named
        )
        self._rest = rest

    def __call__(self, call: Call) -> Any:
        given: dict[str, Any] = dict(call.values) if self._rest else {}
        for name, default, kind in self._named:
            value = _value(call, name)
            if value is not None:
                given[name] = _read(call, name, value, kind) if kind is not None else value
            elif default is inspect.Parameter.empty:
                given[name] = None
        return self._handler(**given)


def _value(call: Call, name: str) -> Any:
    value = call.values.get(name)
    if value is None:
        value = call.params.get(name)
    if value is None and call.request.body:
        if name in _WHOLE:
            return call.data
        if isinstance(call.data, Mapping):
            value = call.data.get(name)
    return value


def _read(call: Call, name: str, value: Any, kind: type) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        text = f"Parameter {name} must be {kind.__name__}, not {str(value)[:100]!r}"
        raise BadRequestException(call.correlation_id, "BAD_PARAMETER", text).with_details("name", name) from None
