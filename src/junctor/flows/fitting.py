"""What fits what: targets to handlers, replies to what is expected of them, keys and conditions to fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from junctor.core.spec import HandlerSpec, ServiceSpec, TargetSpec
from junctor.messages import codec, type_name
from junctor.messages.types import is_body_class
from junctor.services.hints import own_annotations
from junctor.services.target import members, wire_types


def shown(kind: Any) -> str:
    """A type as users know it: ``Reading``, ``Reading | Note``."""
    return " | ".join(type_name(part) if part is not Any else "Any" for part in members(kind))


def declaration(request: str, replies: Any) -> str:
    """How a target is declared: ``Target[Reading]``, ``Target[Order, Receipt]``."""
    return f"Target[{request}]" if replies is None else f"Target[{request}, {shown(replies)}]"


def open_handlers(to: ServiceSpec) -> list[HandlerSpec]:
    """The handlers of a service that are found without their names."""
    return [handler for handler in to.handlers if not handler.by_name]


def reached(target: TargetSpec, to: ServiceSpec, by_name: bool = False) -> list[HandlerSpec]:
    """The handlers that the bodies of a target reach."""
    if target.request is Any:
        return open_handlers(to)
    wanted = _known_as(wire_types(target.request), by_name)
    exact = [handler for handler in open_handlers(to) if _known_as((handler.accepts,), by_name)[0] in wanted]
    return exact or [handler for handler in open_handlers(to) if handler.accepts is Any]


def unhandled(target: TargetSpec, to: ServiceSpec, *, by_any: bool, by_name: bool = False) -> list[Any]:
    """The types of a target that a service has no handler for.

    :param by_any: a handler of Any counts.
    :param by_name: another class of the same name is the same type, as between flows.
    """
    accepted = [handler.accepts for handler in open_handlers(to)]
    if not accepted:
        return [target.request]
    if target.request is Any or (by_any and Any in accepted) or target.request in accepted:
        return []
    known = _known_as(accepted, by_name)
    kinds = wire_types(target.request)
    return [kind for kind, name in zip(kinds, _known_as(kinds, by_name), strict=True) if name not in known]


def fits(replies: Any, expected: Any, by_name: bool = False) -> bool:
    """Whether everything that a handler may reply is expected."""
    if replies is Any:
        return True
    return set(_known_as(members(replies), by_name)) <= set(_known_as(members(expected), by_name))


def _known_as(kinds: Sequence[Any], by_name: bool) -> list[Any]:
    return [shown(kind) for kind in kinds] if by_name else list(kinds)


def askable(cls: type) -> set[str]:
    """The names by which an object of a body class can be asked: its fields and properties."""
    fields = {name for base in cls.__mro__ for name in own_annotations(base) if not name.startswith("_")}
    return fields | {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, property)}


def carried(kind: Any) -> frozenset[str] | None:
    """The fields that a body has as data; None where nobody knows them."""
    found: set[str] = set()
    for part in members(kind):
        if not is_body_class(part):
            return None
        found |= _carried(part)
    return frozenset(found)


def _carried(cls: Any) -> set[str]:
    if codec.is_pydantic(cls):
        return set(cls.__pydantic_fields__) | set(getattr(cls, "__pydantic_computed_fields__", ()))
    if issubclass(cls, msgspec.Struct):
        tag = cls.__struct_config__.tag_field
        return {*cls.__struct_encode_fields__, *([tag] if tag else [])}
    if dataclasses.is_dataclass(cls):
        return {field.name for field in dataclasses.fields(cls)}
    return {field.name for field in cls.__attrs_attrs__}


def circles(edges: Mapping[str, list[str]]) -> list[list[str]]:
    """A circle for each way back that a walk through a graph meets; its first node is its last."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        waiting = [(start, False)]
        while waiting:
            node, leaving = waiting.pop()
            if leaving:
                done.add(path.pop())
            elif node in path:
                found.append([*path[path.index(node) :], node])
            elif node not in done:
                path.append(node)
                waiting.append((node, True))
                waiting += [(following, False) for following in reversed(edges.get(node, []))]
    return found
