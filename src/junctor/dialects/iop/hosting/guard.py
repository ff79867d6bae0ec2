"""What stands round each message of an operation: its schedule, its rest, and what follows from an error."""

from __future__ import annotations

import contextlib
import functools
import math
import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from junctor.clock import SECOND
from junctor.core.hop import current
from junctor.core.outcome import Hold, Rest
from junctor.core.port import Port
from junctor.dialects.iop.hosting.alerts import Alerter
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.policies import attempts_of
from junctor.dialects.iop.hosting.replycodes import ReplyCode, Step, actions_for, read_reply_codes, step_now
from junctor.dialects.iop.hosting.schedule import Event, Window, read_schedule, window_at
from junctor.dialects.iop.hosting.values import known
from junctor.errors import JunctorError

CONNECTION = (ConnectionError, TimeoutError, socket.gaierror, socket.herror)
"""The classes of :data:`~junctor.dialects.iop.hosting.policies.CONNECTION_ERRORS`."""

LONGEST = 3600.0
"""Seconds until a closed item looks again: the clock of the machine may be set meanwhile."""

DISABLED = 365 * 86_400.0
"""Seconds for which a message of a disabled item waits, unless somebody resumes it."""


class NoReply(JunctorError):
    """An operation answered nothing, and its ReplyCodeActions say that this is an error."""

    code = "iop-no-reply"
    default_fix = "Let it return a message, or take X out of its ReplyCodeActions."


def check_rules(item: Item) -> None:
    """
    :raises ConfigurationError: the schedule or the ReplyCodeActions of an item cannot be read.
    """
    _events(item)
    _codes(item)


class Closed(msgspec.Struct, frozen=True):
    """Says when an item begins to work again, where its schedule is closed."""

    events: tuple[Event, ...]

    def __call__(self, instance: object, now: float) -> str:
        window = _window_of(self.events, now // 60 * 60)
        if window.until is not None and window.until <= now:
            window = window_at(self.events, now)
        return "" if window.open else closed(window)


@functools.lru_cache(maxsize=1024)
def _window_of(events: tuple[Event, ...], minute: float) -> Window:
    """Operators look every second, and years of days may have to be looked through."""
    return window_at(events, minute)


def remark_of(item: Item) -> Closed | None:
    """What the schedule of an item says, for who looks at it before a message comes."""
    events = _events(item)
    return Closed(events) if events else None


def closed(window: Window) -> str:
    """Why an item does not work now."""
    return f"outside its schedule{_until(window.until)}"


def _events(item: Item) -> tuple[Event, ...]:
    return read_schedule(known(item, "Schedule"), f"{item.name}.Schedule")


def _codes(item: Item) -> tuple[ReplyCode, ...]:
    return read_reply_codes(known(item, "ReplyCodeActions"), f"{item.name}.ReplyCodeActions")


class Guard:
    """The rules of one item, and when it last did something."""

    def __init__(self, item: Item, port: Port, alerter: Alerter) -> None:
        self._name = item.name
        self._port = port
        self._alerter = alerter
        self._seen = (0.0, 0.0, Window(True))
        self._events, self._codes = _events(item), _codes(item)
        self._attempts = attempts_of(item)
        self._rest = known(item, "ThrottleDelay") / 1000
        self._ready_at = 0.0

    @property
    def open(self) -> bool:
        """Whether the item works now, by its schedule."""
        return self._window().open

    def call(self, handle: Callable[[Any], Any], request: Any) -> Any:
        """Handle a message by the rules.

        :raises Rest: the item is outside its schedule.
        :raises Hold: it is disabled by an error.
        """
        self._check_schedule()
        self._wait()
        try:
            reply = handle(request)
        except Exception as error:  # noqa: BLE001 - it is raised again, or ReplyCodeActions says what it counts as
            self._follow(error, actions_for(self._codes, error))
            return None
        finally:
            self._ready_at = self._now() + self._rest
        actions = actions_for(self._codes, None) if reply is None or reply == "" else ()
        if actions:
            self._follow(NoReply("it has no reply", where=self._name), actions)
        return reply

    def _check_schedule(self) -> None:
        window = self._window()
        if window.open:
            return
        left = LONGEST if window.until is None else max(0.001, window.until - self._now())
        raise Rest(closed(window), delay=min(left, LONGEST))

    def _window(self) -> Window:
        """What the schedule says now. It is asked again when the window ends, and every hour: the clock of the machine
        may be set."""
        if not self._events:
            return Window(True)
        now, (since, until, window) = self._now(), self._seen
        if not since <= now < until:
            window = window_at(self._events, now)
            self._seen = (now, min(now + LONGEST, window.until or math.inf), window)
        return window

    def _wait(self) -> None:
        """Rest after the message before, as ThrottleDelay asks for."""
        left = self._ready_at - self._now()
        if self._rest and left > 0:
            self._port.sleep(min(left, self._rest)).result()

    def _follow(self, error: Exception, actions: tuple[Step, ...]) -> None:
        """Raise the error as its actions ask for; return where it counts as done."""
        step = step_now(actions, self._attempt(), self._attempts)
        told = f"{type(error).__name__}: {error}"
        if step == "done":
            return
        if step == "warn":
            self._port.log.warning("%s: %s (counts as done)", self._name, told)
            return
        if step == "disable":
            self._alerter.failed(error, self._attempt(), last=True)
            raise Hold(f"disabled by ReplyCodeActions: {told}", delay=DISABLED) from error
        # Where nothing is said of it, connection errors have attempts of their own, and others none.
        again = step == "retry" or (step is None and isinstance(error, CONNECTION) and self._attempt() < self._attempts)
        if self._codes and not again:
            _park(error)
        self._alerter.failed(error, self._attempt(), last=not again)
        raise error

    def _attempt(self) -> int:
        return max(1, getattr(current.get(), "attempt", 1))

    def _now(self) -> float:
        return self._port.time_ns() / SECOND


def _park(error: Exception) -> None:
    """Let the engine put the message aside, with the error as it is."""
    with contextlib.suppress(AttributeError):  # a class with slots; then the policy decides
        error.reaction = "park"  # type: ignore[attr-defined]


def _until(instant: float | None) -> str:
    return "" if instant is None else f" until {datetime.fromtimestamp(instant):%Y-%m-%d %H:%M:%S}"
