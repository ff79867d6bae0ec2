"""What a process does with an error of its code."""

from __future__ import annotations

from junctor.core.hop import Delivery, current
from junctor.core.outcome import Park, Settlement
from junctor.core.policy import Policies
from junctor.core.retry import decide
from junctor.runtime.failures import failure_of
from junctor.services.conversation.attributes import NotRestorable


def is_final(error: BaseException, policies: Policies) -> bool:
    """Whether a callback that raised this is not tried again. What asks for its message to be parked, as an attribute
    whose class is gone, has its way: the process goes on when it is sent again."""
    delivery = current.get()
    if isinstance(error, Park | NotRestorable) or not isinstance(delivery, Delivery):
        return False
    settlement, _ = decide(failure_of(error), policies.retry, policies.hold, max(1, delivery.attempt), delivery.probes)
    return settlement is Settlement.PARK
