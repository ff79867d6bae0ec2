"""All that a component can be asked to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.dialects.pip_services.commons.commands.command import Command, InterceptedCommand
from junctor.dialects.pip_services.commons.commands.interfaces import (
    ICommand,
    ICommandInterceptor,
    IEvent,
    IEventListener,
)
from junctor.dialects.pip_services.commons.data.id_generator import IdGenerator
from junctor.dialects.pip_services.commons.errors.exceptions import BadRequestException
from junctor.dialects.pip_services.commons.run.parameters import Parameters
from junctor.dialects.pip_services.commons.validate.validation_exception import ValidationException
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult, ValidationResultType


class CommandSet:
    """Commands and events by name. Of two commands with one name the one that was added last is called."""

    def __init__(self) -> None:
        self._commands: list[ICommand] = []
        self._events: list[IEvent] = []
        self._interceptors: list[ICommandInterceptor] = []
        self._commands_by_name: dict[str, ICommand] = {}
        self._events_by_name: dict[str, IEvent] = {}

    def get_commands(self) -> list[ICommand]:
        return self._commands

    def get_events(self) -> list[IEvent]:
        return self._events

    def find_command(self, command_name: str) -> ICommand | None:
        """The command with what stands in front of it, or None."""
        return self._commands_by_name.get(command_name)

    def find_event(self, event_name: str) -> IEvent | None:
        return self._events_by_name.get(event_name)

    def add_command(self, command: ICommand) -> None:
        self._commands.append(command)
        self._build(command)

    def add_commands(self, commands: Iterable[ICommand]) -> None:
        for command in commands:
            self.add_command(command)

    def add_event(self, event: IEvent) -> None:
        self._events.append(event)
        self._events_by_name[event.get_name()] = event

    def add_events(self, events: Iterable[IEvent]) -> None:
        for event in events:
            self.add_event(event)

    def add_command_set(self, command_set: CommandSet) -> None:
        """Takes over the commands and events of another set, not its interceptors."""
        self.add_commands(command_set.get_commands())
        self.add_events(command_set.get_events())

    def add_interceptor(self, interceptor: ICommandInterceptor) -> None:
        """Puts something in front of all commands; the one that was added first is called first."""
        self._interceptors.append(interceptor)
        self._commands_by_name.clear()
        for command in self._commands:
            self._build(command)

    def execute(self, correlation_id: str | None, command: str, args: Parameters | None) -> Any:
        """What the command answers.

        :param correlation_id: None: one is made.
        :raises BadRequestException: there is no such command; its code is ``CMD_NOT_FOUND``.
        :raises ValidationException: the arguments have faults.
        """
        call = correlation_id if correlation_id is not None else IdGenerator.next_short()
        return self.execute_under(call, command, args)

    def execute_under(self, correlation_id: str | None, command: str, args: Parameters | None) -> Any:
        """The same, without a correlation id where there is none. An addition."""
        found = self.find_command(command)
        if found is None:
            message = f"Requested command {command} does not exist"
            raise BadRequestException(correlation_id, "CMD_NOT_FOUND", message).with_details("command_name", command)
        given = Parameters() if args is None else args
        if type(found) is not Command:  # a plain command validates by itself
            ValidationException.throw_exception_if_needed(correlation_id, found.validate(given), False)
        return found.execute(correlation_id, given)

    def validate(self, command_name: str, args: Parameters | None) -> list[ValidationResult]:
        """All faults of these arguments; an unknown command is one."""
        found = self.find_command(command_name)
        if found is not None:
            return found.validate(args)
        message = f"Requested command {command_name} does not exist"
        return [ValidationResult(None, ValidationResultType.Error, "CMD_NOT_FOUND", message)]

    def add_listener(self, listener: IEventListener) -> None:
        """Lets it listen to every event of this set."""
        for event in self._events:
            event.add_listener(listener)

    def remove_listener(self, listener: IEventListener) -> None:
        for event in self._events:
            event.remove_listener(listener)

    def notify(self, correlation_id: str | None, event_name: str, args: Parameters | None) -> None:
        """Nothing happens where there is no such event."""
        event = self.find_event(event_name)
        if event is not None:
            event.notify(correlation_id, Parameters() if args is None else args)

    def _build(self, command: ICommand) -> None:
        chain = command
        for interceptor in reversed(self._interceptors):
            chain = InterceptedCommand(interceptor, chain)
        self._commands_by_name[chain.get_name()] = chain
