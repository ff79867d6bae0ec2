"""What takes references, and what gives them."""

from __future__ import annotations

from abc import ABC
from typing import Any

from junctor.dialects.pip_services.commons.abilities import has_methods


class IReferences(ABC):  # noqa: B024 - References is the one; others may be written without inheriting
    """Components by their locators: descriptors as a rule, but anything that can be compared."""

    def put(self, locator: Any, component: Any) -> None:
        raise NotImplementedError

    def remove(self, locator: Any) -> Any:
        raise NotImplementedError

    def remove_all(self, locator: Any) -> list[Any]:
        raise NotImplementedError

    def get_all_locators(self) -> list[Any]:
        raise NotImplementedError

    def get_all(self) -> list[Any]:
        raise NotImplementedError

    def get_optional(self, locator: Any) -> list[Any]:
        raise NotImplementedError

    def get_required(self, locator: Any) -> list[Any]:
        raise NotImplementedError

    def get_one_optional(self, locator: Any) -> Any:
        raise NotImplementedError

    def get_one_required(self, locator: Any) -> Any:
        raise NotImplementedError

    def find(self, locator: Any, required: bool) -> list[Any]:
        raise NotImplementedError


class IReferenceable(ABC):  # noqa: B024 - nobody must inherit it, see abilities
    """Has ``set_references``; told by the method, not by the base class."""

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        return has_methods(subclass, "set_references") if cls is IReferenceable else NotImplemented

    def set_references(self, references: IReferences) -> None:
        """Looks up the components it needs, before it is opened.

        :raises ReferenceException: one is not there.
        """
        raise NotImplementedError(f"{type(self).__name__}.set_references is not written")


class IUnreferenceable(ABC):  # noqa: B024
    """Has ``unset_references``; told by the method, not by the base class."""

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        return has_methods(subclass, "unset_references") if cls is IUnreferenceable else NotImplemented

    def unset_references(self) -> None:
        """Lets go of the components it looked up, after it was closed."""
        raise NotImplementedError(f"{type(self).__name__}.unset_references is not written")
