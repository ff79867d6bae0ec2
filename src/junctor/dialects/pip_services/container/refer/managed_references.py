"""References with a life."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.dialects.pip_services.commons.refer import References
from junctor.dialects.pip_services.commons.run import IOpenable
from junctor.dialects.pip_services.container.refer.build_references_decorator import BuildReferencesDecorator
from junctor.dialects.pip_services.container.refer.closing import Closing
from junctor.dialects.pip_services.container.refer.link_references_decorator import LinkReferencesDecorator
from junctor.dialects.pip_services.container.refer.references_decorator import ReferencesDecorator
from junctor.dialects.pip_services.container.refer.run_references_decorator import RunReferencesDecorator


class ManagedReferences(ReferencesDecorator, IOpenable):
    """Makes components that are needed, links and opens them, and closes and unlinks them in the opposite order.

    :param tuples: locators and components in turn.
    """

    def __init__(self, tuples: Iterable[Any] | None = None) -> None:
        self._references = References(tuples)
        self._builder = BuildReferencesDecorator(self._references, self)
        self._linker = LinkReferencesDecorator(self._builder, self)
        self._runner = RunReferencesDecorator(self._linker, self)
        super().__init__(self._runner, self)

    def is_open(self) -> bool:
        return self._runner.is_open()

    @property
    def closing(self) -> Closing | None:
        """What closes the components; None for who calls :meth:`close`."""
        return self._runner.closing

    @closing.setter
    def closing(self, closing: Closing | None) -> None:
        self._runner.closing = closing

    def open(self, correlation_id: str | None) -> None:
        """What was linked and opened is closed and unlinked when a later one cannot be.

        Whatever a component raises comes out of here.
        """
        try:
            self._linker.open(correlation_id)
            self._runner.open(correlation_id)
        except BaseException:
            self._linker.close(correlation_id)
            raise

    def close(self, correlation_id: str | None) -> None:
        try:
            self._runner.close(correlation_id)
        finally:
            self._linker.close(correlation_id)
