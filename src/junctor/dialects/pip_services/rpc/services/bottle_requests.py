"""``bottle.request`` and ``bottle.response`` as handlers know them, where the program has imported that package."""

from __future__ import annotations

import io
import sys
from contextlib import closing, nullcontext
from typing import Any

from junctor.dialects.pip_services.commons.errors import ApplicationException, ErrorCategory
from junctor.dialects.pip_services.rpc.services.answers import error_answer
from junctor.dialects.pip_services.rpc.services.call import Call
from junctor.http import Request, Response

_CONSTANT: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
_BARE = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def bottle() -> Any:
    """The package, or None: the program does not use it."""
    return sys.modules.get("bottle")


def bind(package: Any, call: Call) -> None:
    """Make the request the one that ``bottle.request`` speaks of in this thread, and ``bottle.response`` a new one."""
    call.environ = environ_of(call.request)
    call.environ["route.url_args"] = call.values
    package.request.bind(call.environ)
    package.response.bind()


def environ_of(request: Request) -> dict[str, Any]:
    """A request as WSGI has it (PEP 3333)."""
    host, _, port = request.header("host").partition(":")
    environ = {
        **_CONSTANT,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": port or ("443" if request.scheme == "https" else "80"),
        "REMOTE_ADDR": request.client[0] if request.client is not None else "",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
    }
    for name, value in request.headers:
        key = _BARE.get(name) or "HTTP_" + name.upper().replace("-", "_")
        # In WSGI x-user and x_user are one: what a proxy sets by the first is not replaced by the second.
        if "_" not in name or key not in environ:
            environ[key] = value
    return environ


def extra_of(call: Call, name: str) -> Any:
    """What the program has set at ``bottle.request`` under a name of its own; None: nothing."""
    return (call.environ or {}).get(f"bottle.request.ext.{name}")


def is_answer(value: Any) -> bool:
    """Whether it is a response of that package, as ``redirect`` raises and ``static_file`` returns."""
    package = bottle()
    return package is not None and isinstance(value, package.HTTPResponse)


def answer_of(value: Any, correlation_id: str | None) -> Response:
    """A response of that package as one of ours; what ``abort`` raises becomes an error in JSON."""
    package = bottle()
    if isinstance(value, package.HTTPError):
        text = str(value.body)
        error = ApplicationException(ErrorCategory.Unknown, correlation_id, "HTTP_ERROR", text)
        return error_answer(error.with_status(value.status_code))
    body = value.body
    if hasattr(body, "read"):
        with body:
            body = body.read()
    elif body and not isinstance(body, str | bytes):  # a part of a file comes in pieces
        with closing(body) if hasattr(body, "close") else nullcontext():
            body = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in body)
    return Response(body or b"", value.status_code, value.headerlist)


def apply_response(package: Any, made: Response) -> None:
    """Take over what the handler has set in ``bottle.response``."""
    given = package.response
    if given.status_code != 200:
        made.status_code = given.status_code
    if given.headers or given._cookies:
        named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.headerlist]
        if "Content-Type" not in given.headers:
            named = [pair for pair in named if pair[0] != b"content-type"]  # its default, which nobody has asked for
        names = {name for name, _ in named}
        made.raw_headers = [pair for pair in made.raw_headers if pair[0] not in names] + named
