"""What may be a message, and what becomes of one that is received."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import os
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from junctor.dialects.iop.messages.body import MessageBody, identify
from junctor.dialects.iop.messages.errors import SerializationError
from junctor.dialects.iop.messages.message import DECLARED, Message, message_name
from junctor.dialects.iop.messages.untyped import UntypedMessage, untyped
from junctor.messages import message, type_name
from junctor.messages.codec import is_pydantic


def is_message_class(cls: Any) -> bool:
    """Whether objects of a class may be sent: a subclass of Message, a pydantic model, a native type that is declared
    with ``@junctor.message`` or a Struct."""
    if not isinstance(cls, type) or cls in (Message, MessageBody):
        return False
    return issubclass(cls, (MessageBody, msgspec.Struct)) or is_pydantic(cls) or hasattr(cls, DECLARED)


def checked(body: Any, what: str = "the message") -> Any:
    """The body, if it may be sent or returned: a message, None or an empty string.

    :param what: how an error calls it.
    :raises TypeError: it is something else, or its class lacks ``@dataclass``.
    :raises SerializationError: a pydantic model that is a dataclass as well.
    """
    if body is None or (isinstance(body, str) and body == ""):
        return body
    cls = type(body)
    if isinstance(body, Message) and not dataclasses.is_dataclass(cls):
        raise TypeError(
            f"{cls.__module__}.{cls.__qualname__} must be a dataclass: write @dataclass above class {cls.__name__}"
        )
    if is_pydantic(cls):
        refuse_dataclass(cls)
        named(cls)
        return body
    if not is_message_class(cls):
        raise TypeError(_refusal(body, what))
    return body


def refuse_dataclass(model: type) -> None:
    """:raises SerializationError: a pydantic model is a dataclass as well, and so is neither."""
    if dataclasses.is_dataclass(model):
        what = f"{model.__module__}.{model.__qualname__} is a pydantic model and a dataclass"
        raise SerializationError(what, fix="Leave out @dataclass.")


def _refusal(body: Any, what: str) -> str:
    kind = f"{type(body).__module__}.{type(body).__qualname__}".removeprefix("builtins.")
    if inspect.isgenerator(body):
        return f"{what} is a generator: a handler that yields answers send_generator_request, which is not offered yet"
    if isinstance(body, type):
        return f"{what} is the class {body.__qualname__} and no object of it: write {body.__qualname__}(...)"
    if dataclasses.is_dataclass(body):
        name = type(body).__name__
        return f"{what} is of {kind}, which is no message: write class {name}(Message), or @junctor.message() above it"
    return (
        f"{what} must be an object of a subclass of Message or PydanticMessage, another pydantic model, None or an "
        f"empty string; it is {kind}"
    )


def named(cls: Any) -> Any:
    """The class. A pydantic model that is nobody's message gets its name, ``module.Class``, with the first call."""
    if is_pydantic(cls) and DECLARED not in vars(cls):
        message(name=message_name(cls))(cls)
    return cls


def received(body: Any, id: str = "") -> Any:
    """A body as the code of a component gets it: it knows its id, and JSON of no known class has its fields as
    attributes.

    :param id: that of the message it came in, empty where nobody knows it.
    """
    if isinstance(body, dict) and not isinstance(body, UntypedMessage):
        body = untyped(body)
    if not isinstance(body, MessageBody):
        return body
    if getattr(getattr(type(body), "__dataclass_params__", None), "frozen", False):
        body = copy.copy(body)  # the same object may be with others
    if id:
        identify(body, id)
    return body


def messages_of(module: types.ModuleType) -> Iterator[type]:
    """The message classes that the code of a module can name: its own, those it imported by name, and those of modules
    beside it that it imported as a whole."""
    folder = _folder(module)
    seen = set()
    beside = (part for part in vars(module).values() if isinstance(part, types.ModuleType))
    for place in (module, *(part for part in beside if folder and _folder(part) == folder)):
        for value in list(vars(place).values()):
            if _is_complete(value) and value not in seen:
                seen.add(value)
                yield named(value)


def _folder(module: types.ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return os.path.dirname(file) if isinstance(file, str) else ""


def _is_complete(value: Any) -> bool:
    """Whether it is a class of messages, and not a base of such classes."""
    if not is_message_class(value) or value.__module__.partition(".")[0] in ("junctor", "pydantic"):
        return False
    return not issubclass(value, Message) or dataclasses.is_dataclass(value)


def class_named(name: str, beside: Sequence[types.ModuleType] = ()) -> type | None:
    """The message class called ``package.module.Class``, if its module is imported already; nothing is imported.

    :param beside: modules of a project. Where that has a module of the name itself, one of another folder is not meant.
    """
    module, _, path = name.rpartition(".")
    place = sys.modules.get(module)
    if place is None or any(_has_its_own(_folder(one), place) for one in beside):
        return None
    found = getattr(place, path, None)
    return found if is_message_class(found) else None


def _has_its_own(folder: str, place: types.ModuleType) -> bool:
    """Whether a folder has another module of the name of this one."""
    first = os.path.join(folder, place.__name__.partition(".")[0])
    return bool(folder) and not _folder(place).startswith(folder) and any(map(os.path.exists, (first, f"{first}.py")))


def key_of(cls: Any) -> str:
    """The name by which a class is chosen in a dispatch table."""
    return type_name(cls) if DECLARED in vars(cls) else message_name(cls)
