"""What can be opened, closed, cleaned and called."""

from __future__ import annotations

from abc import ABC
from typing import Any

from junctor.dialects.pip_services.commons.abilities import has_methods
from junctor.dialects.pip_services.commons.run.parameters import Parameters


class IClosable(ABC):  # noqa: B024 - nobody must inherit it, see abilities
    """Has ``close``; told by the method, not by the base class."""

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        return has_methods(subclass, "close") if cls is IClosable else NotImplemented

    def close(self, correlation_id: str | None) -> None:
        """Ends what it does and lets go of what it holds."""
        raise NotImplementedError(f"{type(self).__name__}.close is not written")


class IOpenable(IClosable):
    """Has ``open`` and ``close``; told by the methods, not by the base class."""

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        return has_methods(subclass, "open", "close") if cls is IOpenable else NotImplemented

    def is_open(self) -> bool:
        raise NotImplementedError(f"{type(self).__name__}.is_open is not written")

    def open(self, correlation_id: str | None) -> None:
        """Begins to work, once it is configured and linked.

        :raises ConnectionException: what it works with cannot be reached.
        """
        raise NotImplementedError(f"{type(self).__name__}.open is not written")


class ICleanable(ABC):  # noqa: B024
    """Must be inherited: ``clear`` is the name of too many methods."""

    def clear(self, correlation_id: str | None) -> None:
        """Forgets its state."""
        raise NotImplementedError(f"{type(self).__name__}.clear is not written")


class IExecutable(ABC):  # noqa: B024
    def execute(self, correlation_id: str | None, args: Parameters) -> Any:
        raise NotImplementedError(f"{type(self).__name__}.execute is not written")


class INotifiable(ABC):  # noqa: B024
    def notify(self, correlation_id: str | None, args: Parameters) -> None:
        raise NotImplementedError(f"{type(self).__name__}.notify is not written")


class IParameterized(ABC):  # noqa: B024
    def set_parameters(self, parameters: Parameters) -> None:
        raise NotImplementedError(f"{type(self).__name__}.set_parameters is not written")
