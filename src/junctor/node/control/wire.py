"""The language of the control socket: one JSON object a line, both ways.

A question is ``{"id": 1, "operation": "status", "arguments": {...}}``; its answer carries the same ``id`` and either a
``result`` or an ``error``. Many questions may be under way on one connection; answers come as they are ready.
"""

from __future__ import annotations

from typing import Any

import msgspec

from junctor.errors import BodyTooLarge, EncodeError, JunctorError, RequestFailed, kind_of, storable, text_of
from junctor.messages import codec
from junctor.observe.hidden import unquoted
from junctor.observe.secrets import mask

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of one line. A body of the largest default size fits, with its envelope."""


class ConnectionLost(JunctorError):
    """The node ended, or the connection broke, before it answered. Whether the operation happened is not known."""

    code = "connection-lost"
    default_fix = "See `junctor status` and `junctor messages`; then send again, with an idempotency key."
    status = 503


class NoAnswer(JunctorError):
    """The node takes the question and does not answer in time: something blocks its event loop."""

    code = "no-answer"
    default_fix = "Its log names the handler that blocks the event loop; make that handler a plain def, or await."
    status = 503


class NotPermitted(JunctorError):
    """Who asks may not do this."""

    code = "not-permitted"
    default_fix = "Run the command as the user of the node, or ask an operator for the permission."
    status = 403


class CallFailed(JunctorError):
    """An action or operation raised an exception of its own. ``error_type`` names its class."""

    code = "call-failed"
    default_fix = "The log of the node has the traceback."

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, error_type: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.error_type = error_type


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """One operation to do. ``arguments`` stay encoded until the operation is known."""

    id: int
    operation: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class Problem(msgspec.Struct, omit_defaults=True):
    """An error on its way to the client."""

    code: str
    what: str
    where: str | None = None
    fix: str = ""
    error_type: str = ""


class Answer(msgspec.Struct, omit_defaults=True):
    """The result of the question with this id, or why there is none. ``id`` 0: the question could not be read."""

    id: int
    result: msgspec.Raw = msgspec.Raw(b"")
    error: Problem | None = None


_questions = msgspec.json.Decoder(Question)
_answers = msgspec.json.Decoder(Answer)


def question(number: int, operation: str, arguments: dict[str, Any]) -> bytes:
    """A line that asks.

    :raises EncodeError: an argument has no JSON form.
    :raises BodyTooLarge: the line would exceed the limit.
    """
    given = codec.encode(arguments)
    if b"\n" in given:  # within a body that was taken as it was written, over several lines
        given = msgspec.json.format(given, indent=-1)
    line = msgspec.json.encode(Question(number, operation, msgspec.Raw(given))) + b"\n"
    if len(line) > LINE_LIMIT:
        raise BodyTooLarge(f"{len(line)} bytes are more than the control socket takes ({LINE_LIMIT})", where=operation)
    return line


def read_question(line: bytes) -> Question:
    """:raises msgspec.MsgspecError: the line is not a question."""
    return _questions.decode(line)


def answer(number: int, result: Any) -> bytes:
    """A line that answers.

    :raises EncodeError: the result has no JSON form.
    """
    try:
        data = codec.encode(result)
    except EncodeError as error:
        if error.__cause__ is None:  # NaN, which no JSON encoder refuses; the text names its place
            raise
        raise EncodeError(
            f"the result, a {type(result).__qualname__}, cannot be sent: {error.__cause__}",
            fix="Return a dataclass, Struct, attrs or pydantic object, or plain JSON values.",
        ) from error
    return msgspec.json.encode(Answer(number, result=msgspec.Raw(data))) + b"\n"


def refusal(number: int, error: BaseException) -> bytes:
    """A line that says why there is no result."""
    return msgspec.json.encode(Answer(number, error=problem(error))) + b"\n"


def read_answer(line: bytes) -> Answer:
    """:raises ConnectionLost: the line is not an answer, so this is not a control socket of ours."""
    try:
        return _answers.decode(line)
    except msgspec.MsgspecError as error:
        raise ConnectionLost(f"the node sent something that is not an answer: {error}") from error


def problem(error: BaseException) -> Problem:
    """An error as data; one that is not ours becomes ``call-failed``."""
    if not isinstance(error, JunctorError):
        name = type(error).__name__
        error = CallFailed(f"{name}: {text}" if (text := text_of(error)) else name, error_type=name)
    where = error.where if error.where is None else storable(unquoted(error.where, error))
    what, fix = (mask(storable(unquoted(text, error))) for text in (error.what, error.fix))
    return Problem(error.code, what, where, fix, getattr(error, "error_type", ""))


def error_from(problem: Problem) -> JunctorError:
    """The error of the same class as in the node."""
    error = kind_of(problem.code)(problem.what, where=problem.where, fix=problem.fix)
    if isinstance(error, (RequestFailed, CallFailed)):
        error.error_type = problem.error_type
    return error
