"""One route of an endpoint: what stands before its handler, and what becomes of what the handler returns."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from inspect import isawaitable, iscoroutine
from typing import Any

from junctor.core.hop import current
from junctor.dialects.pip_services.commons.errors import ApplicationException, ErrorCategory, InternalException
from junctor.dialects.pip_services.rpc.services import bottle_requests
from junctor.dialects.pip_services.rpc.services.answers import Failed, empty, error_answer, json_answer
from junctor.dialects.pip_services.rpc.services.arguments import bound, bound_to_path
from junctor.dialects.pip_services.rpc.services.call import PARAMETER, Call, running
from junctor.dialects.pip_services.rpc.services.journal import Journal
from junctor.dialects.pip_services.rpc.services.validation import Validation
from junctor.http import HttpError, Request, Response

Check = Callable[[Call], Response | None]
"""Stands before a handler: an answer ends the call, None lets it go on; what it raises is the answer, too."""

_LONGEST = 1000
"""Characters of a path in the trace."""


class RouteEntry:
    """Answers the requests of one route.

    :param checks: called one after the other before the handler.
    :param in_path: the names of the values in the path.
    :param journal: told of what the programmer should know.
    :param place: method and path, by which the call is told of in the trace.
    """

    __slots__ = ("__weakref__", "_checks", "_handle", "_journal", "_place", "handler")

    def __init__(
        self,
        handler: Callable[..., Any],
        checks: tuple[Check, ...],
        in_path: tuple[str, ...],
        journal: Journal,
        place: str = "",
    ) -> None:
        self._handle = bound(handler, in_path)
        self._place = place
        self.handler = handler
        self._checks = checks
        self._journal = journal

    def __call__(self, request: Request, values: dict[str, Any]) -> Response:
        call = Call(request, values)
        hop = current.get()
        if hop is not None and hop.message is None and self._place:
            hop.name = self._place
        package = bottle_requests.bottle()
        token = running.set(call)
        try:
            if package is not None:
                bottle_requests.bind(package, call)
            made = self._respond(call)
            if package is not None:
                bottle_requests.apply_response(package, made)
        except Exception as error:  # noqa: BLE001 - every one becomes an answer
            return self._explain(call, error)
        finally:
            running.reset(token)
        return made

    def _respond(self, call: Call) -> Response:
        for check in self._checks:
            stopped = check(call)
            if stopped is not None:
                return stopped
        value = self._handle(call)
        if value is None and call.sent is not None:
            self._journal.forgot(self.handler)
        return response_of(value, call)

    def _explain(self, call: Call, error: Exception) -> Response:
        if bottle_requests.is_answer(error):
            return bottle_requests.answer_of(error, call.correlation_id)
        if isinstance(error, HttpError):
            known = ApplicationException(ErrorCategory.Unknown, None, error.word, error.what)
            return error_answer(known.with_status(error.http_status), call.correlation_id)
        made = error_answer(error, call.correlation_id)
        if isinstance(error, ApplicationException) and error.status < 500:
            return made
        self._journal.failed(call, error)
        hop = current.get()
        if hop is not None and hop.message is None:
            correlation = {PARAMETER: call.correlation_id} if call.correlation_id else {}
            hop.headers = {"path": call.request.path[:_LONGEST], **correlation}
        return Failed(made, error)


def response_of(value: Any, call: Call) -> Response:
    """The answer for what a handler returned.

    None is what it has sent without returning it, else 204. Text is a page, as with the bottle package; a mapping, a
    list and everything else is JSON.
    """
    if type(value) is Response:
        return value if value is call.sent else copy_of(value)
    if value is None:
        return call.sent if call.sent is not None else empty()
    if isinstance(value, str):
        return Response(value, media_type="text/html")
    if isinstance(value, bytes):
        return Response(value)
    if bottle_requests.is_answer(value):
        return bottle_requests.answer_of(value, call.correlation_id)
    return json_answer(value)


def copy_of(made: Response) -> Response:
    """An answer with headers of its own: a program may keep one and return it again."""
    fresh = copy(made)
    fresh.raw_headers = list(made.raw_headers)
    return fresh


def guarded_by(action: Callable[..., Any], before: tuple[str, ...] = ()) -> Check:
    """A check that calls an interceptor or an authorizer of the program.

    It stops the request by raising, by an answer that it returns or sends, by a text, which is one as with the bottle
    package, or by returning False. A request goes on with None and True alone: anything else, a coroutine or the
    authorizer itself among it, says that nobody has decided yet, and stops it too.

    :param before: names of values in the path.
    :raises ConfigException: the action needs what is not in the path.
    """
    call_action = bound_to_path(action, before)

    def check(call: Call) -> Response | None:
        result = call_action(call)
        if result is None or result is True:
            return call.sent
        stopped = _stopping(result, call)
        if stopped is None:
            raise _undecided(action, result)
        return stopped

    return check


def _stopping(result: Any, call: Call) -> Response | None:
    """The answer that the result of a check is; None where it is none."""
    if type(result) is Response:
        return result if result is call.sent else copy_of(result)
    if bottle_requests.is_answer(result):
        return bottle_requests.answer_of(result, call.correlation_id)
    if call.sent is not None:
        return call.sent
    if isinstance(result, str | bytes):
        return refusal_of(result)
    return _not_allowed(call) if result is False else None


def refusal_of(text: str | bytes) -> Response:
    """What a check says in place of the handler, with the status that it has set; 403 where it has set none."""
    package = bottle_requests.bottle()
    untold = package is None or package.response.status_code == 200
    return Response(text, 403 if untold else 200, media_type="text/html")


def _not_allowed(call: Call) -> Response:
    error = ApplicationException(ErrorCategory.Unauthorized, None, "NOT_ALLOWED", "The request is not allowed")
    return error_answer(error.with_status(403), call.correlation_id)


def _undecided(action: Callable[..., Any], result: Any) -> ApplicationException:
    if iscoroutine(result):
        result.close()
    name = getattr(action, "__qualname__", type(action).__name__)
    text = f"{name} answers with a {type(result).__name__}: {_way_out(result)}"
    return InternalException(None, "NOT_DECIDED", text)


def _way_out(result: Any) -> str:
    if isawaitable(result):
        return "write it without async"
    if callable(result):
        return "call it where it is registered"
    return "return None to let the request pass, an answer of a send_ method to stop it"


def validated_by(schema: Any) -> Check:
    """A check of the request against a schema."""
    validation = Validation(schema)

    def check(call: Call) -> Response | None:
        validation.check(call)
        return None

    return check
