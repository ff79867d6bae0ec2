"""Several factories as one."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.components.build.create_exception import CreateException
from junctor.dialects.pip_services.components.build.interfaces import IFactory


class CompositeFactory(IFactory):
    """The factory that was added last is asked first."""

    def __init__(self, *factories: IFactory) -> None:
        self._factories: list[IFactory] = list(factories)

    def add(self, factory: IFactory) -> None:
        """
        :raises ValueError: there is no factory.
        """
        if factory is None:
            raise ValueError("Factory cannot be null")
        self._factories.append(factory)

    def remove(self, factory: IFactory) -> None:
        """Nothing happens where it is not there."""
        self._factories = [one for one in self._factories if one is not factory]

    def _find(self, locator: Any) -> tuple[IFactory, Any] | None:
        for factory in reversed(self._factories):
            known = factory.can_create(locator)
            if known is not None:
                return factory, known
        return None

    def can_create(self, locator: Any) -> Any:
        """
        :raises ValueError: there is no locator.
        """
        if locator is None:
            raise ValueError("Locator cannot be null")
        found = self._find(locator)
        return None if found is None else found[1]

    def create(self, locator: Any) -> Any:
        """
        :raises ValueError: there is no locator.
        :raises CreateException: no factory can make it, or making it failed.
        """
        if locator is None:
            raise ValueError("Locator cannot be null")
        found = self._find(locator)
        if found is None:
            raise CreateException(None, locator)
        return found[0].create(locator)
