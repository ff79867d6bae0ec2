"""Adapters by name: found by entry point, loaded when one is named.

``adapter: file-in`` in a flow file is an entry point of the group ``junctor.adapters``, whose name is ``file-in`` and
which names a class, an ordinary :class:`~junctor.Service`. Any installed distribution may register some. No message and
no peer ever names one: only who writes the flow does.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from junctor.errors import ConfigurationError, ImportFailed, named, nearest
from junctor.services import Service

GROUP = "junctor.adapters"
"""The group of entry points; the name of one is the name of its adapter, and what it names is a class."""


def adapter_names() -> list[str]:
    """The names of all that are installed."""
    return sorted(_registered())


def adapter(name: str) -> type[Service]:
    """The adapter of this name.

    :raises ConfigurationError: there is none, or two distributions have one.
    :raises ImportFailed: it cannot be loaded, or is no service.
    """
    point = _point(name)
    try:
        found = point.load()
    except Exception as error:
        what = f"{point.value} of {owner(name)} cannot be loaded: {named(error)}"
        raise ImportFailed(what, where=name, fix=f"Try `python -c 'import {point.module}'`.") from error
    if not isinstance(found, type) or not issubclass(found, Service):
        what = f"{point.value} of {owner(name)} is not a class derived from Service"
        raise ImportFailed(what, where=name, fix="Correct the entry point of that distribution.")
    return found


def adapter_name(cls: type) -> str:
    """The name under which a class is registered; empty for all else. Nothing is imported for it."""
    for name, points in _registered().items():
        if len(points) == 1 and _names(points[0], cls):
            return name
    return ""


def owner(name: str) -> str:
    """The distributions that register this name, with their versions: ``junctor 0.1.0``."""
    return " and ".join(map(_distribution, _registered().get(name, ())))


def distribution_of(cls: type) -> str:
    """The name of the distribution that registers a class, or one that it is derived from; empty for none."""
    name = next(filter(None, map(adapter_name, cls.__mro__)), "")
    return owner(name).partition(" ")[0]


# Entry points -----------------------------------------------------------------------------------------------


def _registered() -> Mapping[str, tuple[EntryPoint, ...]]:
    return _registered_on(tuple(sys.path))


@functools.lru_cache(maxsize=4)
def _registered_on(path: tuple[str, ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    """By name. More than one for a name is a mistake, which only matters where the name is used."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, {})[f"{_distribution(point)} {point.value}"] = point
    return {name: tuple(points.values()) for name, points in found.items()}


def _point(name: str) -> EntryPoint:
    if name not in _registered():
        _registered_on.cache_clear()  # it may have been installed since this process looked
    points = _registered().get(name, ())
    if not points:
        fix = f"{nearest(name, adapter_names())}`junctor adapters` tells what each does."
        raise ConfigurationError(f'there is no adapter "{name}"', where=name, fix=fix)
    if len(points) > 1:
        fix = f"Uninstall one of them, or name the class: class: {points[0].value}."
        raise ConfigurationError(f"two adapters have this name, of {owner(name)}", where=name, fix=fix)
    return points[0]


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"


def _names(point: EntryPoint, cls: type) -> bool:
    """Whether an entry point stands for a class; it may name another module, which imports the class."""
    found: object = sys.modules.get(point.module) if point.attr.rpartition(".")[2] == cls.__name__ else None
    for part in point.attr.split("."):
        found = getattr(found, part, None)
    return found is cls
