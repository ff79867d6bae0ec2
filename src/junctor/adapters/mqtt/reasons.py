"""What a broker says no with."""

from __future__ import annotations

QUOTA_EXCEEDED = 0x97
TAKEN_OVER = 0x8E
UNSPECIFIC = (0x80, 0x83)
"""Unspecified error, and implementation specific error: another time it may be another answer."""


class Refused(Exception):
    """The broker has the message and does not want it; ``code`` is its reason code of MQTT 5, 0 where nobody asked
    it because it had said so before."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code
