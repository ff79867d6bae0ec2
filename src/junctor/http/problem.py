"""RFC 9457: every refusal and failure is a problem+json: a stable code, what is wrong, what to do. No stack traces."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import msgspec

from junctor.errors import JunctorError
from junctor.http.answers.responses import checked
from junctor.http.asgi import Headers
from junctor.messages import session_text
from junctor.observe.hidden import unquoted
from junctor.observe.secrets import mask

_TYPE = (b"content-type", b"application/problem+json")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Problem(msgspec.Struct, omit_defaults=True):
    """What is wrong with a request, or went wrong with it (RFC 9457).

    ``code`` stays the same in all versions; ``fix`` says what to do; ``errors`` has one entry for each wrong parameter;
    ``session`` leads to the trace.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str
    instance: str = ""
    errors: list[WrongParameter] = []
    session: str = ""


class WrongParameter(msgspec.Struct):
    """One wrong parameter; ``in`` says where it was: path, query, header, cookie, form, file or body."""

    parameter: str
    place: str = msgspec.field(name="in")
    reason: str


class HttpError(JunctorError):
    """A request that is answered with a status of its own. A route may raise it: ``HttpError("...", status=404)``.

    :param status: the HTTP status of the answer, from 300 to 599; ValueError for another.
    :param code: the stable word in the answer.
    :param headers: further headers of the answer, names in lower case.
    :param errors: one entry for each wrong parameter.
    """

    code: ClassVar[str] = "http"
    default_fix: ClassVar[str] = "Correct the request and send it again."

    def __init__(
        self,
        what: str,
        *,
        status: int = 400,
        code: str = "",
        where: str | None = None,
        fix: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        errors: tuple[dict[str, str], ...] = (),
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.http_status = checked(status, 300)
        self.word = code or self.code
        self.headers = headers
        self.errors = errors

    def __reduce__(self) -> tuple[object, ...]:
        state = (self.what, self.where, self.fix, self.http_status, self.word, self.headers, self.errors)
        return (_restore, state)


def _restore(what: str, where: Any, fix: Any, status: int, code: str, headers: Any, errors: Any) -> HttpError:
    return HttpError(what, status=status, code=code, where=where, fix=fix, headers=headers, errors=errors)


def of_error(error: JunctorError, session: int = 0) -> tuple[int, Headers, bytes]:
    """Status, headers and body for an error of ours."""
    headers: Headers = []
    status, code = error.status, error.code
    errors: tuple[dict[str, str], ...] = ()
    if isinstance(error, HttpError):
        status, code, errors = error.http_status, error.word, error.errors
        headers += error.headers
    if status == 503:
        headers.append((b"retry-after", b"1"))
    place = f"{error.where}: " if error.where else ""
    detail, fix = unquoted(f"{place}{error.what}", error), unquoted(error.fix, error)
    errors = tuple({name: unquoted(text, error) for name, text in one.items()} for one in errors)
    return _problem(status, code, detail, fix, session, headers, errors)


def of_failure(session: int, code: str = "handler-failed", *, recorded: bool = True) -> tuple[int, Headers, bytes]:
    """Status, headers and body for an exception of a service: its text stays inside, the session finds it."""
    traced = f"`junctor trace {session_text(session)}` on the node shows the error."
    fix = traced if session and recorded else "See the node's log."
    return _problem(500, code, "the service failed while it answered this request", fix, session, [], ())


def _problem(
    status: int, code: str, detail: str, fix: str, session: int, headers: Headers, errors: tuple[dict[str, str], ...]
) -> tuple[int, Headers, bytes]:
    fields: dict[str, Any] = {
        "type": f"urn:junctor:error:{code}",
        "title": _PHRASES.get(status, "Error"),
        "status": status,
        "detail": mask(detail),
        "code": code,
        "fix": mask(fix),
    }
    if errors:
        fields["errors"] = [{name: mask(text) for name, text in one.items()} for one in errors]
    if session:
        fields["instance"] = f"urn:junctor:session:{session_text(session)}"
        fields["session"] = session_text(session)
    body = msgspec.json.encode(_encodable(fields))
    headers.append(_TYPE)
    return status, headers, body


def _encodable(fields: dict[str, Any]) -> dict[str, Any]:
    # A lone surrogate from a path or a header has no UTF-8 form.
    for name, value in fields.items():
        if type(value) is str and not value.isascii():
            fields[name] = value.encode("utf-8", "backslashreplace").decode()
    return fields
