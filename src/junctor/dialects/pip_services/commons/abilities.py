"""What a component can do is told by its methods, not by its base classes.

``isinstance(component, IConfigurable)`` is true for everything with a method ``configure``, so a controller that
inherits nothing gets its configuration, as the documentation of that system promises.
"""

from __future__ import annotations

from typing import Any


def has_methods(cls: type, *names: str) -> bool:
    """Whether a class has all these methods, its own or inherited."""
    return all(callable(_attribute(cls, name)) for name in names)


def _attribute(cls: type, name: str) -> Any:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
