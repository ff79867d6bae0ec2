"""One thing that can be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.commands.interfaces import ICommand, ICommandInterceptor
from junctor.dialects.pip_services.commons.errors.application_exception import ApplicationException
from junctor.dialects.pip_services.commons.errors.exceptions import InvocationException
from junctor.dialects.pip_services.commons.run.interfaces import IExecutable
from junctor.dialects.pip_services.commons.run.parameters import Parameters
from junctor.dialects.pip_services.commons.validate.schema import Schema
from junctor.dialects.pip_services.commons.validate.validation_result import ValidationResult


class Command(ICommand):
    """
    :param name: by which it is called.
    :param schema: what its arguments must look like; None: they are not looked at.
    :param function: what does it, ``function(correlation_id, args)``, or something with ``execute``.
    :raises TypeError: it has no name or no function.
    """

    def __init__(
        self,
        name: str,
        schema: Schema | None,
        function: Callable[[str | None, Parameters], Any] | IExecutable,
    ) -> None:
        if not name:
            raise TypeError("a command needs a name")
        self._function = function.execute if isinstance(function, IExecutable) else function
        if not callable(self._function):
            raise TypeError(f"the command {name} needs a function")
        self._name = name
        self._schema = schema

    def get_name(self) -> str:
        return self._name

    def get_schema(self) -> Schema | None:
        return self._schema

    def execute(self, correlation_id: str | None, args: Parameters | None) -> Any:
        """What the function returns.

        :raises ValidationException: the arguments have faults.
        :raises ApplicationException: what the function raised, if it is one; else an InvocationException with the
            code ``EXEC_FAILED`` and that as its cause.
        """
        given = Parameters() if args is None else args
        if self._schema is not None:
            self._schema.validate_and_throw_exception(correlation_id, given)
        try:
            return self._function(correlation_id, given)
        except ApplicationException:
            raise
        except Exception as error:
            message = f"Execution {self._name} failed: {error}"
            failure = InvocationException(correlation_id, "EXEC_FAILED", message).with_details(
                "command_name", self._name
            )
            raise failure.with_cause(error) from error

    def validate(self, args: Parameters | None) -> list[ValidationResult]:
        return [] if self._schema is None else self._schema.validate(Parameters() if args is None else args)


class InterceptedCommand(ICommand):
    """A command with something in front of it."""

    def __init__(self, interceptor: ICommandInterceptor, next: ICommand) -> None:
        self._interceptor = interceptor
        self._next = next

    def get_name(self) -> str:
        return self._interceptor.get_name(self._next)

    def execute(self, correlation_id: str | None, args: Parameters) -> Any:
        return self._interceptor.execute(correlation_id, self._next, args)

    def validate(self, args: Parameters | None) -> list[ValidationResult]:
        return self._interceptor.validate(self._next, args)
