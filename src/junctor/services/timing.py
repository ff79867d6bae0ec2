"""When a marked function is called by the clock: as its mark says, or as settings of the service say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from junctor.clock import parse_duration
from junctor.core.spec import ScheduleSpec
from junctor.errors import ConfigurationError, SettingError
from junctor.services.markers import Ticks
from junctor.services.member import Member, is_blocking
from junctor.settings import Setting
from junctor.settings.values import UNSET

_SOON = 1.0
"""Seconds of an interval that nobody knows yet, in a flow that is only looked at."""


class Timed(msgspec.Struct, frozen=True):
    """A function with its mark."""

    member: Member
    mark: Ticks

    @property
    def name(self) -> str:
        return self.member.name


def schedules(timed: Sequence[Timed], values: Mapping[str, Any]) -> Iterator[ScheduleSpec]:
    """The schedules of a service.

    :param values: its settings by name.
    :raises ConfigurationError: a mark is wrong.
    :raises SettingError: a setting is no time; ``where`` is its name.
    """
    for one in timed:
        made = _schedule(one.member, _Times(one.member, values), one.mark)
        if made is not None:
            yield made


class _Times:
    """Reads what a mark says, each part from the code or from a setting."""

    def __init__(self, member: Member, values: Mapping[str, Any]) -> None:
        self._member = member
        self._values = values

    def value(self, part: Any) -> Any:
        return self._values.get(part.name, UNSET) if isinstance(part, Setting) else part

    def seconds(self, part: Any, written: str) -> float:
        value = self.value(part)
        if value is UNSET:
            return _SOON
        try:
            return parse_duration(value)
        except ValueError as error:
            raise self.wrong(part, f"{written}: {error}", 'Write for example @every("2s") or @every(0.5).') from error

    def wrong(self, part: Any, what: str, fix: str) -> ConfigurationError:
        """The error, told of the setting where it is one, else of the mark."""
        if isinstance(part, Setting):
            return SettingError(what.partition(": ")[2] or what, where=part.name, fix=fix.replace("@every", ""))
        return self._member.wrong(what, fix)


def _schedule(member: Member, times: _Times, mark: Ticks) -> ScheduleSpec | None:
    """None where a setting says that there is none."""
    expression, every = times.value(mark.cron), times.value(mark.every)
    if mark.cron is not None:
        if not expression:
            return None
        every = _SOON if expression is UNSET else None
        expression = None if expression is UNSET else expression
    elif every is None:
        return None
    else:
        every = times.seconds(mark.every, "@every")
        if every == 0:
            raise times.wrong(
                mark.every, "@every: it needs time between two calls, got 0", 'Write for example @every("100ms").'
            )
    zone = times.value(mark.zone) or None
    if expression is not None:
        _check_cron(times, mark, expression, zone)
    return ScheduleSpec(
        name=member.name,
        bind=member.bind,
        every=every,
        cron=expression,
        zone=zone if expression is not None else None,
        initial=times.seconds(mark.initial, "initial="),
        repeats=mark.repeats,
        blocking=is_blocking(member.function),
        doc=member.doc,
    )


def _check_cron(times: _Times, mark: Ticks, expression: str, zone: str | None) -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, datetime(2030, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise times.wrong(
            mark.cron,
            f"@cron: {expression!r} is not a schedule: {str(error) or 'it never comes'}",
            'Write minute, hour, day, month, day of week, for example @cron("*/5 * * * *").',
        ) from error
    try:
        ZoneInfo(zone or "UTC")
    except (OSError, ValueError, LookupError) as error:
        raise times.wrong(
            mark.zone,
            f"@cron: {zone!r} is not a time zone this machine knows",
            'Write for example zone="Europe/Vienna".',
        ) from error
