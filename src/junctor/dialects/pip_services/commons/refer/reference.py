"""One component and where it is found."""

from __future__ import annotations

from typing import Any


class Reference:
    """
    :param locator: a descriptor as a rule; anything that can be compared.
    :raises ValueError: there is no component.
    """

    def __init__(self, locator: Any, component: Any) -> None:
        if component is None:
            raise ValueError("Component cannot be null")
        self._locator = locator
        self._component = component

    def match(self, locator: Any) -> bool:
        """Whether this is meant: by its locator, or by the component itself."""
        if locator is None:
            return False
        if locator is self._component or (self._locator is not None and self._locator == locator):
            return True
        return bool(self._component == locator)

    def get_component(self) -> Any:
        return self._component

    def get_locator(self) -> Any:
        return self._locator
