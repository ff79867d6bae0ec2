"""How the settings of an item become policies of its service."""

from __future__ import annotations

import math
from typing import Any

from junctor.core.policy import Policies, PoolPolicy, RetryPolicy, Waits
from junctor.core.run import RUN_KEY
from junctor.dialects.iop.components import BusinessProcess
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.values import known

FOREVER = 2**31 - 1
"""Attempts that nobody lives to see."""

DEATHS = 5
"""How often a message comes back that is in hand when the node, or its worker process, ends; then it is taken for what
ends it. Errors have their own attempts."""

CONNECTION_ERRORS = ("ConnectionError", "TimeoutError", "gaierror", "herror")
"""The errors that are tried again without being asked for: the other side is away."""


def policies_of(item: Item) -> Policies:
    """The policies of an item.

    :raises SettingError: a setting does not fit.
    """
    key = RUN_KEY if _is_process(item) else None  # callbacks of one conversation never run at the same time
    return Policies(pool=PoolPolicy(size=pool_size(item), key=key), retry=_retry(item))


def pool_size(item: Item) -> int:
    """How many messages are handled at once; a process without a pool of its own has that of the production."""
    size: int = known(item, "PoolSize")
    if size == 0 and _is_process(item):
        size = item.production.actor_pool_size
    return max(1, size)


def _is_process(item: Item) -> bool:
    return item.component is not None and issubclass(item.component, BusinessProcess)


def attempts_of(item: Item) -> int:
    """How often a message is tried: as often as RetryInterval fits into FailureTimeout."""
    interval, timeout = known(item, "RetryInterval"), known(item, "FailureTimeout")
    return FOREVER if timeout < 0 else max(1, math.ceil(timeout / interval))


def _retry(item: Item) -> RetryPolicy:
    """An exception goes back to the caller, and its message is parked. Connection errors are tried again, and what
    ReplyCodeActions says so of."""
    attempts = attempts_of(item)
    interval = known(item, "RetryInterval")
    waits: dict[str, Any] = {"initial": interval, "factor": 1.0, "max": interval, "jitter": 0.0}
    lost = {"WorkerLost": Waits(attempts=max(DEATHS, attempts), **waits)}
    if known(item, "ReplyCodeActions"):  # which errors are tried again, and which not, is decided where they are raised
        return RetryPolicy(attempts=attempts, deaths=DEATHS, **waits, on=lost)
    on = dict.fromkeys(CONNECTION_ERRORS, Waits(attempts=attempts, **waits))
    return RetryPolicy(attempts=1, deaths=DEATHS, **waits, on={**on, **lost})
