"""Commands: what a component can be asked to do, by name, with arguments that are validated."""

from junctor.dialects.pip_services.commons.commands.command import Command, InterceptedCommand
from junctor.dialects.pip_services.commons.commands.command_set import CommandSet
from junctor.dialects.pip_services.commons.commands.event import Event
from junctor.dialects.pip_services.commons.commands.interfaces import (
    ICommand,
    ICommandable,
    ICommandInterceptor,
    IEvent,
    IEventListener,
)

__all__ = (
    "Command",
    "CommandSet",
    "Event",
    "ICommand",
    "ICommandInterceptor",
    "ICommandable",
    "IEvent",
    "IEventListener",
    "InterceptedCommand",
)
