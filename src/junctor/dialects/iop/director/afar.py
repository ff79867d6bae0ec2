"""A business service of a node in another process, called through the control socket of that node."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from junctor.dialects.iop.director.connections import Connections
from junctor.dialects.iop.messages import MessageBody, class_named, untyped
from junctor.errors import JunctorError, NodeNotFound, UnknownOperation
from junctor.messages import MessageType, TypeRegistry, type_name
from junctor.messages.types import is_body_class


class _Answered(msgspec.Struct):
    type: str
    body: msgspec.Raw


def call_afar(connections: Connections, directory: Path, item: str, value: Any) -> Any:
    """Call a business service and wait for what it returns: a message of its class where this process knows that.

    :raises NodeNotFound: the node does not run.
    :raises NotABusinessService: it has no such service.
    :raises CallFailed: the service raised.
    :raises ConnectionLost: the node ended meanwhile; whether the service was called is not known.
    """
    with connections.to(directory) as client:
        try:
            answer: _Answered = client.ask("iop-input", _Answered, item=item, body=value, type=_name_of(value))
        except UnknownOperation as error:
            raise _foreign(directory) from error
    return received(answer.type, bytes(answer.body))


def received(name: str, data: bytes) -> Any:
    """An object of the class of this name, where a module of this process has one; else one without a type."""
    cls = known_class(name) if name else None
    if cls is None:
        return untyped(msgspec.json.decode(data))
    return _type_of(cls).read(data, 1, name)


@functools.lru_cache(maxsize=256)
def _type_of(cls: type) -> MessageType:
    return TypeRegistry().register(cls)


def known_class(name: str) -> Any:
    """The message class that travels under this name, None where this process has not imported it.

    Where two projects have a message of one name, that of the second is told by its folder: ``msg.Order@/srv/second``.
    """
    plain, _, folder = name.partition("@")
    found = class_named(name)
    if found is not None and type_name(found) == name:
        return found
    for cls in _subclasses(MessageBody):
        if type_name(cls) == name or (folder and type_name(cls) == plain and _is_from(cls, folder)):
            return cls
    return None


def _subclasses(cls: type) -> Iterator[type]:
    derived: type
    for derived in cls.__subclasses__():
        yield derived
        yield from _subclasses(derived)


def _is_from(cls: type, folder: str) -> bool:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return isinstance(file, str) and Path(file).is_relative_to(folder)


def _name_of(value: Any) -> str:
    return type_name(type(value)) if is_body_class(type(value)) else ""


def _foreign(directory: Path) -> JunctorError:
    fix = "Start the production with `iop --start`, or name its folder with $IOP_HOME."
    return NodeNotFound("the node that runs there has no production", where=str(directory), fix=fix)
