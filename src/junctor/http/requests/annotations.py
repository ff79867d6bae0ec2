"""What the signature of a function says about where its parameters come from."""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterator, Mapping
from typing import Any

import msgspec

from junctor.core.spec import Call
from junctor.errors import ConfigurationError
from junctor.http.requests.parameters import MARKS, Body, Cookie, Form, Header, Query
from junctor.http.requests.request import Request
from junctor.http.requests.uploads import Upload
from junctor.messages.types import is_body_class

_MANY = (list, set, frozenset, tuple)


class Declared(msgspec.Struct, frozen=True):
    """A parameter: ``place`` is path, query, header, cookie, form, file, body, raw, or request for all of it; ``key``
    its name there."""

    name: str
    type: Any
    place: str
    key: str
    required: bool
    default: Any = None

    @property
    def is_object(self) -> bool:
        """Whether its JSON is an object with fields of its own."""
        return is_body_class(bare(self.type)) or _is_record(bare(self.type))


def declared_of(call: Call, in_path: list[str], where: str) -> list[Declared]:
    """The parameters of a function or method; ``self`` and ``**kwargs`` are not among them.

    :raises ConfigurationError: an annotation cannot be resolved, or a parameter is positional only.
    """
    parameters = list(inspect.signature(call).parameters.values())
    written = any(isinstance(parameter.annotation, str) for parameter in parameters)
    hints = _hints(call, where) if written else {}
    found = []
    for index, parameter in enumerate(parameters):
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        untyped = parameter.annotation is parameter.empty
        if index == 0 and untyped and parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise ConfigurationError(
                f"parameter {parameter.name} is positional only and cannot be filled from a request",
                where=where,
                fix="Remove the / from the signature.",
            )
        _check_default(parameter, where)
        found.append(_declared(parameter, Any if untyped else hints.get(parameter.name, parameter.annotation), in_path))
    return found


def _check_default(parameter: inspect.Parameter, where: str) -> None:
    """:raises ConfigurationError: a mark stands where the default belongs, as other frameworks have it."""
    default = parameter.default
    kind = default if isinstance(default, type) else type(default)
    if default is not parameter.empty and (kind in MARKS or kind.__module__.startswith("fastapi.")):
        name = kind.__name__
        raise ConfigurationError(
            f"parameter {parameter.name} has the mark {name} as its default",
            where=where,
            fix=f"Write the mark into the type: {parameter.name}: Annotated[str, {name}()] = the default.",
        )


_STREAMS = (AsyncIterator, AsyncIterable, AsyncGenerator, Iterator, Generator)


def returned(call: Call) -> Any:
    """The declared type of the result; Any when nothing is declared or it cannot be resolved."""
    kind = inspect.signature(call).return_annotation
    if isinstance(kind, str):
        try:
            kind = _hints(call, "").get("return", Any)
        except ConfigurationError:
            return Any
    return Any if kind is inspect.Signature.empty else kind


def streamed(call: Call) -> Any:
    """The type of the values of a declared stream: ``Reading`` of ``AsyncIterator[Reading]``; None for no stream."""
    kind = returned(call)
    if (typing.get_origin(kind) or kind) not in _STREAMS:
        return None
    return (typing.get_args(kind) or (Any,))[0]


def is_open(call: Call) -> bool:
    """Whether the function takes arguments of any name."""
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(call).parameters.values())


