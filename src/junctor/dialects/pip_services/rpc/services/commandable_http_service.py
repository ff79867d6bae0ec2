"""A service with one route for each command of its controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.commons.commands import ICommand
from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import BadRequestException
from junctor.dialects.pip_services.commons.run import Parameters
from junctor.dialects.pip_services.rpc.services.call import current
from junctor.dialects.pip_services.rpc.services.commandable_swagger_document import CommandableSwaggerDocument
from junctor.dialects.pip_services.rpc.services.rest_service import RestService
from junctor.http import Response


class CommandableHttpService(RestService):
    """``POST /BASE/COMMAND`` with the arguments as a JSON object, for each command of ``dependencies.controller``, by
    way of the interceptors of its command set.

    The correlation id is that of the query or the header, else ``correlation_id`` of the arguments, where clients of
    earlier versions of Pip.Services send it.

    Configuration: what :class:`RestService` has, ``dependencies.controller``, and ``swagger.{enable,auto,name,
    description,route}`` for a document of OpenAPI at ``/BASE/swagger``.
    """

    def __init__(self, base_route: str | None = None) -> None:
        super().__init__()
        self._base_route = base_route
        self._command_set: Any = None
        self._swagger_auto = True
        self._dependency_resolver.put("controller", "none")

    def configure(self, config: ConfigParams) -> None:
        super().configure(config)
        self._swagger_auto = config.get_as_boolean_with_default("swagger.auto", self._swagger_auto)

    def register(self) -> None:
        controller = self._dependency_resolver.get_one_required("controller")
        self._command_set = controller.get_command_set()
        commands: list[ICommand] = self._command_set.get_commands()
        for command in commands:
            self.register_route("POST", command.get_name(), None, self._handler(command.get_name()))
        if self._swagger_enabled and self._swagger_auto:
            config = (self._config or ConfigParams()).get_section("swagger")
            document = CommandableSwaggerDocument(self._base_route or "", config, commands)
            self._register_open_api_spec(document.to_string())

    def _handler(self, command: str) -> Callable[[], Response]:
        name = ".".join(part for part in ((self._base_route or "").strip("/"), command) if part)

        def answer() -> Response:
            call = current()
            args = _arguments(call.correlation_id, call.data)
            call.correlation_id = correlation_id = call.correlation_id or _told_by(args)
            timing = self._instrument(correlation_id, name)
            try:
                result = self._command_set.execute_under(correlation_id, command, args)
                timing.end_success()
            except Exception as error:
                timing.end_failure(error)
                raise
            return self.send_result(result)

        answer.__name__ = command
        return answer


def _arguments(correlation_id: str | None, data: Any) -> Parameters:
    if data is None:
        return Parameters()
    if not isinstance(data, dict):
        text = f"The arguments of a command are a JSON object, not {type(data).__name__}"
        raise BadRequestException(correlation_id, "BAD_ARGUMENTS", text)
    return Parameters(data)


def _told_by(args: Parameters) -> str | None:
    found = args.get("correlation_id")
    return found if isinstance(found, str) and found else None
