"""Alarms of a rule: when one is raised, when somebody is told, again, and when it is over.

A pure state machine in the manner of Prometheus and its Alertmanager: a reason that lasts (``after``) raises an alarm;
alarms of one rule are told together, the first at once, then at most one notification in ``pace`` seconds; ``again``
repeats it while it lasts; and what was raised is told to be over.

Time is given in seconds of a clock that only goes forward, over restarts of the node too: setting the clock of the
machine neither raises nor repeats anything.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from junctor.core.signals import Signal, Signals

CALM = 15.0
"""Seconds that a reason must be away until its alarm is over: a service that is held, answers once and is held again
has one alarm, as has one whose node is started again meanwhile."""

Event = Literal["raised", "again", "resolved"]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule tells. All in seconds; ``again`` 0 repeats nothing."""

    after: float = 0.0
    again: float = 4 * 3600.0
    pace: float = 60.0
    resolved: bool = True


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A reason that a rule has, or had. ``since`` is for people, nanoseconds since 1970; ``began`` and ``missing``,
    from when on it was not seen, are by the steady clock. ``told``: somebody was."""

    kind: str
    service: str
    text: str
    count: int
    command: str
    since: int
    began: float
    raised: bool = False
    told: bool = False
    missing: float | None = None


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule remembers: its ``alarms`` by key, those that are over and not told yet, and the last notification:
    ``notified`` by the steady clock, ``notified_at`` for people."""

    alarms: dict[str, Alarm] = {}
    ended: dict[str, Alarm] = {}
    notified: float | None = None
    notified_at: int = 0

    @property
    def open(self) -> list[Alarm]:
        """The alarms that are raised and not over."""
        return [alarm for alarm in self.alarms.values() if alarm.raised]


class Notification(msgspec.Struct, frozen=True):
    """What a rule has to tell: ``items`` are the alarms that were raised, last on, or are over; ``open`` counts those
    that are there now."""

    event: Event
    items: tuple[Alarm, ...]
    open: int


def step(
    pace: Pace, state: RuleState, signals: Signals, now: float, time: int
) -> tuple[RuleState, Notification | None]:
    """What the rule remembers after it has seen these signals, and what it has to tell now.

    The state is equal to the one before where nothing happened, however the counts have changed meanwhile.

    :param now: seconds of the steady clock.
    :param time: the same instant for people, nanoseconds since 1970.
    """
    found = {signal.key: signal for signal in signals.found}
    alarms = {key: _seen(state.alarms.get(key), signal, pace, now) for key, signal in found.items()}
    over: dict[str, Alarm] = {}
    for key, alarm in state.alarms.items():
        if key in found:
            continue
        left = alarm if key in signals.unsure else _missed(alarm, now)
        if left is None:
            over[key] = alarm
        else:
            alarms[key] = left
    ended = _ended(pace, state, alarms, over)
    # One that is told to have come back was never gone.
    alarms = {
        key: msgspec.structs.replace(alarm, told=True) if key in state.ended and alarm.raised else alarm
        for key, alarm in alarms.items()
    }
    after = msgspec.structs.replace(state, alarms=_in_order(state, alarms), ended=ended)
    return _told(pace, after, found, now, time)


def _seen(alarm: Alarm | None, signal: Signal, pace: Pace, now: float) -> Alarm:
    if alarm is None:
        alarm = Alarm(
            kind=signal.kind,
            service=signal.service,
            text=signal.text,
            count=signal.count,
            command=signal.command,
            since=signal.since,
            began=now,
        )
    raised = alarm.raised or now - alarm.began >= max(signal.needs, pace.after)
    if raised == alarm.raised and alarm.missing is None:
        return alarm
    return _fresh(msgspec.structs.replace(alarm, raised=raised, missing=None), signal)


def _fresh(alarm: Alarm, signal: Signal | None) -> Alarm:
    if signal is None:
        return alarm
    return msgspec.structs.replace(alarm, text=signal.text, count=signal.count)


def _missed(alarm: Alarm, now: float) -> Alarm | None:
    """The alarm while it may come back, None when it is over. What was not raised yet begins anew at once."""
    if not alarm.raised:
        return None
    if alarm.missing is None:
        return msgspec.structs.replace(alarm, missing=now)
    return alarm if now - alarm.missing < CALM else None


def _ended(pace: Pace, state: RuleState, alarms: dict[str, Alarm], over: dict[str, Alarm]) -> dict[str, Alarm]:
    """What is over and was told to be there; what came back before anybody heard of its end is not."""
    if not pace.resolved:
        return {}
    new = {key: alarm for key, alarm in over.items() if alarm.told}
    return {key: alarm for key, alarm in {**state.ended, **new}.items() if not (key in alarms and alarms[key].raised)}


def _in_order(state: RuleState, alarms: dict[str, Alarm]) -> dict[str, Alarm]:
    known = {key: alarms[key] for key in state.alarms if key in alarms}
    return {**known, **alarms}


def _told(
    pace: Pace, state: RuleState, found: dict[str, Signal], now: float, time: int
) -> tuple[RuleState, Notification | None]:
    raised = {key: alarm for key, alarm in state.alarms.items() if alarm.raised}
    new = [key for key, alarm in raised.items() if not alarm.told]
    waited = now - state.notified if state.notified is not None else float("inf")
    present = any(key in found for key in raised)
    event: Event
    if (new or state.ended) and waited >= pace.pace:
        event = "raised" if new else "resolved"
    elif present and pace.again and waited >= pace.again:
        event, new = "again", list(raised)
    else:
        return state, None
    items = tuple(state.ended.values()) if event == "resolved" else tuple(_fresh(raised[k], found.get(k)) for k in new)
    tell = {key: msgspec.structs.replace(_fresh(raised[key], found.get(key)), told=True) for key in new}
    after = msgspec.structs.replace(
        state,
        alarms={**state.alarms, **(tell if event != "resolved" else {})},
        ended={} if event == "resolved" else state.ended,
        notified=now,
        notified_at=time,
    )
    return after, Notification(event, items, len(raised))
