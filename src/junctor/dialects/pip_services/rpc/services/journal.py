"""What an endpoint writes to the log of its container about handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from junctor.dialects.pip_services.components.log import ILogger
from junctor.dialects.pip_services.rpc.services.call import Call
from junctor.observe.frames import traceback_text, users_part, users_place


class Journal:
    """
    :param logger: of the endpoint.
    """

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger
        self._forgetful: set[str] = set()

    def failed(self, call: Call, error: BaseException) -> None:
        """A handler raised what it did not mean to send. The line says where, the stack trace comes at DEBUG."""
        request, place, correlation_id = call.request, users_place(error), call.correlation_id
        where = f" at {place}" if place is not None else ""
        self._logger.error(correlation_id, error, "%s %s failed%s", request.method, request.path, where)
        self._logger.debug(correlation_id, "%s", traceback_text(error, users_part(error.__traceback__)).rstrip())

    def forgot(self, handler: Callable[..., Any]) -> None:
        """A handler sent an answer and did not return it; told once of each."""
        place = place_of(handler)
        if place not in self._forgetful:
            self._forgetful.add(place)
            name = getattr(handler, "__name__", "a handler")
            text = "%s sends an answer and does not return it; write return before self.send_... (%s)"
            self._logger.warn(None, text, name, place)  # noqa: G010 - theirs


def place_of(handler: Callable[..., Any]) -> str:
    """File and line of a function."""
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else "no file"
