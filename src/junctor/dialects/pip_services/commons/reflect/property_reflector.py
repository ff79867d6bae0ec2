"""Properties of objects by their names; case does not count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PropertyReflector:
    """Properties are attributes that are no methods; in lists of them, those with ``_`` in front are left out."""

    @staticmethod
    def has_property(obj: Any, name: str) -> bool:
        return _find(obj, name) is not None

    @staticmethod
    def get_property(obj: Any, name: str) -> Any:
        """Its value, or None: there is none, or it cannot be read."""
        found = _find(obj, name)
        return None if found is None else _read(obj, found)

    @staticmethod
    def get_property_names(obj: Any) -> list[str]:
        return [name for name in _names(obj) if not name.startswith("_")]

    @staticmethod
    def get_properties(obj: Any) -> dict[str, Any]:
        return {name: _read(obj, name) for name in PropertyReflector.get_property_names(obj)}

    @staticmethod
    def set_property(obj: Any, name: str, value: Any) -> None:
        """Nothing happens where there is no such property, or it cannot be written."""
        found = _find(obj, name)
        if found is not None:
            try:
                setattr(obj, found, value)
            except AttributeError:
                return

    @staticmethod
    def set_properties(obj: Any, values: Mapping[str, Any] | None) -> None:
        for name, value in (values or {}).items():
            PropertyReflector.set_property(obj, name, value)


def _names(obj: Any) -> list[str]:
    """Own attributes first, in the order of their making, then those of the classes."""
    own = list(getattr(obj, "__dict__", ()))
    inherited = [name for name in dir(type(obj)) if not name.startswith("__") and not _is_method(type(obj), name)]
    return [name for name in dict.fromkeys(own + inherited) if not callable(_kept(obj, name))]


def _kept(obj: Any, name: str) -> Any:
    """What an object itself keeps under a name; properties are not computed for it."""
    return getattr(obj, "__dict__", {}).get(name)


def _is_method(cls: type, name: str) -> bool:
    return callable(getattr(cls, name, None))


def _find(obj: Any, name: str) -> str | None:
    if obj is None or not name:
        return None
    wanted = name.lower()
    return next((known for known in _names(obj) if known.lower() == wanted), None)


def _read(obj: Any, name: str) -> Any:
    try:
        return getattr(obj, name)
    except Exception:  # noqa: BLE001 - a property of the program's; what it cannot tell is None
        return None
