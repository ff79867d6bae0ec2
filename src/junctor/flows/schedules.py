"""Schedules as a flow has them: instead of those that the class declares, by the name of the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from junctor.core.spec import ScheduleSpec
from junctor.errors import ConfigurationError, SeveralProblems, nearest
from junctor.flows.files.reading import UNREAD, Reader, described
from junctor.settings import Leaf, Table
from junctor.settings.written import Node, node_of

_OFF = 'To switch a schedule off, write false, or "off" in quotes.'


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a method is called: ``every`` so many seconds, the first time after ``initial``, or by ``cron`` in ``zone``.

    With neither, it is not called. ``place`` is where this was written.
    """

    every: float | None = None
    cron: str | None = None
    zone: str | None = None
    initial: float = 0.0
    place: str = ""


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    """What can be written for a schedule."""

    every: float | None = None
    cron: str | None = None
    zone: str | None = None
    initial: float = 0.0


def read_schedules(written: Mapping[str, Any], service: str) -> dict[str, Schedule]:
    """From what a flow says: ``{"poll": "5s", "report": {"cron": "0 6 * * 1-5"}, "beat": False}``.

    :raises ConfigurationError: one cannot be read; several come together.
    """
    reader = Reader()
    made = {name: _read(reader, node_of(value), f"{service}.schedules.{name}") for name, value in written.items()}
    if reader.problems:
        raise SeveralProblems.of(reader.problems, service)
    return made


def _read(reader: Reader, node: Node, path: str) -> Any:
    if isinstance(node, Leaf):
        return _short(reader, node, path)
    if not isinstance(node, Table):
        return reader.wrong(path, node, f"expected a schedule, got {described(node)}", "Write for example 5s.")
    words = reader.read(node, _Words, path)
    if words is UNREAD:
        return UNREAD
    if (words.every is None) == (words.cron is None):
        return reader.wrong(path, node, "a schedule has either every or cron", "Write for example {every: 5s}.")
    if words.zone is not None and words.cron is None:
        return reader.wrong(path, node, "only cron has a zone", "Leave zone out.")
    if words.cron is not None and words.initial:
        return reader.wrong(path, node, "only every has an initial wait", "Leave initial out.")
    return _checked(reader, node, path, Schedule(**msgspec.structs.asdict(words), place=node.place))


def _short(reader: Reader, node: Leaf, path: str) -> Any:
    """A time by itself, or off."""
    if node.looks == "word":
        means = "true" if node.value else "false"
        return reader.wrong(path, node, f"YAML reads {node.written} as {means}, not as text", _OFF)
    if node.value is False or (isinstance(node.value, str) and node.value.lower() in ("off", "false")):
        return Schedule(place=node.place)
    if node.value is None or node.value is True:
        return reader.wrong(path, node, f"expected a time, got {described(node)}", f"Write for example 5s. {_OFF}")
    if isinstance(node.value, str) and len(node.value.split()) == 5:
        fix = f'Write {{cron: "{node.value}"}}.'
        return reader.wrong(path, node, "a time by the calendar needs its word", fix)
    every = reader.read(node, float, path)
    return UNREAD if every is UNREAD else _checked(reader, node, path, Schedule(every=every, place=node.place))


def _checked(reader: Reader, node: Node, path: str, made: Schedule) -> Any:
    if made.every is not None and made.every <= 0:
        return reader.wrong(path, node, f"there must be time between two calls, got {made.every:g}", "Write 100ms.")
    if made.initial < 0:
        return reader.wrong(path, node, f"the initial wait is {made.initial:g}", "Give 0 or more.")
    if made.cron is not None and (problem := _cron_problem(made.cron, made.zone)):
        return reader.wrong(path, node, *problem)
    return made


def _cron_problem(expression: str, zone: str | None) -> tuple[str, str] | None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, datetime(2030, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        what = f"{expression!r} is not a schedule: {str(error) or 'it never comes'}"
        return what, 'Write minute, hour, day, month, day of week, for example "*/5 * * * *".'
    try:
        ZoneInfo(zone or "UTC")
    except (OSError, ValueError, LookupError):
        return f"{zone!r} is not a time zone this machine knows", "Write for example zone: Europe/Vienna."
    return None


def scheduled(
    declared: tuple[ScheduleSpec, ...], instead: Mapping[str, Schedule], service: str
) -> tuple[ScheduleSpec, ...]:
    """The schedules of a class with what the flow says instead: one of each method named there, none if it is off.

    :raises ConfigurationError: the class has no schedule of a name.
    """
    if not instead:
        return declared
    names = {schedule.name for schedule in declared}
    unknown = [_unknown(service, name, given, names) for name, given in instead.items() if name not in names]
    if unknown:
        raise SeveralProblems.of(unknown, service)
    kept: list[ScheduleSpec] = []
    done: set[str] = set()
    for schedule in declared:
        given = instead.get(schedule.name)
        if given is None:
            kept.append(schedule)
        elif schedule.name not in done and (given.every is not None or given.cron is not None):
            kept.append(_replaced(schedule, given))
        done.add(schedule.name)
    return tuple(kept)


def _replaced(schedule: ScheduleSpec, given: Schedule) -> ScheduleSpec:
    return msgspec.structs.replace(schedule, every=given.every, cron=given.cron, zone=given.zone, initial=given.initial)


def _unknown(service: str, name: str, given: Schedule, names: set[str]) -> ConfigurationError:
    where = f"{service}.schedules.{name}" + (f" ({given.place})" if given.place else "")
    fix = nearest(name, names).strip() or "Mark a method with @every or @cron to have one."
    return ConfigurationError("there is no schedule of this name", where=where, fix=fix)
