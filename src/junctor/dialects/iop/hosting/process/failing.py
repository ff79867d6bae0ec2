"""What a process does with an error of its code."""

from __future__ import annotations

from junctor.core.hop import Delivery, current
from junctor.core.outcome import Settlement
from junctor.core.policy import Policies
from junctor.core.retry import decide
from junctor.runtime.failures import failure_of


def is_final(error: Exception, policies: Policies) -> bool:
    """Whether a callback that raised this is not tried again. Errors whose class says what follows from them, as that
    of a full queue, are the engine's."""
    delivery = current.get()
    if getattr(type(error), "reaction", None) is not None or not isinstance(delivery, Delivery):
        return False
    settlement, _ = decide(failure_of(error), policies.retry, policies.hold, max(1, delivery.attempt), delivery.probes)
    return settlement is Settlement.PARK
