"""Message types: their stable names and versions, and the registry that each flow has of its own.

A body is any class that msgspec encodes (dataclass, Struct, attrs), a pydantic model, a plain JSON type, or ``Any``.
No class is ever looked up or imported because a message names it: a name only selects among the types that the flow's
own code has declared.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from junctor.errors import ConfigurationError, TypeClash
from junctor.messages import codec
from junctor.messages.custom import Codec, codec_of, set_codec
from junctor.messages.sensitive import Path, sensitive_paths

Upgrade = Callable[[dict[str, Any], int], dict[str, Any]]
"""From the plain fields of an older version, and that version, to the fields of today's."""

C = TypeVar("C", bound=type)

_DECLARATION = "__junctor_message__"


class Declaration(msgspec.Struct, frozen=True):
    """What ``@message`` states about a class."""

    name: str | None = None
    version: int = 1
    aliases: tuple[str, ...] = ()
    upgrade: Upgrade | None = None


def message(
    *,
    name: str | None = None,
    version: int = 1,
    aliases: Iterable[str] = (),
    upgrade: Upgrade | None = None,
    codec: Codec | None = None,
) -> Callable[[C], C]:
    """Give a body class a stable name and version.

    :param name: the name carried by messages; the class name by default. It survives moving the class.
    :param version: today's version, from 1.
    :param aliases: earlier names under which stored messages may still arrive.
    :param upgrade: turns the fields of an older version into today's; without it they must still decode as they are.
    :param codec: the JSON form of its objects, and of those of derived classes, where it is not the usual one.
    :raises ConfigurationError: the name is empty or the version is below 1.
    """
    if name == "" or version < 1:
        what = f"@message(name={name!r}, version={version}) names no type"
        raise ConfigurationError(what, fix='Write for example @message(name="reading", version=2).')
    declaration = Declaration(name, version, (aliases,) if isinstance(aliases, str) else tuple(aliases), upgrade)

    def mark(cls: C) -> C:
        setattr(cls, _DECLARATION, declaration)
        if codec is not None:
            set_codec(cls, codec)
        return cls

    return mark


class MessageType(msgspec.Struct, frozen=True, eq=False):
    """A body type within one flow. ``frozen`` says that an object of it may be shared between services; ``sensitive``
    are the paths of what operators must not see."""

    name: str
    version: int
    cls: Any
    frozen: bool
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    aliases: tuple[str, ...] = ()
    upgrade: Upgrade | None = None
    sensitive: tuple[Path, ...] = ()

    def read(self, data: bytes, version: int, where: str) -> Any:
        """The body from its encoding.

        :raises DecodeError: with ``where`` and the path of the first field that does not fit.
        """
        # A newer body, after a release was taken back, has no way down: it fits as it is, or it is parked.
        if version < self.version and self.upgrade is not None:
            return codec.upgraded(self, data, version, where)
        try:
            return self.decode(data)
        except Exception as error:
            raise codec.decode_error(error, where, self.name) from error

    def fits(self, body: object) -> bool:
        """Whether a target of this type takes the object as it is."""
        return self.cls is Any or not isinstance(self.cls, type) or isinstance(body, self.cls)


def type_name(cls: Any) -> str:
    """The name under which a class travels."""
    if cls is Any:
        return "any"
    declared: Declaration | None = getattr(cls, _DECLARATION, None) if isinstance(cls, type) else None
    # A subclass inherits the attribute, but not the name: two classes, two types.
    if declared is not None and declared.name and _DECLARATION in vars(cls):
        return declared.name
    origin, parts = typing.get_origin(cls), typing.get_args(cls)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(type_name, parts))
    if origin is typing.Literal or (origin is None and not isinstance(cls, type)):
        return str(cls).replace("typing.", "")
    # Without the module: the name must not change when a program is started in another way.
    base = origin if isinstance(origin, type) else cls
    name = "None" if base is type(None) else getattr(base, "__qualname__", str(base)).replace("<locals>.", "")
    listed = ", ".join("..." if part is Ellipsis else type_name(part) for part in parts)
    return f"{name}[{listed}]" if parts else name


