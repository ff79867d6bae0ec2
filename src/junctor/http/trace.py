"""W3C Trace Context: the session of a request is the trace id of its caller; the caller of our requests is the hop."""

from __future__ import annotations

import re
from random import getrandbits

from junctor.messages import session_text

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def session_of(traceparent: bytes) -> int:
    """The trace id as a session, 0 when the header does not follow the standard: it is then ignored."""
    found = _TRACEPARENT.fullmatch(traceparent)
    # Version ff is forbidden; version 00 has exactly four parts; a parent of zeros makes the whole header invalid.
    if found is None or found[1] == b"ff" or (found[1] == b"00" and found[5]) or not int(found[3], 16):
        return 0
    return int(found[2], 16)


def traceparent(session: int, span: int = 0) -> str:
    """The header of a request or answer that belongs to a session; ``span`` names the hop, 0 makes a name up."""
    return f"00-{session_text(session)}-{span or getrandbits(64) or 1:016x}-01"


def new_session() -> int:
    """A random session. Not a secret: it names, it does not admit."""
    return getrandbits(128) or 1
