"""Exceptions between a worker and its node: as data one way, as exceptions again the other."""

from __future__ import annotations

from typing import Any

from junctor.core.outcome import Failure
from junctor.errors import JunctorError, kind_of, text_of
from junctor.runtime.workers.protocol import Error

_MORE = {"error_type": "error_type", "http_status": "status", "word": "code", "headers": "headers", "errors": "errors"}
"""Attributes of our errors beyond what all have, and the arguments that set them."""


class _Raised(Exception):
    """An exception of user code in a worker process; its class has the name that it has there. ``failure`` tells type,
    text and traceback; ``status_code`` and ``detail`` are those of a web framework's, where it has them."""

    failure: Failure | None = None
    detail: str | None = None

    def __init__(self, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.status_code = status


def error_of(exception: BaseException) -> Error:
    """An exception for the wire."""
    if isinstance(exception, JunctorError):
        own = {word: getattr(exception, name) for name, word in _MORE.items() if hasattr(exception, name)}
        return Error(exception.code, exception.what, exception.where or "", exception.fix, own)
    status, detail = getattr(exception, "status_code", None), getattr(exception, "detail", None)
    more: dict[str, Any] = {"type": type(exception).__name__}
    if isinstance(status, int) and isinstance(detail, str):
        more |= {"status": status, "detail": detail}
    return Error("", text_of(exception), more=more)


def exception_of(error: Error, failure: Failure | None = None) -> Exception:
    """The exception back from the wire. One that is not ours has a class of the same name; an unknown code becomes the
    root error."""
    made: Any
    if error.code:
        made = _ours(error)
    else:
        kind = type(error.more.get("type", "Exception"), (_Raised,), {})
        made = kind(error.what, error.more.get("status", 500))
        made.detail = error.more.get("detail")
    made.failure = failure
    if failure is not None and failure.traceback:
        made.add_note(f"In the worker process:\n{failure.traceback}")
    return made  # type: ignore[no-any-return]


def _ours(error: Error) -> JunctorError:
    kind = kind_of(error.code)
    where, fix, more = error.where or None, error.fix or None, dict(error.more)
    if "headers" in more:
        more["headers"] = tuple((bytes(name), bytes(value)) for name, value in more["headers"])
        more["errors"] = tuple(more.get("errors", ()))
    try:
        return kind(error.what, where=where, fix=fix, **more)
    except TypeError:  # a class that takes less than one of the same code had
        return kind(error.what, where=where, fix=fix)
