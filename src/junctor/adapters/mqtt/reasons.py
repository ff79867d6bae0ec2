"""What a broker says no with."""

from __future__ import annotations

from junctor.core.policy import Reaction
from junctor.errors import JunctorError

UNHEARD = 0x10
"""A message is accepted, and nobody has subscribed to its topic."""
PROTOCOL = 0x82
SILENT = 0x8D
TAKEN_OVER = 0x8E
QUOTA_EXCEEDED = 0x97
_UNSPECIFIC = (0x80, 0x83)
"""Unspecified error, and implementation specific error: another time it may be another answer."""


class PublishRefused(JunctorError):
    """An MQTT broker does not take a message, which is parked; where a quota is exceeded it waits.

    ``reason`` is the reason code of MQTT 5, 0 where the broker was not asked because it had said so before.
    """

    code = "publish-refused"
    default_fix = "Allow it at the broker, or correct the message, and send it again."

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, reason: int = 0) -> None:
        super().__init__(what, where=where, fix=fix)
        self.reason = reason
        self.reaction: Reaction = "hold" if reason == QUOTA_EXCEEDED else "retry" if reason in _UNSPECIFIC else "park"
