"""Which exceptions of a provider mean that the other side is away."""

from __future__ import annotations

import errno

from junctor.adapters.base import OUTAGES
from junctor.core.policy import RetryPolicy
from junctor.core.retry import reaction_to
from junctor.runtime.failures import failure_of

POLICY = RetryPolicy(on=OUTAGES)
"""What Com holds for."""

_NO_WAY = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT}


def is_outage(error: Exception, policy: RetryPolicy = POLICY) -> bool:
    """Whether it does, by a policy. A network that is down is an ``OSError`` like a file that is missing; its number
    tells."""
    if isinstance(error, OSError) and error.errno in _NO_WAY:
        return True
    return reaction_to(failure_of(error), policy) == "hold"
