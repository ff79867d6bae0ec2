"""Calls to many components; what has no such method is left alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.dialects.pip_services.commons.run.interfaces import (
    ICleanable,
    IClosable,
    IExecutable,
    INotifiable,
    IOpenable,
)
from junctor.dialects.pip_services.commons.run.parameters import Parameters


class Opener:
    @staticmethod
    def is_opened_one(component: Any) -> bool:
        """What cannot be opened, or does not tell, counts as open."""
        tell = getattr(component, "is_open", None)
        return bool(tell()) if isinstance(component, IOpenable) and callable(tell) else True

    @staticmethod
    def is_opened(components: Iterable[Any]) -> bool:
        return all(Opener.is_opened_one(component) for component in components)

    @staticmethod
    def open_one(correlation_id: str | None, component: Any) -> None:
        if isinstance(component, IOpenable):
            component.open(correlation_id)

    @staticmethod
    def open(correlation_id: str | None, components: Iterable[Any]) -> None:
        for component in components:
            Opener.open_one(correlation_id, component)


class Closer:
    @staticmethod
    def close_one(correlation_id: str | None, component: Any) -> None:
        if isinstance(component, IClosable):
            component.close(correlation_id)

    @staticmethod
    def close(correlation_id: str | None, components: Iterable[Any]) -> None:
        """Closes them in the order given: who closes a container gives them reversed."""
        for component in components:
            Closer.close_one(correlation_id, component)


class Cleaner:
    @staticmethod
    def clear_one(correlation_id: str | None, component: Any) -> None:
        if isinstance(component, ICleanable):
            component.clear(correlation_id)

    @staticmethod
    def clear(correlation_id: str | None, components: Iterable[Any]) -> None:
        for component in components:
            Cleaner.clear_one(correlation_id, component)


class Executor:
    @staticmethod
    def execute_one(correlation_id: str | None, component: Any, args: Parameters) -> Any:
        return component.execute(correlation_id, args) if isinstance(component, IExecutable) else None

    @staticmethod
    def execute(correlation_id: str | None, components: Iterable[Any], args: Parameters | None = None) -> list[Any]:
        """What each answered, in the order given."""
        given = Parameters() if args is None else args
        able = [component for component in components if isinstance(component, IExecutable)]
        return [component.execute(correlation_id, given) for component in able]


class Notifier:
    @staticmethod
    def notify_one(correlation_id: str | None, component: Any, args: Parameters) -> None:
        if isinstance(component, INotifiable):
            component.notify(correlation_id, args)

    @staticmethod
    def notify(correlation_id: str | None, components: Iterable[Any], args: Parameters | None = None) -> None:
        given = Parameters() if args is None else args
        for component in components:
            Notifier.notify_one(correlation_id, component, given)
