"""Components are made when they are asked for."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.refer import Descriptor, ReferenceException
from junctor.dialects.pip_services.components.build import IFactory
from junctor.dialects.pip_services.container.refer.known import near
from junctor.dialects.pip_services.container.refer.references_decorator import ReferencesDecorator
from junctor.dialects.pip_services.container.selfless import check_methods

_FACTORIES = Descriptor(None, "factory", None, None, None)


class BuildReferencesDecorator(ReferencesDecorator):
    """A component that is required and not there is made by the factories among the references."""

    def find_factory(self, locator: Any) -> IFactory | None:
        """The factory that can make it, the newest first; None where none can."""
        known = self.next_references.get_optional(_FACTORIES)
        return next((one for one in known if isinstance(one, IFactory) and one.can_create(locator) is not None), None)

    def create(self, locator: Any, factory: IFactory | None) -> Any:
        """A new component.

        :raises CreateException: its constructor raised.
        :raises ConfigException: a method of its class cannot be called.
        """
        component = None if factory is None else factory.create(locator)
        if component is not None:
            check_methods(type(component))
        return component

    def clarify_locator(self, locator: Any, factory: IFactory | None) -> Any:
        """The locator with its open parts as the factory has them."""
        known = None if factory is None else factory.can_create(locator)
        if not isinstance(locator, Descriptor) or not isinstance(known, Descriptor):
            return locator
        return Descriptor(
            locator.get_group() or known.get_group(),
            locator.get_type() or known.get_type(),
            locator.get_kind() or known.get_kind(),
            locator.get_name() or known.get_name(),
            locator.get_version() or known.get_version(),
        )

    def find(self, locator: Any, required: bool) -> list[Any]:
        """
        :raises ReferenceException: one is required, none is there, and no factory makes it.
        :raises CreateException: its constructor raised.
        """
        found = super().find(locator, False)
        if found or not required:
            return found
        factory = self.find_factory(locator)
        component = self.create(locator, factory)
        if component is None:
            error = ReferenceException(None, locator)
            error.message += near(locator, self)
            raise error
        self.top_references.put(self.clarify_locator(locator, factory), component)
        return [component]
