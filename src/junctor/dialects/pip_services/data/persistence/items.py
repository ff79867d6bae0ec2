"""Items of a persistence: objects with attributes, or dicts, which programs read in both ways."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from junctor.dialects.pip_services.commons.errors import BadRequestException


class Item(dict[str, Any]):
    """A dict whose entries are also attributes: ``item["id"]`` and ``item.id``. A method of dict comes before an entry
    of its name, and names with two underscores on both sides belong to Python: an entry ``__deepcopy__`` from a request
    must not become the way to copy the item."""

    def __getattr__(self, name: str) -> Any:
        if name in self and not _is_pythons(name):
            return self[name]
        raise AttributeError(f'the item has no "{name}"')

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def kept(item: Any) -> Any:
    """A copy that shares nothing with the item of the caller. A plain dict becomes an :class:`Item`."""
    return Item(copy.deepcopy(item)) if type(item) is dict else copy.deepcopy(item)


def get(item: Any, name: str) -> Any:
    """The value of a field, ``a.b`` for a field inside another; None where there is none."""
    for part in name.split("."):
        item = item.get(part) if isinstance(item, Mapping) else getattr(item, part, None)
    return item


def id_of(item: Any) -> Any:
    return item.get("id") if isinstance(item, dict) else getattr(item, "id", None)


def put(item: Any, name: str, value: Any) -> None:
    """Set a field. Of a dict with attributes of its own both are set: classes of programs have their fields twice.

    :raises BadRequestException: an object has no field of this name, for it belongs to Python.
    """
    if isinstance(item, dict):
        item[name] = value
        if name not in getattr(item, "__dict__", ()):
            return
    if _is_pythons(name):
        raise BadRequestException(None, "BAD_FIELD", f"{name} is no field of an item").with_details("field", name)
    setattr(item, name, value)


def _is_pythons(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
