"""A conversation while one of its callbacks runs: what is known of it, and what the callback asks for."""

from __future__ import annotations

import copy
import functools
from collections.abc import Hashable, Mapping
from typing import Any, cast

import msgspec

from junctor.clock import SECOND, parse_duration
from junctor.core.port import Link
from junctor.core.snapshot import OpenRequest, Snapshot
from junctor.errors import OutsideDelivery, text_of
from junctor.messages.types import is_frozen

_is_frozen = functools.lru_cache(maxsize=256)(is_frozen)


class Asking(msgspec.Struct):
    """A request that a callback made."""

    name: str
    target: str
    link: Link
    body: Any
    key: str | None
    timeout: float | None
    headers: Mapping[str, str] | None


class Live:
    """What a conversation knows of itself: ``self.conversation``.

    ``number`` is that of its run, 0 without a node; ``turns`` counts the callbacks before this one. ``key`` is the one
    that its messages find it by, None without. ``replied`` says that whoever began it has the reply, which is ``reply``
    if it was given just now. ``ended`` says that it ends with this callback, ``failure`` why it failed, empty
    otherwise. Requests, timers and replies wait here until the callback has returned, so any thread of it may make
    them.
    """

    def __init__(
        self, number: int = 0, turns: int = 0, key: str | None = None, snapshot: Snapshot | None = None
    ) -> None:
        self.number = number
        self.turns = turns
        self.key = key
        self.reply: Any = None
        self.ended = False
        self.failure = ""
        self.failed_as = ""
        self.closed = False
        self.snapshot = snapshot if snapshot is not None else Snapshot()
        self.asked: list[Asking] = []
        self.started: dict[str, float] = {}
        self.cancelled: set[str] = set()
        self._replies = self.snapshot.replied

    # What is known ------------------------------------------------------------------------------------------

    @property
    def replied(self) -> bool:
        return self._replies

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the requests that have no end yet."""
        return (*(one.name for one in self.open_requests.values()), *(one.name for one in self.asked))

    @property
    def timers(self) -> tuple[str, ...]:
        """The names of the timers that have not run out."""
        kept = [one.name for one in self.snapshot.timers.values() if not self._replaced(one.name)]
        return tuple(dict.fromkeys((*kept, *self.started)))

    @property
    def open_requests(self) -> dict[int, OpenRequest]:
        """The requests of earlier callbacks that have no end yet, by their step."""
        return {step: one for step, one in self.snapshot.requests.items() if one.name not in self.cancelled}

    def _replaced(self, name: str) -> bool:
        return name in self.cancelled or name in self.started

    # What a callback asks for -------------------------------------------------------------------------------

    def ask(
        self,
        target: str,
        link: Link,
        body: Any,
        name: str | None,
        key: str | None,
        timeout: float | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        """Take a request; it goes out when the callback has returned."""
        self._check("ask")
        # The caller may go on changing what is not frozen.
        own = body if _is_frozen(cast(Hashable, type(body))) else copy.deepcopy(body)
        self.asked.append(Asking(name or target, target, link, own, key, timeout, headers))

    def timer(self, delay: float | str, name: str) -> None:
        """Start a timer, in the place of one with this name."""
        self._check("timer")
        self.started[name] = parse_duration(delay)

    def cancel(self, name: str) -> None:
        """Forget the requests and the timer of this name: what comes of them is late."""
        self._check("cancel")
        self.cancelled.add(name)
        self.started.pop(name, None)
        self.asked = [one for one in self.asked if one.name != name]

    def give(self, value: Any) -> bool:
        """Take the reply for whoever began it; False, and nothing happens, where there is one already."""
        self._check("reply")
        if self._replies:
            return False
        self.reply = value
        self._replies = True
        return True

    def end(self) -> None:
        """End with this callback."""
        self._check("end")
        self.ended = True

    def fail(self, reason: str | BaseException) -> None:
        """End with this callback, as failed."""
        self.end()
        self.failed_as = "ConversationFailed" if isinstance(reason, str) else type(reason).__qualname__
        self.failure = (reason if isinstance(reason, str) else text_of(reason)) or self.failed_as

    def undo(self) -> None:
        """Forget what this callback asked for and replied; only an end may follow."""
        self.asked, self.started, self.cancelled = [], {}, set()
        self.reply, self._replies = None, self.snapshot.replied
        self.closed = False

    def _check(self, what: str) -> None:
        if self.closed:
            raise OutsideDelivery(f"{what}() after the callback has returned", where=f"conversation {self.number}")


def later(now: int, seconds: float) -> int:
    """A moment some seconds after ``now``, in nanoseconds since 1970."""
    return now + int(seconds * SECOND)
