"""Methods of objects by their names; case does not count."""

from __future__ import annotations

from typing import Any


class MethodReflector:
    @staticmethod
    def has_method(obj: Any, name: str) -> bool:
        return _find(obj, name) is not None

    @staticmethod
    def invoke_method(obj: Any, name: str, *args: Any) -> Any:
        """What the method returns; None where there is none. Its own errors are raised."""
        found = _find(obj, name)
        return None if found is None else getattr(obj, found)(*args)

    @staticmethod
    def get_method_names(obj: Any) -> list[str]:
        """Those without ``_`` in front."""
        cls = type(obj)
        return [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name, None))]


def _find(obj: Any, name: str) -> str | None:
    wanted = name.lower()
    return next((known for known in MethodReflector.get_method_names(obj) if known.lower() == wanted), None)
