"""A factory to register classes with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.errors import ApplicationException
from junctor.dialects.pip_services.components.build.create_exception import CreateException
from junctor.dialects.pip_services.components.build.interfaces import IFactory


class Factory(IFactory):
    """Makes components of the classes that are registered; the first registration that fits is taken."""

    def __init__(self) -> None:
        self._registrations: list[tuple[Any, Callable[[Any], Any]]] = []

    def register(self, locator: Any, factory: Callable[[Any], Any]) -> None:
        """
        :param factory: called with the locator that was asked for.
        :raises ValueError: there is no locator or no factory.
        """
        if locator is None:
            raise ValueError("Locator cannot be null")
        self._registrations.append((locator, factory))

    def register_as_type(self, locator: Any, object_factory: type) -> None:
        """
        :param object_factory: a class whose constructor needs no arguments.
        :raises ValueError: there is no locator or no class.
        """
        if object_factory is None:
            raise ValueError("Factory cannot be null")
        self.register(locator, lambda asked: object_factory())

    def can_create(self, locator: Any) -> Any:
        return next((known for known, _ in self._registrations if known == locator), None)

    def create(self, locator: Any) -> Any:
        """None where nothing is registered.

        :raises CreateException: the constructor raised; its own error is the cause.
        """
        make = next((make for known, make in self._registrations if known == locator), None)
        if make is None:
            return None
        try:
            return make(locator)
        except CreateException:
            raise
        except Exception as error:
            kind = "" if isinstance(error, ApplicationException) else f"{type(error).__name__}: "
            message = f"Failed to create object for {locator}: {kind}{error}"
            raise CreateException(None, message).with_details("locator", locator).with_cause(error) from error