class TypeRegistry:
    """The body types of one flow, by class and by name.

    ``met_sensitive`` is called with each type that has sensitive fields when it is registered, in whichever thread.
    """

    def __init__(self) -> None:
        self.met_sensitive: Callable[[MessageType], object] = lambda kind: None
        self._by_class: dict[Any, MessageType] = {}
        self._by_name: dict[str, MessageType] = {}

    def register(self, cls: Any) -> MessageType:
        """The type of a class, made at its first use.

        :raises TypeClash: another class of this flow has the name.
        :raises ConfigurationError: the class cannot be a body.
        """
        known = self._by_class.get(cls)
        if known is not None:
            return known
        made = _make(cls)
        for name in (made.name, *made.aliases):
            other = self._by_name.get(name)
            if other is not None:
                raise TypeClash(
                    f'{_place(cls)} and {_place(other.cls)} are both called "{name}"',
                    fix=f'Give one of them another name: @message(name="{name.lower()}-2").',
                )
        self._by_class[cls] = made
        self._by_name.update(dict.fromkeys((made.name, *made.aliases), made))
        if made.sensitive:
            self.met_sensitive(made)
        return made

    def of(self, body: object) -> MessageType:
        """The type of an object: its class when that is a body class, else ``Any``."""
        cls = type(body)
        return self._by_class.get(cls) or self.register(cls if is_body_class(cls) else Any)

    def named(self, name: str) -> MessageType | None:
        return self._by_name.get(name)

    def __iter__(self) -> Iterator[MessageType]:
        return iter(self._by_class.values())


def is_body_class(cls: Any) -> bool:
    """Whether the class has fields of its own: dataclass, Struct, attrs or pydantic; or a codec."""
    return isinstance(cls, type) and (
        dataclasses.is_dataclass(cls)
        or issubclass(cls, msgspec.Struct)
        or hasattr(cls, "__attrs_attrs__")
        or codec.is_pydantic(cls)
        or codec_of(cls) is not None
    )


def _make(cls: Any) -> MessageType:
    declared: Declaration = vars(cls).get(_DECLARATION, Declaration()) if isinstance(cls, type) else Declaration()
    encode, decode = codec.coders(cls)
    return MessageType(
        type_name(cls),
        declared.version,
        cls,
        is_frozen(cls),
        encode,
        decode,
        declared.aliases,
        declared.upgrade,
        sensitive_paths(cls),
    )


def _place(cls: Any) -> str:
    return f"{getattr(cls, '__module__', '?')}.{getattr(cls, '__qualname__', cls)}"


_VALUES = (str, int, float, bool, bytes, type(None), datetime, date, time, timedelta, Decimal, UUID, complex)


def is_frozen(cls: Any) -> bool:
    """Whether no part of an object of this type can be changed, judged by its declared field types."""
    return _frozen(cls, set())


def _frozen(cls: Any, seen: set[Any]) -> bool:
    if cls in _VALUES or cls is Ellipsis:
        return True
    origin = typing.get_origin(cls)
    if origin is not None:
        immutable = origin in (tuple, frozenset, typing.Union, typing.Literal) or origin is type(int | str)
        arguments = () if origin is typing.Literal else typing.get_args(cls)
        if origin is typing.Annotated:
            return _frozen(arguments[0], seen)
        return immutable and all(_frozen(argument, seen) for argument in arguments)
    if not isinstance(cls, type):
        return False
    if issubclass(cls, enum.Enum):
        return True
    if cls in seen:
        return True
    return _declares_frozen(cls) and all(_frozen(hint, seen | {cls}) for hint in _hints(cls))


def _declares_frozen(cls: type) -> bool:
    if issubclass(cls, msgspec.Struct):
        return cls.__struct_config__.frozen
    return bool(dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def _hints(cls: type) -> list[Any]:
    try:
        return list(typing.get_type_hints(cls, include_extras=True).values())
    except (NameError, TypeError, AttributeError, SyntaxError):
        return [list]  # An annotation that cannot be resolved is taken for something mutable.
