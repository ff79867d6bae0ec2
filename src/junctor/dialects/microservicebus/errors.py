"""Errors of services of microServiceBus."""

from __future__ import annotations

from junctor.errors import SendError


class UnknownAction(SendError):
    """The service that a message is for has no such action."""

    code = "unknown-action"
    default_fix = "Name one of its methods."
    status = 404


class StartFails(SendError):
    """The service that a message is for fails when it starts; the message waits."""

    code = "start-fails"
    default_fix = "`junctor status` shows why."
    status = 503
