"""Answers of handlers: ``return HttpResponseSender.send_result(value)``."""

from __future__ import annotations

from typing import Any

from junctor.dialects.pip_services.rpc.services.answers import empty, error_answer, json_answer
from junctor.dialects.pip_services.rpc.services.call import running
from junctor.http import Response


class HttpResponseSender:
    """Makes answers. Each belongs to the request that is answered, also when its handler forgets to return it."""

    @staticmethod
    def send_result(result: Any) -> Response:
        """200 with the result as JSON, 204 for None."""
        return _sent(empty() if result is None else json_answer(result))

    @staticmethod
    def send_empty_result(result: Any = None) -> Response:
        """204 without a body."""
        return _sent(empty())

    @staticmethod
    def send_created_result(result: Any) -> Response:
        """201 with the result as JSON, 204 for None."""
        return _sent(empty() if result is None else json_answer(result, 201))

    @staticmethod
    def send_deleted_result(result: Any = None) -> Response:
        """200 with the result as JSON, 204 for None."""
        return _sent(empty() if result is None else json_answer(result))

    @staticmethod
    def send_error(error: Any) -> Response:
        """The status of the error, with what there is to say of it as JSON."""
        call = running.get()
        raised = error if isinstance(error, BaseException) else Exception(error)
        return _sent(error_answer(raised, None if call is None else call.correlation_id))


def _sent(made: Response) -> Response:
    call = running.get()
    if call is not None:
        call.sent = made
    return made
