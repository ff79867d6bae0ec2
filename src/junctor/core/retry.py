"""What to do with a message whose handler raised: a pure decision."""

from __future__ import annotations

import random
from typing import cast, get_args

from junctor.core.outcome import Failure, Raised, Settlement
from junctor.core.policy import HoldPolicy, Reaction, RetryPolicy, Waits

# These cannot get better by themselves: a second attempt would meet the same body and the same code. A request that
# failed for good is parked at the service asked; asking again gets the recorded failure.
_HOPELESS = frozenset(
    {
        "BodyTooLarge",
        "DecodeError",
        "EncodeError",
        "NoHandler",
        "NoRoute",
        "RequestFailed",
        "StateError",
        "UnknownTarget",
        "WiringError",
    }
)
# The other queue is full or the disk is: an outage of somebody else, so it costs no attempt and keeps the order.
_OUTAGES = frozenset({"QueueFull", "StoreFull"})


def backoff(initial: float, factor: float, maximum: float, jitter: float, step: int, chance: float) -> float:
    """Seconds before step ``step`` (from 0), spread by ``jitter`` with ``chance`` in 0..1."""
    exponent = min(step, 64)
    wait: float = min(initial * factor**exponent, maximum)
    return wait * (1.0 + jitter * (2.0 * chance - 1.0))


def reaction_to(failure: Failure, policy: RetryPolicy) -> Reaction | Waits:
    """The reaction to a failure: the handler's own word, then the policy's for the nearest class, then the engine's."""
    found = _reaction(failure, policy)
    if found is not None:
        return found
    parts = [_reaction(part, policy) or "retry" for part in failure.parts]
    if "park" in parts:
        return "park"
    return "hold" if parts and all(part == "hold" for part in parts) else "retry"


def _reaction(raised: Failure | Raised, policy: RetryPolicy) -> Reaction | Waits | None:
    if raised.reaction in get_args(Reaction):
        return cast(Reaction, raised.reaction)
    dotted = [name for name in policy.on if "." in name]
    for place, name in enumerate(raised.bases):
        if dotted and place < len(raised.modules):
            for whole in dotted:
                if is_named(whole, name, raised.modules[place]):
                    return policy.on[whole]
        if name in policy.on:
            return policy.on[name]
        if name in _HOPELESS:
            return "park"
        if name in _OUTAGES:
            return "hold"
    return None


def is_named(whole: str, name: str, module: str) -> bool:
    """Whether ``package.Error`` stands for the class ``name`` of a module: that of the package, or one below it."""
    package, _, last = whole.rpartition(".")
    return last == name and (module == package or module.startswith(package + "."))


def decide(
    failure: Failure, policy: RetryPolicy, hold: HoldPolicy, attempt: int, probe: int, chance: float | None = None
) -> tuple[Settlement, float]:
    """Settlement and wait in seconds after the failure of attempt number ``attempt``.

    :param probe: how often the held service has probed already, from 0.
    :param chance: 0..1 for the jitter; drawn when left out.
    """
    chance = random.random() if chance is None else chance
    reaction = reaction_to(failure, policy)
    if isinstance(reaction, Waits):
        policy = policy.changed(reaction)
    if reaction == "park":
        return Settlement.PARK, 0.0
    if reaction == "hold":
        wait = backoff(hold.initial, hold.factor, hold.max, hold.jitter, probe, chance)
        return Settlement.HOLD, wait if failure.delay is None else failure.delay
    if attempt >= policy.attempts:
        return Settlement.PARK, 0.0
    wait = backoff(policy.initial, policy.factor, policy.max, policy.jitter, attempt - 1, chance)
    return Settlement.RETRY, wait if failure.delay is None else failure.delay
