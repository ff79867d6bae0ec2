"""Components are opened and closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from junctor.dialects.pip_services.commons.refer import IReferences
from junctor.dialects.pip_services.commons.run import Closer, IOpenable, Opener
from junctor.dialects.pip_services.container.refer.closing import Closing
from junctor.dialects.pip_services.container.refer.naming import name_of, named, told
from junctor.dialects.pip_services.container.refer.references_decorator import ReferencesDecorator


class RunReferencesDecorator(ReferencesDecorator, IOpenable):
    """Opened, it opens all components in their order; closed, it closes those it has opened, the last one first."""

    def __init__(self, next_references: IReferences, top_references: IReferences | None = None) -> None:
        super().__init__(next_references, top_references)
        self._is_open = False
        self._opened: list[Any] = []
        self._lock = threading.Lock()
        self.closing: Closing | None = None
        """What closes components; None for who calls."""

    def is_open(self) -> bool:
        return self._is_open

    def open(self, correlation_id: str | None) -> None:
        """What was opened is closed when a later one cannot be opened.

        Whatever a component raises comes out of here.
        """
        if self._is_open:
            return
        self._is_open = True
        try:
            for component in self.get_all():
                self._open_one(correlation_id, component)
        except BaseException as error:
            for failed in self._closed(correlation_id):
                error.add_note(f"and while it was closed again: {failed}")
            raise

    def close(self, correlation_id: str | None) -> None:
        """Close all, also when one raises; the first error comes out at the end."""
        if not self._is_open:
            return
        errors = self._closed(correlation_id)
        if errors:
            for other in errors[1:]:
                errors[0].add_note(f"and {told(other)}")
            raise errors[0]

    def put(self, locator: Any, component: Any) -> None:
        """One that comes late is opened at once.

        Whatever it raises comes out of here, and it is not there then.
        """
        super().put(locator, component)
        if self._is_open:
            try:
                self._open_one(None, component)
            except BaseException:
                super().remove(component)
                raise

    def remove(self, locator: Any) -> Any:
        component = super().remove(locator)
        self._close_one(None, component)
        return component

    def remove_all(self, locator: Any) -> list[Any]:
        components = super().remove_all(locator)
        for component in components:
            self._close_one(None, component)
        return components

    def _open_one(self, correlation_id: str | None, component: Any) -> None:
        if isinstance(component, IOpenable) and all(one is not component for one in tuple(self._opened)):
            with named(name_of(self, component), "open"):
                Opener.open_one(correlation_id, component)
            with self._lock:
                self._opened.append(component)

    def _closed(self, correlation_id: str | None) -> list[Exception]:
        """Close all, also what comes meanwhile; the errors of those that could not be."""
        errors: list[Exception] = []
        while self._opened:
            component = self._opened[-1]
            self._was_open(component)
            name = name_of(self, component)
            try:
                with named(name, "close"):
                    self._in_time(name, partial(Closer.close_one, correlation_id, component))
            except Exception as error:  # noqa: BLE001 - the others are closed all the same
                errors.append(error)
        errors += self.closing.finish() if self.closing is not None else ()
        self._is_open = False
        return errors

    def _in_time(self, name: str, close: Callable[[], None]) -> None:
        if self.closing is None:
            close()
        else:
            self.closing(name, close)

    def _close_one(self, correlation_id: str | None, component: Any) -> None:
        if self._was_open(component):
            Closer.close_one(correlation_id, component)

    def _was_open(self, component: Any) -> bool:
        """Whether a component is to be closed: now, and not once more."""
        with self._lock:
            others = [one for one in self._opened if one is not component]
            opened, self._opened = len(others) < len(self._opened), others
        return opened
