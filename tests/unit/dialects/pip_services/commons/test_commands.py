"""Commands, interceptors and events."""

from __future__ import annotations

from typing import Any

import pytest

from junctor.dialects.pip_services.commons.commands import (
    Command,
    CommandSet,
    Event,
    ICommand,
    ICommandable,
    ICommandInterceptor,
    IEvent,
    IEventListener,
)
from junctor.dialects.pip_services.commons.convert import TypeCode
from junctor.dialects.pip_services.commons.errors import BadRequestException, InvocationException, NotFoundException
from junctor.dialects.pip_services.commons.run import Parameters
from junctor.dialects.pip_services.commons.validate import ObjectSchema, ValidationException

JOHN = Parameters.from_tuples("name", "John")


def fail(correlation_id: str | None, args: Parameters) -> Any:
    raise {"python": ValueError("bad"), "travels": NotFoundException("c", "NF", "not there")}[args["how"]]


@pytest.fixture
def commands() -> CommandSet:
    made = CommandSet()
    schema = ObjectSchema().with_required_property("name", TypeCode.String)
    made.add_commands([Command("greet", schema, lambda cid, args: (cid, args["name"])), Command("fail", None, fail)])
    return made


def test_a_command_answers(commands: CommandSet) -> None:
    assert commands.execute("c", "greet", JOHN) == ("c", "John")
    cid, _ = commands.execute(None, "greet", JOHN)
    assert cid, "a call without an id gets one"


def test_arguments_are_validated_also_when_there_are_none(commands: CommandSet) -> None:
    for args in (Parameters(), None):
        with pytest.raises(ValidationException, match="name must not be null"):
            commands.execute("c", "greet", args)
        assert [result.get_code() for result in commands.validate("greet", args)] == ["VALUE_IS_NULL"]
    assert commands.validate("greet", JOHN) == []


def test_errors_of_commands(commands: CommandSet) -> None:
    with pytest.raises(InvocationException, match="Execution fail failed: bad") as wrapped:
        commands.execute("c", "fail", Parameters.from_tuples("how", "python"))
    assert (wrapped.value.code, wrapped.value.details) == ("EXEC_FAILED", {"command_name": "fail"})
    assert isinstance(wrapped.value.cause, ValueError)
    with pytest.raises(NotFoundException, match="not there"):
        commands.execute("c", "fail", Parameters.from_tuples("how", "travels"))


def test_an_unknown_command(commands: CommandSet) -> None:
    with pytest.raises(BadRequestException, match="Requested command nothing does not exist") as raised:
        commands.execute("c", "nothing", None)
    assert raised.value.code == "CMD_NOT_FOUND"
    assert [result.get_code() for result in commands.validate("nothing", None)] == ["CMD_NOT_FOUND"]
    assert commands.find_command("nothing") is None


def test_interceptors_stand_in_front_in_their_order(commands: CommandSet) -> None:
    seen: list[str] = []

    class Watch(ICommandInterceptor):
        def __init__(self, name: str) -> None:
            self.name = name

        def execute(self, correlation_id: str | None, command: ICommand, args: Parameters) -> Any:
            seen.append(f"{self.name} {command.get_name()}")
            return super().execute(correlation_id, command, args)

    commands.add_interceptor(Watch("first"))
    commands.add_interceptor(Watch("second"))
    commands.add_command(Command("late", None, lambda cid, args: "done"))
    assert commands.execute("c", "greet", JOHN) == ("c", "John") and commands.execute("c", "late", None) == "done"
    assert seen == ["first greet", "second greet", "first late", "second late"]


def test_an_interceptor_can_stop_a_command(commands: CommandSet) -> None:
    class Guard(ICommandInterceptor):
        def execute(self, correlation_id: str | None, command: ICommand, args: Parameters) -> Any:
            raise BadRequestException(correlation_id, "CLOSED", "closed")

    commands.add_interceptor(Guard())
    with pytest.raises(BadRequestException, match="closed"):
        commands.execute("c", "greet", JOHN)


def test_sets_are_put_together(commands: CommandSet) -> None:
    commands.add_event(Event("happened"))
    both = CommandSet()
    both.add_command_set(commands)
    assert [command.get_name() for command in both.get_commands()] == ["greet", "fail"]
    assert both.find_event("happened") is not None and both.execute("c", "greet", JOHN)


class Listener(IEventListener):
    def __init__(self, error: Exception | None = None) -> None:
        self.heard: list[tuple[str | None, str, Any]] = []
        self.error = error

    def on_event(self, correlation_id: str | None, event: IEvent, value: Parameters) -> None:
        self.heard.append((correlation_id, event.get_name(), value))
        if self.error is not None:
            raise self.error


def test_all_listeners_are_told_whatever_one_does(commands: CommandSet) -> None:
    commands.add_event(Event("happened"))
    broken, well = Listener(ValueError("deaf")), Listener()
    commands.add_listener(broken)
    commands.add_listener(well)
    with pytest.raises(InvocationException, match="Raising event happened failed: deaf"):
        commands.notify("c", "happened", JOHN)
    assert well.heard == [("c", "happened", JOHN)]
    commands.remove_listener(broken)
    commands.notify("c", "happened", None)
    commands.notify("c", "unknown", None)
    assert len(well.heard) == 2 and len(broken.heard) == 1


def test_what_a_command_needs() -> None:
    with pytest.raises(TypeError, match="name"):
        Command("", None, fail)
    with pytest.raises(TypeError, match="the command x needs a function"):
        Command("x", None, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="name"):
        Event("")


def test_what_has_a_command_set_is_commandable() -> None:
    class Controller:
        def get_command_set(self) -> CommandSet:
            return CommandSet()

    assert isinstance(Controller(), ICommandable) and not isinstance(object(), ICommandable)
