"""What commands, events and those around them look like."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from junctor.dialects.pip_services.commons.abilities import has_methods
from junctor.dialects.pip_services.commons.run.interfaces import IExecutable, INotifiable
from junctor.dialects.pip_services.commons.run.parameters import Parameters
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult

if TYPE_CHECKING:
    from junctor.dialects.pip_services.commons.commands.command_set import CommandSet


class ICommand(IExecutable):
    """Something that can be done."""

    def get_name(self) -> str:
        raise NotImplementedError(f"{type(self).__name__}.get_name is not written")

    def validate(self, args: Parameters | None) -> list[ValidationResult]:
        """All faults of these arguments."""
        raise NotImplementedError(f"{type(self).__name__}.validate is not written")


class ICommandInterceptor(ABC):  # noqa: B024 - its methods go on to the command as they are
    """What stands in front of a command, and decides whether and how it is called."""

    def get_name(self, command: ICommand) -> str:
        return command.get_name()

    def execute(self, correlation_id: str | None, command: ICommand, args: Parameters) -> Any:
        return command.execute(correlation_id, args)

    def validate(self, command: ICommand, args: Parameters | None) -> list[ValidationResult]:
        return command.validate(args)


class IEventListener(ABC):  # noqa: B024 - whatever has `on_event` will do
    def on_event(self, correlation_id: str | None, event: IEvent, value: Parameters) -> None:
        raise NotImplementedError(f"{type(self).__name__}.on_event is not written")


class IEvent(INotifiable):
    """Something that happens, and those who want to know."""

    def get_name(self) -> str:
        raise NotImplementedError(f"{type(self).__name__}.get_name is not written")

    def get_listeners(self) -> list[IEventListener]:
        raise NotImplementedError(f"{type(self).__name__}.get_listeners is not written")

    def add_listener(self, listener: IEventListener) -> None:
        raise NotImplementedError(f"{type(self).__name__}.add_listener is not written")

    def remove_listener(self, listener: IEventListener) -> None:
        raise NotImplementedError(f"{type(self).__name__}.remove_listener is not written")


class ICommandable(ABC):  # noqa: B024 - nobody must inherit it, see abilities
    """Has ``get_command_set``; told by the method, not by the base class."""

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        return has_methods(subclass, "get_command_set") if cls is ICommandable else NotImplemented

    def get_command_set(self) -> CommandSet:
        """All that it can be asked to do."""
        raise NotImplementedError(f"{type(self).__name__}.get_command_set is not written")