def _hints(call: Call, where: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(inspect.unwrap(call), include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"an annotation cannot be resolved: {error}",
            where=where,
            fix="Define the class at the top level of the module, and import it outside of TYPE_CHECKING.",
        ) from error
    except TypeError:
        return {}  # not a function: what its signature says has to do


def _declared(parameter: inspect.Parameter, hint: Any, in_path: list[str]) -> Declared:
    mark = _mark(hint)
    required = parameter.default is parameter.empty
    place, key = _place(parameter.name, hint, mark, in_path)
    return Declared(parameter.name, _unmarked(hint), place, key, required, None if required else parameter.default)


def _place(name: str, hint: Any, mark: Any, in_path: list[str]) -> tuple[str, str]:
    if name in in_path:
        return "path", name
    if bare(hint) is Request:
        return "request", name
    if isinstance(mark, Header):
        return "header", (mark.name or name.replace("_", "-")).lower()
    if is_upload(hint):
        return "file", mark.name or name if isinstance(mark, Form) else name
    for kind, place in ((Query, "query"), (Cookie, "cookie"), (Form, "form")):
        if isinstance(mark, kind):
            return place, mark.name or name
    if bare(hint) is bytes:
        return "raw", name
    if isinstance(mark, Body) or comes_from_body(hint):
        return "body", name
    return "query", name


def comes_from_body(hint: Any) -> bool:
    """Whether a type needs JSON: it has fields, is a mapping, or holds such."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return comes_from_body(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType) or origin in _MANY:
        return any(comes_from_body(part) for part in typing.get_args(hint))
    return _is_record(origin or hint) or is_body_class(origin or hint)


def _is_record(cls: Any) -> bool:
    if not isinstance(cls, type):
        return False
    return issubclass(cls, Mapping) or hasattr(cls, "__total__") or (issubclass(cls, tuple) and hasattr(cls, "_fields"))


_SIMPLE = frozenset({"builtins", "datetime", "decimal", "uuid", "types", "collections", "collections.abc", "typing"})


def unreadable(hint: Any) -> Any:
    """The first class in a type that no text and no JSON can become; None when there is none."""
    if typing.get_origin(hint) is typing.Annotated:
        return unreadable(typing.get_args(hint)[0])
    for part in typing.get_args(hint) if typing.get_origin(hint) is not typing.Literal else ():
        found = unreadable(part) if isinstance(part, type) or typing.get_origin(part) is not None else None
        if found is not None:
            return found
    cls = typing.get_origin(hint) or hint
    if not isinstance(cls, type) or cls.__module__ in _SIMPLE or issubclass(cls, enum.Enum):
        return None
    named = hasattr(cls, "__total__") or hasattr(cls, "_fields")  # a mapping of a class of its own cannot be made
    return None if is_body_class(cls) or (named and _is_record(cls)) else cls


def is_many(hint: Any) -> bool:
    """Whether several values of one name are wanted: a list, set or tuple, or an optional one."""
    inner = bare(hint)
    return (typing.get_origin(inner) or inner) in _MANY


def is_upload(hint: Any) -> bool:
    """Whether a file is wanted, or several."""
    inner = bare(hint)
    parts = typing.get_args(inner) if typing.get_origin(inner) in _MANY else (inner,)
    return any(part is Upload for part in parts)


def mentions_float(hint: Any) -> bool:
    """Whether a float can come out."""
    return hint is float or any(mentions_float(part) for part in typing.get_args(hint))


def names_of(hint: Any) -> str:
    """A type as a user reads it: ``int``, ``list[str]``, ``one of 'a', 'b'``."""
    inner = bare(hint)
    if typing.get_origin(inner) is typing.Literal:
        return f"one of {', '.join(map(repr, typing.get_args(inner)))}"
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        return f"one of {', '.join(repr(member.value) for member in inner)}"
    if isinstance(inner, type) and not typing.get_args(inner):
        return inner.__name__
    return str(inner).replace("typing.", "")


def bare(hint: Any) -> Any:
    """A type without ``Annotated``, and without None in a union of two."""
    if typing.get_origin(hint) is typing.Annotated:
        return bare(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        return bare(rest[0]) if len(rest) == 1 else hint
    return hint


def _mark(hint: Any) -> Any:
    marks = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    for mark in marks:
        made = mark() if isinstance(mark, type) and mark in MARKS else mark
        if isinstance(made, MARKS):
            return made
    return None


def _unmarked(hint: Any) -> Any:
    """The type without our marks; other metadata, such as ``msgspec.Meta``, stays."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint
    inner, *marks = typing.get_args(hint)
    kept = [mark for mark in marks if not isinstance(mark, MARKS) and mark not in MARKS]
    return typing.Annotated[(inner, *kept)] if kept else inner
