"""How the settings of an item become policies of its service."""

from __future__ import annotations

import math

import msgspec

from junctor.core.policy import Policies, PoolPolicy, RetryPolicy, Waits
from junctor.core.run import RUN_KEY
from junctor.dialects.iop.components import BusinessProcess
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import known

FOREVER = 2**31 - 1
"""Attempts that nobody lives to see."""

DEATHS = 5
"""How often a message of a process may be in hand when the node ends, before it is taken for what ends it. A reply that
is put aside would keep its conversation open."""

CONNECTION_ERRORS = ("ConnectionError", "TimeoutError", "gaierror", "herror")
"""The errors that are tried again without being asked for: the other side is away."""


def policies_of(item: Item) -> Policies:
    """The policies of an item.

    :raises SettingError: a setting does not fit.
    """
    key = RUN_KEY if _is_process(item) else None  # callbacks of one conversation never run at the same time
    retry = _outliving(_retry(item)) if key else _retry(item)
    return Policies(pool=PoolPolicy(size=pool_size(item), key=key), retry=retry)


def pool_size(item: Item) -> int:
    """How many messages are handled at once; a process without a pool of its own has that of the production."""
    size: int = known(item, "PoolSize")
    if size == 0 and _is_process(item):
        size = item.production.actor_pool_size
    return max(1, size)


def _outliving(retry: RetryPolicy) -> RetryPolicy:
    """The same with more attempts for the ends of the node; an error of the code has none of them."""
    on = retry.on if retry.attempts > 1 else {**retry.on, "Exception": "park"}
    return msgspec.structs.replace(retry, attempts=max(DEATHS, retry.attempts), on=on)


def _is_process(item: Item) -> bool:
    return item.component is not None and issubclass(item.component, BusinessProcess)


def attempts_of(item: Item) -> int:
    """How often a message is tried: as often as RetryInterval fits into FailureTimeout."""
    interval, timeout = known(item, "RetryInterval"), known(item, "FailureTimeout")
    return FOREVER if timeout < 0 else max(1, math.ceil(timeout / interval))


def _retry(item: Item) -> RetryPolicy:
    """An exception goes back to the caller, and its message is parked. Connection errors are tried again, and what
    ReplyCodeActions says so of."""
    interval, attempts = known(item, "RetryInterval"), attempts_of(item)
    if known(item, "ReplyCodeActions"):  # which errors are tried again, and which not, is decided where they are raised
        return RetryPolicy(attempts=attempts, initial=interval, factor=1.0, max=interval, jitter=0.0)
    waits = Waits(attempts=attempts, initial=interval, factor=1.0, max=interval, jitter=0.0)
    on = dict.fromkeys(CONNECTION_ERRORS, waits)
    return RetryPolicy(attempts=1, initial=interval, factor=1.0, max=interval, jitter=0.0, on=on)
