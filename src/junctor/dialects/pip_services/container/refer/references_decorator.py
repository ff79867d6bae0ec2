"""References that do more than to keep components."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.refer import IReferences


class ReferencesDecorator(IReferences):
    """Hands everything on.

    :param next_references: to whom.
    :param top_references: the outermost of the chain, for who needs all of it.
    """

    def __init__(self, next_references: IReferences, top_references: IReferences | None = None) -> None:
        self.next_references = next_references
        self.top_references: IReferences = next_references if top_references is None else top_references

    def put(self, locator: Any, component: Any) -> None:
        self.next_references.put(locator, component)

    def remove(self, locator: Any) -> Any:
        return self.next_references.remove(locator)

    def remove_all(self, locator: Any) -> list[Any]:
        return self.next_references.remove_all(locator)

    def get_all_locators(self) -> list[Any]:
        return self.next_references.get_all_locators()

    def get_all(self) -> list[Any]:
        return self.next_references.get_all()

    def get_optional(self, locator: Any) -> list[Any]:
        return [] if locator is None else self.find(locator, False)

    def get_required(self, locator: Any) -> list[Any]:
        return self.find(locator, True)

    def get_one_optional(self, locator: Any) -> Any:
        found = self.get_optional(locator)
        return found[0] if found else None

    def get_one_required(self, locator: Any) -> Any:
        return self.find(locator, True)[0]

    def find(self, locator: Any, required: bool) -> list[Any]:
        return self.next_references.find(locator, required)
