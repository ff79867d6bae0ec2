"""What a class is in a production, and the name that it gets when nobody gives one."""

from __future__ import annotations

import re
from typing import Any

from junctor.dialects.iop.components import (
    BusinessHost,
    BusinessOperation,
    BusinessProcess,
    BusinessService,
    InboundAdapter,
    OutboundAdapter,
)

KINDS: dict[str, type[BusinessHost]] = {
    "service": BusinessService,
    "process": BusinessProcess,
    "operation": BusinessOperation,
}
"""The kinds of items, each with the base of its classes."""

UNKNOWN = "component"
"""The kind of an item whose class is only a name."""

_ARTICLES = {"service": "a", "process": "a", "operation": "an", UNKNOWN: "a"}
_MARK = re.compile(r"__[0-9a-f]{8}$")


def kind_of(cls: Any) -> str:
    """The kind of a component class; :data:`UNKNOWN` for other hosts.

    :raises TypeError: it is no class of an item.
    """
    for kind, base in KINDS.items():
        if isinstance(cls, type) and issubclass(cls, base):
            return kind
    if isinstance(cls, type) and issubclass(cls, BusinessHost):
        return UNKNOWN
    if isinstance(cls, str):
        raise TypeError(f"{cls!r} is a name and no class: write class_name={cls!r}, where it is a registered one")
    name = getattr(cls, "__qualname__", repr(cls))
    raise TypeError(f"{name} cannot be an item of a production: it is no BusinessService, BusinessProcess or operation")


def checked_kind(cls: Any, kind: str) -> str:
    """The kind of a class that is added as one of ``kind``; that itself where no class is given.

    :raises TypeError: it is of another kind.
    """
    if kind not in (*KINDS, UNKNOWN):
        raise ValueError(f'kind is "service", "process", "operation" or "component", not {kind!r}')
    if cls is None:
        return kind
    own = kind_of(cls)
    if UNKNOWN not in (own, kind) and own != kind:
        what = f"{cls.__qualname__} is {_ARTICLES[own]} {own}, not {_ARTICLES[kind]} {kind}"
        raise TypeError(f"{what}: add it with .{own}(), or as {own.title()}Item")
    return own if kind == UNKNOWN else kind


def checked_adapter(cls: Any) -> type | None:
    """:raises TypeError: it is no class of an adapter."""
    if cls is None or (isinstance(cls, type) and issubclass(cls, InboundAdapter | OutboundAdapter)):
        return cls
    raise TypeError(f"{getattr(cls, '__qualname__', cls)} is neither an InboundAdapter nor an OutboundAdapter")


def plain_module(cls: type) -> str:
    """The name by which the module of a class was imported: where two folders have a module ``bo``, the second goes on
    as ``bo__1f0c2a3b``, in whichever order they were loaded."""
    top, dot, rest = cls.__module__.partition(".")
    return f"{_MARK.sub('', top)}{dot}{rest}".removeprefix("junctor_file_")


def automatic_name(cls: type) -> str:
    """``Python.module.Class``, without underscores, which names in IRIS have not."""
    return f"Python.{plain_module(cls)}.{cls.__name__}".replace("_", "")
