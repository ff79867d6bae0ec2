"""How a request of a run ended, as the value or the exception that its code gets."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from junctor.core.history import Input
from junctor.core.outcome import Failure
from junctor.errors import RequestExpired, RequestFailed
from junctor.messages import codec
from junctor.services.workflow.steps import Step


def ended_request(came: Input, step: Step[Any], where: str) -> tuple[Any, BaseException | None]:
    """The reply, or what a request in any other service would raise."""
    if came.ended == "done":
        return _reply(came, step, where)
    if came.ended == "expired":
        return None, RequestExpired(f"{step.command} waited too long in the queue", where=where)
    failure = _failure(came)
    return None, RequestFailed(
        f"{step.command} failed: {failure.type}: {failure.text}", where=where, error_type=failure.type
    )


def _reply(came: Input, step: Step[Any], where: str) -> tuple[Any, BaseException | None]:
    data = bytes(came.body)
    try:
        if step.replies is None or data == b"null":
            return msgspec.json.decode(data), None
        if came.version == step.replies.version:
            with contextlib.suppress(Exception):  # read again below for the error with its place
                return step.replies.decode(data), None
        return step.replies.read(data, came.version, f"{where}, reply to {step.command}"), None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the reply is the requester's to know
        return None, error


def _failure(came: Input) -> Failure:
    try:
        return msgspec.json.decode(bytes(came.body), type=Failure)
    except msgspec.MsgspecError:
        return Failure("", "no reason recorded")


def value_of(data: msgspec.Raw, kind: Any) -> Any:
    """The result of a block from its encoding, as ``kind``; plain JSON values without one."""
    plain = msgspec.json.decode(bytes(data))
    return plain if kind is None else codec.convert(plain, kind)
