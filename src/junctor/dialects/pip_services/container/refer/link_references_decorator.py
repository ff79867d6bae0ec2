"""Components are linked."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.commons.refer import Referencer
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.container.refer.naming import name_of, named
from junctor.dialects.pip_services.container.refer.references_decorator import ReferencesDecorator


class LinkReferencesDecorator(ReferencesDecorator, IOpenable):
    """Opened, it links all components; from then on each that comes, and unlinks each that goes."""

    _opened = False

    def is_open(self) -> bool:
        return self._opened

    def open(self, correlation_id: str | None) -> None:
        """
        :raises ReferenceException: a component does not find another; who looked for it is added to the message.
        """
        if self._opened:
            return
        self._opened = True
        for component in self.get_all():
            self._link(component)

    def close(self, correlation_id: str | None) -> None:
        if self._opened:
            self._opened = False
            Referencer.unset_references(reversed(self.get_all()))

    def put(self, locator: Any, component: Any) -> None:
        """One that comes late is linked at once.

        Whatever it raises comes out of here, and it is not there then.
        """
        super().put(locator, component)
        if self._opened:
            try:
                self._link(component)
            except BaseException:
                super().remove(component)
                raise

    def remove(self, locator: Any) -> Any:
        component = super().remove(locator)
        self._unlink(component)
        return component

    def remove_all(self, locator: Any) -> list[Any]:
        components = super().remove_all(locator)
        for component in components:
            self._unlink(component)
        return components

    def _link(self, component: Any) -> None:
        with named(name_of(self, component), "link"):
            Referencer.set_references_for_one(self.top_references, component)

    def _unlink(self, component: Any) -> None:
        if self._opened and component is not None:
            Referencer.unset_references_for_one(component)
