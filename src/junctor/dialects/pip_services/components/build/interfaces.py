"""What makes components."""

from __future__ import annotations

from abc import ABC
from typing import Any


class IFactory(ABC):  # noqa: B024 - others may be written without inheriting Factory
    """Makes components by their locators."""

    def can_create(self, locator: Any) -> Any:
        """The locator under which it is registered, None where this factory cannot make it."""
        raise NotImplementedError(f"{type(self).__name__}.can_create is not written")

    def create(self, locator: Any) -> Any:
        """
        :raises CreateException: making it failed.
        """
        raise NotImplementedError(f"{type(self).__name__}.create is not written")
