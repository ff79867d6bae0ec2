"""What a component can do is told by its methods, not by its base classes.

``isinstance(component, IConfigurable)`` is true for everything with a method ``configure``, so a controller that
inherits nothing gets its configuration, as the documentation of that system promises.
"""

from __future__ import annotations


def has_methods(cls: type, *names: str) -> bool:
    """Whether a class has all these methods, its own or inherited."""
    return all(callable(getattr(cls, name, None)) for name in names)
