"""Names of messages that programs may import, and that are not offered yet."""

from __future__ import annotations

from typing import Any


class Model:
    """A stored object with a table of its own: not offered yet. The class can be written, its objects cannot be made.

    :raises NotImplementedError: when an object is made.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__()

    def __new__(cls, *args: Any, **fields: Any) -> Any:
        """:raises NotImplementedError: always."""
        raise NotImplementedError(
            f"{cls.__qualname__} is a PersistentMessage or Model, which is not offered yet. Make it a dataclass that "
            "derives from Message: every message is stored, and its fields can be searched"
        )


class PersistentMessage(Model):
    """A message with a table of its own: not offered yet."""


def Field(**options: Any) -> Any:
    """A field of a :class:`PersistentMessage`: not offered yet; it does nothing."""
    return options.get("default")
