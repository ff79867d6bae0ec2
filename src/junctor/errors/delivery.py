"""What a delivery fails with."""

from __future__ import annotations

from junctor.errors.root import JunctorError


class ConditionFailed(JunctorError):
    """The condition of a connection could not be evaluated for a message; it waits, parked, where it would have gone.

    Raised inside the engine only: it is the reason shown by ``junctor parked``.
    """

    code = "condition-failed"
    default_fix = "Correct the condition in the flow, then send the message again."
    reaction = "park"


class ExpressionFailed(JunctorError):
    """An expression or template in the settings of a service could not be evaluated for a message, which is parked."""

    code = "expression-failed"
    default_fix = "Correct the expression in the settings, then send the message again."
    reaction = "park"


class ProgramFailed(JunctorError):
    """A program that a service runs ended with a code that is not 0, took too long, or printed what cannot be read."""

    code = "program-failed"
    default_fix = "Run the program by hand with the same input; the log has its standard error."


class DecodeError(JunctorError):
    """A stored or received body does not fit the handler's declared type. ``where`` ends with the path of the field."""

    code = "decode"
    default_fix = "Correct the sender, or give the type an upgrade= for bodies of older versions."
    status = 422


class NoHandler(JunctorError):
    """The service has no handler for the type of the message."""

    code = "no-handler"
    default_fix = "Add a @handler with this type, or send the message to another service."
    status = 404


class StateError(JunctorError):
    """State was used where it cannot be: changed outside a delivery, or without a key in a service with a pool."""

    code = "state"
    default_fix = "Change state in a handler or schedule; with a pool larger than 1, give the service a key."


class StateConflict(StateError):
    """The state was changed by somebody else since the delivery read it; the delivery is done again."""

    code = "state-conflict"
    default_fix = "Nothing to do: the delivery is repeated on the newer state."


class OutsideDelivery(JunctorError):
    """Something that belongs to a message was asked for where none is being handled."""

    code = "outside-delivery"
    default_fix = "Use it in a handler, and pass on what you need."


class ServiceStopped(JunctorError):
    """The service is stopped or failed too often and takes no calls."""

    code = "service-stopped"
    default_fix = "`junctor status` shows why; start the node again after correcting the cause."
    status = 503


class WorkerLost(JunctorError):
    """A worker process ended while it handled a delivery; one attempt of this delivery is spent.

    ``reason`` is what it ended with, ``crash`` where the interpreter was then, as far as it could tell.
    """

    code = "worker-lost"
    reason = ""
    crash = ""
    default_fix = "See the worker's last lines in the log; the message is tried again by its retry policy."
