"""From named JSON values to the parameters of a function, converted to their annotated types.

Used for control operations and for actions alike. What does not fit is refused with the name of the parameter; an
unknown name is answered with the nearest one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from junctor.errors import HIDES, JunctorError, UnknownOperation, nearest
from junctor.messages import codec
from junctor.messages.sensitive import sensitive_paths
from junctor.observe.hidden import Hidden
from junctor.services.hints import resolve

Parameter = inspect.Parameter
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class WrongArgument(JunctorError):
    """A value given by name does not fit the type of its parameter. ``where`` ends with the name."""

    code = "wrong-argument"
    default_fix = "`junctor services` shows what each action takes."
    status = 422


class Parameters:
    """What a function takes, by name.

    :param function: its annotations are the types; a parameter without one takes any value.
    :param skip: names that the caller of the function gives itself.
    """

    def __init__(self, function: Callable[..., Any], skip: tuple[str, ...] = ()) -> None:
        signature = inspect.signature(function)
        named = [p for p in signature.parameters.values() if p.kind in _NAMED and p.name not in skip]
        self.types = {p.name: _type_of(p, function) for p in named}
        self.required = [p.name for p in named if p.default is Parameter.empty]
        self.open = any(p.kind is Parameter.VAR_KEYWORD for p in signature.parameters.values())

    def bind(self, values: Mapping[str, Any], where: str, *, text: bool = False) -> dict[str, Any]:
        """The values, converted.

        :param where: what is called, for errors.
        :param text: the values were typed on a command line: ``"5"`` is also a number, ``"[1, 2]"`` a list.
        :raises UnknownOperation: a name is unknown, or a value is missing.
        :raises WrongArgument: a value does not fit its type.
        """
        for name in values:
            if name not in self.types and not self.open:
                raise self._unknown(name, where)
        missing = [name for name in self.required if name not in values]
        if missing:
            raise UnknownOperation(f"{_listed(missing)} missing", where=where, fix=f"It takes {self}.")
        return {name: self._convert(name, value, where, text) for name, value in values.items()}

    def _convert(self, name: str, value: Any, where: str, text: bool) -> Any:
        kind = self.types.get(name, Any)
        if isinstance(value, msgspec.Raw):
            return value if kind is msgspec.Raw else self._convert(name, msgspec.json.decode(value), where, text)
        try:
            return from_text(value, kind) if text and isinstance(value, str) else codec.convert(value, kind)
        except Exception as error:
            paths = sensitive_paths(kind)
            refused = WrongArgument(_told(error) if paths else _reason(value, error), where=f"{where}.{name}")
            setattr(refused, HIDES, Hidden(value, paths))
            raise refused from error

    def _unknown(self, name: str, where: str) -> UnknownOperation:
        guess = nearest(name, self.types) if self.types else "It takes no parameters."
        return UnknownOperation(f'there is no parameter "{name}"', where=where, fix=guess.rstrip())

    def __str__(self) -> str:
        words = [name if name in self.required else f"[{name}]" for name in self.types]
        return ", ".join(words) or "no parameters"


def _type_of(parameter: Parameter, function: Callable[..., Any]) -> Any:
    if parameter.annotation is Parameter.empty:
        return Any
    try:
        return resolve(parameter.annotation, getattr(inspect.unwrap(function), "__globals__", {}), {})
    except (NameError, TypeError, AttributeError, SyntaxError):
        return Any  # What cannot be resolved here takes any value; the function judges it.


def _reason(value: Any, error: Exception) -> str:
    shown = f'"{value}"' if isinstance(value, str) else repr(value)
    return f"{_told(error)} from {shown if len(shown) <= 60 else shown[:57] + '...'}"


def _told(error: Exception) -> str:
    return str(codec.decode_error(error, "", "").what).partition(": ")[2]


def _listed(names: list[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{quoted} is" if len(names) == 1 else f"{quoted} are"


def from_text(text: str, kind: Any) -> Any:
    """A value of ``kind`` from what somebody typed: the text where text fits, else a number or JSON.

    :raises msgspec.ValidationError: it fits in no way.
    """
    if kind is Any:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    try:
        return codec.convert(text, kind, strict=False)
    except Exception as refused:  # noqa: BLE001 - msgspec and pydantic have no common error
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError:
            raise refused from None
        return codec.convert(value, kind)
