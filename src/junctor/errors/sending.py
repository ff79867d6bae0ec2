"""Raised to who sends a message or makes a request."""

from __future__ import annotations

from junctor.errors.root import JunctorError


class SendError(JunctorError):
    """A message was not accepted. Nothing of it is stored."""

    code = "send"
    default_fix = "The message was not accepted; correct the cause and send it again."


class UnknownTarget(SendError):
    """No service of this name runs in the node."""

    code = "unknown-target"
    default_fix = "Use the name of a running service; `junctor status` lists them."
    status = 404


class QueueFull(SendError):
    """The queue of the target has reached its bound by count or bytes, and the wait for room is over."""

    code = "queue-full"
    default_fix = "Wait and send again, raise `limit` of the target, or give it a larger pool."
    status = 503
    reaction: str | None = None


class StoreFull(SendError):
    """The disk of the store is full: new messages are refused, accepted ones are still delivered."""

    code = "store-full"
    default_fix = "Free disk space; the node accepts messages again by itself."
    status = 507


class EncodeError(SendError):
    """The body cannot be carried: not encodable, or it holds NaN or infinity."""

    code = "encode"
    default_fix = "Send a dataclass, Struct, attrs or pydantic object, or plain JSON values."
    status = 422


class BodyTooLarge(SendError):
    """The encoded body exceeds the limit of the node."""

    code = "body-too-large"
    default_fix = "Store the data elsewhere and send a reference, or raise `max_body` of the node."
    status = 413


class NotRunning(SendError):
    """The node is stopping or stopped and accepts nothing new."""

    code = "not-running"
    default_fix = "Start the node, or send before it stops."
    status = 503


class RequestError(JunctorError):
    """A request got no reply."""

    code = "request"
    default_fix = "`junctor trace SESSION` shows where it went."


class NoRoute(RequestError):
    """A request was made over a target all of whose connections have a condition, and none of them holds."""

    code = "no-route"
    default_fix = "Give the target a connection without a condition for what fits no other."


class RequestTimeout(RequestError):
    """The deadline passed before a reply came. The request may still have been handled; a late reply is recorded."""

    code = "request-timeout"
    default_fix = "Give the request a longer timeout=, or see with `junctor trace` what its handler does."
    status = 504


class RequestExpired(RequestTimeout):
    """The deadline passed while the request still waited in the queue: its handler was not started."""

    code = "request-expired"
    default_fix = "Give the request a longer timeout=, or the service a larger pool."


class RequestFailed(RequestError):
    """The handler failed for good: its message is parked.

    ``error_type`` is the name of the exception class raised by the handler.
    """

    code = "request-failed"
    default_fix = "`junctor parked` shows the error; correct its cause and send again."
    status = 502

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, error_type: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.error_type = error_type
