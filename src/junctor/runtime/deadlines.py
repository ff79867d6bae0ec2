"""Time limits of requests as the envelope carries them."""

from __future__ import annotations

import math

from junctor.clock import SECOND


def nanoseconds(seconds: float) -> int:
    """A time limit in nanoseconds, at least 1; 0 for one that never comes, which is what a deadline of 0 says."""
    return 0 if seconds == math.inf else max(1, int(seconds * SECOND))
