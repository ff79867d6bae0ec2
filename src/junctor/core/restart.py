"""When to start a failed service again: the restart intensity of Erlang/OTP supervisors, with back-off."""

from __future__ import annotations

import random
from collections import deque

from junctor.core.policy import RestartPolicy
from junctor.core.retry import backoff


class RestartHistory:
    """The failures of one service within the window of its policy."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._failures: deque[float] = deque()

    def failed(self, now: float, chance: float | None = None) -> float | None:
        """Seconds to wait before the next start, or None when the service failed too often and stays down.

        :param now: monotonic seconds.
        """
        policy = self._policy
        self._failures.append(now)
        while self._failures and self._failures[0] <= now - policy.window:
            self._failures.popleft()
        count = len(self._failures)
        if count > policy.limit:
            return None
        chance = random.random() if chance is None else chance
        return backoff(policy.initial, policy.factor, policy.max, policy.jitter, count - 1, chance)

    @property
    def recent(self) -> int:
        return len(self._failures)
