"""What a service leaves in the store beyond what its promises need: ``trace: all``, ``failures`` or ``off``.

Records have two readers: the engine, which must find again what is owed, and operators, who want to know what happened.
Recording is about the second alone. So what somebody may still ask for stays in any case: a message below DONE, a
parked one with the error of its last attempt, and the reply to a request that its requester may repeat.
"""

from __future__ import annotations

import msgspec

from junctor.core.hop import Delivery
from junctor.core.outcome import Failure, Outcome, Reply, Settlement
from junctor.core.policy import Recording


def records_hop(recording: Recording, failed: bool) -> bool:
    """Whether a first hop (tick, route, action, socket) becomes a record of its own. What it sent refers to its number
    either way; a trace shows such messages as first ones."""
    return recording == "all" or (recording == "failures" and failed)


def recorded(recording: Recording, outcome: Outcome, delivery: Delivery, late: bool) -> Outcome:
    """What is kept of the outcome of a delivery. Settlement, messages and state are what they were."""
    if recording == "all":
        return outcome
    whole = recording == "failures" and (outcome.failure is not None or _failed_before(delivery))
    reply = _kept_reply(recording, outcome.reply, delivery, late)
    failure = outcome.failure if whole else _needed_failure(outcome)
    return msgspec.structs.replace(outcome, reply=reply, failure=failure, logs=outcome.logs if whole else ())


def _failed_before(delivery: Delivery) -> bool:
    """Whether an earlier attempt failed, or did not come to its end."""
    return delivery.attempt > 1 or delivery.resumed


def _kept_reply(recording: Recording, reply: Reply | None, delivery: Delivery, late: bool) -> Reply | None:
    """A request with an origin can be made again, by a handler that is tried again or under the same idempotency key,
    and is answered out of the store. Without one nobody can ask for it but who waits now. A requester that had given up
    did not end well: "failures" shows what it would have got."""
    repeatable = delivery.message.origin is not None
    return reply if repeatable or (late and recording == "failures") else None


def _needed_failure(outcome: Outcome) -> Failure | None:
    """Parked messages are grouped by their error, and it is the answer to a request that is repeated."""
    return outcome.failure if outcome.settlement is Settlement.PARK else None
