"""Whether a function that may block is called in a thread or, where it has proved to be prompt, on the event loop.

A thread costs more than most small handlers do. Producers whose routes are plain functions by nature can ask for this;
what is told to run in a thread always does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

from junctor.http.waiting import MustWait, without_waiting
from junctor.runtime.calls import LATER

PROBATION = 20
"""Calls in threads before the first one on the loop."""
QUICK = 0.001
"""Seconds that most calls in threads may take: what asks another server, perhaps this one, takes longer."""
PROMPT = 0.005
"""Seconds that a call may take on the loop. One that takes longer holds everything else up."""
FORGIVEN = 200
"""Calls among which one may take longer than that: on a busy machine the loop itself has to wait now and then."""
LONG = 0.05
"""Seconds that are not forgiven."""
LONGEST_BAN = 1_000_000
"""Calls in threads, at most, before it is tried on the loop again."""


class Prompts:
    """The promptness of a route, or of each function behind one that stands for many.

    The callable of such a route has a method ``function_of``, which gets the arguments of the call and answers what
    will do it: one slow function must not be taken for prompt because others are.
    """

    def __init__(self) -> None:
        self._own = Promptness()
        self._behind: WeakKeyDictionary[Any, Promptness] = WeakKeyDictionary()

    def of(self, call: Callable[..., Any], arguments: dict[str, Any]) -> Promptness:
        """Of what a call with these arguments runs."""
        choose = getattr(call, "function_of", None)
        function = choose(**arguments) if choose is not None else None
        if function is None:
            return self._own
        found = self._behind.get(function)
        return found if found is not None else self._behind.setdefault(function, Promptness())


class Promptness:
    """What is known of the calls of one function.

    It is called in threads until most of a number of calls were prompt. Then it runs on the loop, until one call there
    is much too slow, or two of few are not prompt: from then on in threads, each time for ten times as many calls as
    before, unless it has run on the loop for longer than that. One that would wait for another program on the loop is
    called once more in a thread, and stays there; so only what may be repeated belongs here.
    """

    def __init__(self) -> None:
        self.on_loop = False
        self._left: float = PROBATION
        self._next = PROBATION * 10
        self._slow = 0
        self._since = FORGIVEN
        self._ran = 0

    def now(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call as it is made on the loop. It answers :data:`LATER` when it would wait for another program."""

        def here(**kwargs: Any) -> Any:
            began = perf_counter()
            try:
                return without_waiting(call, kwargs)
            except MustWait:
                self.on_loop, self._left = False, math.inf
                return LATER
            finally:
                self._since += 1
                took = perf_counter() - began
                if took > PROMPT and self.on_loop:
                    self._held_up(took)

        return here

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call as it is made in a thread."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self._noted(perf_counter() - began)

        return timed

    # Numbers that several threads change at once may lose a call; none of them has to be exact.

    def _noted(self, seconds: float) -> None:
        self._left -= 1
        # Threads wait for each other: a prompt one among many takes its time, too. Only the share of slow ones tells.
        self._slow += seconds > QUICK
        if self._left <= 0 and not self.on_loop:
            if self._slow * 4 <= PROBATION:
                self.on_loop = True
            else:
                self._left = PROBATION
            self._slow = 0

    def _held_up(self, seconds: float) -> None:
        self._ran += self._since
        if seconds > LONG or self._since <= FORGIVEN:
            self._banned()
            self._since, self._ran = FORGIVEN, 0
        else:
            self._since = 0

    def _banned(self) -> None:
        self.on_loop = False
        if self._ran > self._next:
            self._next = PROBATION * 10
        self._left, self._slow = self._next, 0
        self._next = min(self._next * 10, LONGEST_BAN)
