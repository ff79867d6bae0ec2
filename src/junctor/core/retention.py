"""What a store keeps, and for how long: pure decisions over what is known of each record.

What is owed to a handler, or parked, is never removed, by whatever rule. Of the rest, what ended well goes first: after
an age, or when the store outgrows its share of the disk. What is told here is carried out by
:mod:`junctor.runtime.sweep`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Sequence

import msgspec

from junctor.clock import SECOND
from junctor.core.policy import MIB, Recording
from junctor.core.room import Room
from junctor.errors import ConfigurationError, SeveralProblems
from junctor.messages import Status

DAY = 86_400.0
SMALLEST = 32 * MIB
"""The least budget: less than the log of a busy store needs leaves no room for records."""

_BESIDE_BODY = 250
"""Bytes that a record takes beside its body, about."""

_SHARE, _LEAST, _MOST = 10, 256 * MIB, 5 * 1024 * MIB


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a flow keeps what is finished. Ages are seconds since it ended, infinite for ever; ``disk`` is in bytes.

    ``done`` is for what ended well. ``failures`` is for sessions in which something failed, expired, was sent again or
    discarded: they stay whole, so that a trace tells the whole story, and at least as long as ``done``. A record with
    an idempotency key stays for ``keys`` at least, so that a repeated request is recognised for so long. ``disk``
    bounds the whole store of the node: above it the oldest of ``done`` go whatever their age, then the oldest
    ``failures``. None is a tenth of the disk, at least 256 MiB and at most 5 GiB, as journald shares a disk.
    """

    done: float = 7 * DAY
    failures: float = 90 * DAY
    keys: float = 7 * DAY
    disk: int | None = None

    def __post_init__(self) -> None:
        problems = [
            ConfigurationError(f"retention.{name} is {value:g}", fix="Give an age, for example 7d.")
            for name, value in (("done", self.done), ("failures", self.failures), ("keys", self.keys))
            if not value >= 0
        ]
        if self.disk is not None and self.disk < SMALLEST:
            fix = "Give at least 32MiB: the log of the store alone takes some."
            problems.append(ConfigurationError(f"retention.disk is {self.disk}", fix=fix))
        if problems:
            raise SeveralProblems.of(problems, "retention")


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What is known of a record when its removal is thought of. Times in nanoseconds since 1970; ``size`` of its body
    in bytes.

    ``keyed``: it has an idempotency key. ``failed``: an attempt of it failed. ``needed``: its cause is still owed, and
    would send it again; only by this record that is known for a duplicate.
    """

    seq: int
    target: str
    session: bytes
    status: Status
    accepted: int
    ended: int
    size: int = 0
    keyed: bool = False
    failed: bool = False
    needed: bool = False


class Verdict(enum.Enum):
    """``IF_WELL``: to be removed when nothing of its session failed."""

    KEEP = enum.auto()
    REMOVE = enum.auto()
    IF_WELL = enum.auto()


class Pressure(enum.Enum):
    """Why room is made: by age alone, or since the store is too large: what ended well, or failures too."""

    AGE = enum.auto()
    WELL = enum.auto()
    FAILURES = enum.auto()


class Rule(msgspec.Struct, frozen=True, gc=False):
    """The retention that counts for one target, with what its service records."""

    retention: Retention
    recording: Recording = "all"

    def judge(self, record: Candidate, now: int, pressure: Pressure = Pressure.AGE) -> Verdict:
        """What becomes of a record at ``now``."""
        if record.status < Status.DONE or record.status == Status.PARKED or record.needed:
            return Verdict.KEEP
        if record.keyed and _age(record.accepted, now) < self.retention.keys:
            return Verdict.KEEP
        if self._goes_at_once(record):
            return Verdict.REMOVE
        wrong = record.failed or record.status > Status.DONE
        if pressure is not Pressure.AGE:
            return Verdict.REMOVE if pressure is Pressure.FAILURES else Verdict.KEEP if wrong else Verdict.IF_WELL
        age = _age(record.ended, now)
        if age >= max(self.retention.failures, self.retention.done):
            return Verdict.REMOVE
        return Verdict.KEEP if wrong or age < self.retention.done else Verdict.IF_WELL

    def _goes_at_once(self, record: Candidate) -> bool:
        """Whether its service does not record such an end. What an operator did is not for a service to hide."""
        if self.recording == "all":
            return False
        if self.recording == "off":
            return record.status in (Status.DONE, Status.EXPIRED, Status.FAILED)
        return record.status == Status.DONE and not record.failed


def _age(time: int, now: int) -> float:
    return (now - time) / SECOND


def dated(records: Sequence[Candidate], now: int) -> list[Candidate]:
    """The records, oldest first, with times that can be. One from tomorrow was stamped by a wrong clock; it is at least
    as old as what was accepted after it."""
    limit = now + int(DAY * SECOND)
    latest = limit + 1  # nothing is known to come after: it stays
    made: list[Candidate] = []
    for record in reversed(records):
        if record.ended > limit or record.accepted > limit:
            time = min(record.ended, latest)
            record = msgspec.structs.replace(record, accepted=time, ended=time)
        else:
            latest = min(latest, record.ended)
        made.append(record)
    return made[::-1]


def allowed(asked: Sequence[Retention], room: Room) -> int:
    """Bytes that a store may take: the smallest budget that its flows ask for, else a share of the disk."""
    whole = min((one.disk for one in asked if one.disk is not None), default=0)
    share = max(_LEAST, min(_MOST, room.total // _SHARE)) if room.total else _MOST
    return whole or share


def budget(asked: Sequence[Retention], room: Room) -> int:
    """Bytes that the records of a store may take: what it may, less the log and what is kept of damaged ones. However
    large these are, half is for records: to remove those would not make them smaller."""
    whole = allowed(asked, room)
    return max(whole - room.wal - room.damaged, whole // 2)


def portions(records: Sequence[Candidate], most: int, enough: int | None = None) -> Iterator[list[int]]:
    """Their numbers, in lists whose records have at most ``most`` bytes, or a single one.

    :param enough: bytes at which it ends; None for all.
    """
    part: list[int] = []
    held = total = 0
    for record in records:
        if enough is not None and total >= enough:
            break
        size = record.size + _BESIDE_BODY
        if part and held + size > most:
            yield part
            part, held = [], 0
        part.append(record.seq)
        held += size
        total += size
    if part:
        yield part


def compactable(size: int, free: int, limit: int, short: bool) -> int:
    """Bytes of a database that are to be given back to the disk. A tenth stays free inside: what comes takes it without
    asking the disk for more.

    :param size: of its file; ``free`` are free bytes inside, ``limit`` is what the file may have, 0 for any.
    :param short: the disk is full: all of it is given back.
    """
    slack = 0 if short else max(8 * MIB, size // 10)
    over = size - limit if limit else 0
    return max(0, free - slack, min(free, over))


def pause(asked: Sequence[Retention], unrecorded: bool) -> float:
    """Seconds between two sweeps: a hundredth of the shortest age, from 5 seconds to 10 minutes.

    :param unrecorded: there are services whose records go at once.
    """
    shortest = min((one.done for one in asked), default=math.inf)
    return 5.0 if unrecorded else min(600.0, max(5.0, shortest / 100))


class ClockWatch:
    """Whether the wall clock can be trusted with ages.

    A clock that jumps ahead makes everything old at once. So ages do not count after it moved more than a day against
    the monotonic clock, until it moved back, or until it has been steady for a day: then it is right, and was wrong
    before, as on a board without a battery. ``left`` are the seconds until then, 0 while it is trusted.

    :param newest: when the newest record was accepted, nanoseconds since 1970, 0 for none: a node that was off cannot
        know by itself for how long.
    :param left: the ``left`` of an earlier run, so that a restart does not make a wrong clock a right one.
    """

    JUMP = TRUST = DAY

    def __init__(self, newest: int = 0, left: float = 0.0) -> None:
        self.left = left
        self._offset: float | None = None
        self._newest = newest
        self._jumped: tuple[float, float] | None = None  # the offset before, and the monotonic time of the jump

    def trusts(self, wall: int, monotonic: float) -> bool:
        """Look at both clocks: nanoseconds since 1970, and seconds of the monotonic one."""
        offset = wall / SECOND - monotonic
        if self._offset is None:
            self._begin(wall, offset, monotonic)
        elif abs(offset - self._offset) > self.JUMP:
            if self._jumped is not None and abs(offset - self._jumped[0]) <= self.JUMP:
                self._jumped = None
            else:
                self._jumped = (self._jumped[0] if self._jumped is not None else self._offset, monotonic)
        self._offset = offset
        if self._jumped is not None and monotonic - self._jumped[1] >= self.TRUST:
            self._jumped = None
        self.left = self.TRUST - (monotonic - self._jumped[1]) if self._jumped is not None else 0.0
        return self._jumped is None

    def _begin(self, wall: int, offset: float, monotonic: float) -> None:
        if self._newest and (wall - self._newest) / SECOND > self.JUMP:
            self._jumped = (-math.inf, monotonic)
        elif self.left:
            self._jumped = (-math.inf, monotonic - (self.TRUST - self.left))


class Rules:
    """The rule of each target, made when it is first met.

    :param of: makes the rule of an address.
    """

    def __init__(self, of: Callable[[str], Rule]) -> None:
        self._of = of
        self._known: dict[str, Rule] = {}

    def __getitem__(self, target: str) -> Rule:
        rule = self._known.get(target)
        if rule is None:
            rule = self._known[target] = self._of(target)
        return rule
