"""The dependencies of a component by names of its own."""

from __future__ import annotations

from typing import Any, Self

from junctor.dialects.pip_services.commons.config.config_params import ConfigParams
from junctor.dialects.pip_services.commons.config.interfaces import IReconfigurable
from junctor.dialects.pip_services.commons.errors.exceptions import ConfigException
from junctor.dialects.pip_services.commons.refer.descriptor import Descriptor
from junctor.dialects.pip_services.commons.refer.interfaces import IReferenceable, IReferences
from junctor.dialects.pip_services.commons.refer.reference_exception import ReferenceException


class DependencyResolver(IReconfigurable, IReferenceable):
    """A component says in its constructor what it needs; the section ``dependencies`` of its configuration may say
    otherwise.

    :param config: see :meth:`configure`.
    :param references: where to look.
    """

    def __init__(self, config: ConfigParams | None = None, references: IReferences | None = None) -> None:
        self._dependencies: dict[str, Any] = {}
        self._references: IReferences | None = None
        if config is not None:
            self.configure(config)
        if references is not None:
            self.set_references(references)

    def configure(self, config: ConfigParams) -> None:
        """Takes the locators in the section ``dependencies``: descriptors, or texts where they are not."""
        section = config.get_section("dependencies")
        for name in self._dependencies:
            section.get(name)  # who watches the configuration learns the names that are known
        for name, text in dict.items(section):
            if text:
                self._dependencies[name] = _locator(text)

    def set_references(self, references: IReferences) -> None:
        self._references = references

    def put(self, name: str, locator: Any) -> None:
        self._dependencies[name] = locator

    def get_optional(self, name: str) -> list[Any] | None:
        """All that fit, the newest first; None where nothing is known of this name."""
        return self.find(name, False)

    def get_required(self, name: str) -> list[Any]:
        """
        :raises ReferenceException: none fits, or nothing is known of this name.
        """
        return self.find(name, True) or []

    def get_one_optional(self, name: str) -> Any:
        found = self.find(name, False)
        return found[0] if found else None

    def get_one_required(self, name: str) -> Any:
        """
        :raises ReferenceException: none fits, or nothing is known of this name.
        """
        return self.get_required(name)[0]

    def find(self, name: str, required: bool) -> list[Any] | None:
        """
        :raises ReferenceException: none fits, or nothing is known of this name, and one is required.
        :raises ValueError: there is no name, or no references were set yet.
        """
        if not name:
            raise ValueError("Name cannot be null")
        if self._references is None:
            raise ValueError("References shall be set")
        locator = self._dependencies.get(name)
        if locator is None:
            if required:
                raise ReferenceException(None, name)
            return None
        return self._references.find(locator, required)

    @classmethod
    def from_tuples(cls, *tuples: Any) -> Self:
        """From names and locators in turn."""
        made = cls()
        for name, locator in zip(tuples[::2], tuples[1::2], strict=False):
            made.put(name, _locator(locator) if isinstance(locator, str) else locator)
        return made


def _locator(text: str) -> Any:
    try:
        return Descriptor.from_string(text)
    except ConfigException:
        return text
