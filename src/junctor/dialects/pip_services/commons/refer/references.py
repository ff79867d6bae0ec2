"""The components of a container."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Self

from junctor.dialects.pip_services.commons.refer.interfaces import IReferences
from junctor.dialects.pip_services.commons.refer.reference import Reference
from junctor.dialects.pip_services.commons.refer.reference_exception import ReferenceException


class References(IReferences):
    """A register that is searched backwards: of several that fit, the one that was put last is found first.

    :param tuples: locators and components in turn.
    """

    def __init__(self, tuples: Iterable[Any] | None = None) -> None:
        self._references: list[Reference] = []
        self._lock = threading.RLock()
        flat = list(tuples or ())
        for locator, component in zip(flat[::2], flat[1::2], strict=False):
            self.put(locator, component)

    def put(self, locator: Any, component: Any) -> None:
        """
        :raises ValueError: there is no component.
        """
        reference = Reference(locator, component)
        with self._lock:
            self._references.append(reference)

    def remove(self, locator: Any) -> Any:
        """Takes away the last one that fits and returns it; None where none does."""
        with self._lock:
            for index in reversed(range(len(self._references))):
                if self._references[index].match(locator):
                    return self._references.pop(index).get_component()
        return None

    def remove_all(self, locator: Any) -> list[Any]:
        """Takes away all that fit and returns them, the last one first."""
        with self._lock:
            found = [each for each in reversed(self._references) if each.match(locator)]
            self._references = [each for each in self._references if each not in found]
        return [each.get_component() for each in found]

    def get_all_locators(self) -> list[Any]:
        with self._lock:
            return [each.get_locator() for each in self._references]

    def get_all(self) -> list[Any]:
        """All components in the order in which they were put."""
        with self._lock:
            return [each.get_component() for each in self._references]

    def get_optional(self, locator: Any) -> list[Any]:
        """All that fit, the newest first."""
        return [] if locator is None else self.find(locator, False)

    def get_required(self, locator: Any) -> list[Any]:
        """
        :raises ReferenceException: none fits.
        """
        return self.find(locator, True)

    def get_one_optional(self, locator: Any) -> Any:
        """The newest that fits, or None."""
        found = self.get_optional(locator)
        return found[0] if found else None

    def get_one_required(self, locator: Any) -> Any:
        """The newest that fits.

        :raises ReferenceException: none does.
        """
        return self.find(locator, True)[0]

    def find(self, locator: Any, required: bool) -> list[Any]:
        """All that fit, the newest first.

        :raises ReferenceException: none does, and one is required.
        :raises ValueError: there is no locator.
        """
        if locator is None:
            raise ValueError("Locator cannot be null")
        with self._lock:
            found = [each.get_component() for each in reversed(self._references) if each.match(locator)]
        if required and not found:
            raise ReferenceException(None, locator)
        return found

    @classmethod
    def from_tuples(cls, *tuples: Any) -> Self:
        """From locators and components in turn."""
        return cls(tuples)
