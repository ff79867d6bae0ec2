"""From named JSON values to the parameters of a function, converted to their annotated types.

Used for control operations and for actions alike. What does not fit is refused with the name of the parameter; an
unknown name is answered with the nearest one.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from junctor.errors import UnknownOperation
from junctor.messages import codec

Parameter = inspect.Parameter
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Parameters:
    """What a function takes, by name.

    :param function: its annotations are the types; a parameter without one takes any value.
    :param skip: names that the caller of the function gives itself.
    """

    def __init__(self, function: Callable[..., Any], skip: tuple[str, ...] = ()) -> None:
        signature = inspect.signature(function)
        hints = _hints(function)
        named = [p for p in signature.parameters.values() if p.kind in _NAMED and p.name not in skip]
        self.types = {p.name: hints.get(p.name, Any) for p in named}
        self.required = [p.name for p in named if p.default is Parameter.empty]
        self.open = any(p.kind is Parameter.VAR_KEYWORD for p in signature.parameters.values())

    def bind(self, values: Mapping[str, Any], where: str, *, text: bool = False) -> dict[str, Any]:
        """The values, converted.

        :param where: what is called, for errors.
        :param text: the values were typed on a command line: ``"5"`` is also a number, ``"[1, 2]"`` a list.
        :raises UnknownOperation: a name is unknown, or a value is missing.
        :raises DecodeError: a value does not fit; ``where`` ends with the path of the field.
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
            raise codec.decode_error(error, where, name) from error

    def _unknown(self, name: str, where: str) -> UnknownOperation:
        near = get_close_matches(name, self.types, n=1)
        fix = f'Did you mean "{near[0]}"? It takes {self}.' if near else f"It takes {self}."
        return UnknownOperation(f'there is no parameter "{name}"', where=where, fix=fix)

    def __str__(self) -> str:
        words = [name if name in self.required else f"[{name}]" for name in self.types]
        return ", ".join(words) or "no parameters"


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError):
        return {}  # An annotation that cannot be resolved here takes any value; the function judges it.


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
