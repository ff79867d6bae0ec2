"""Policies of a service: data with every default written down. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from junctor.errors import ConfigurationError, SeveralProblems

Reaction = Literal["retry", "hold", "park"]
Order = Literal["strict", "skip"]
Durability = Literal["fsync", "written"]
Recording = Literal["all", "failures", "off"]

MIB = 1024 * 1024


class Waits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Other attempts and waits for one class of exceptions; what is left out is as for all others."""

    attempts: int | None = None
    initial: float | None = None
    factor: float | None = None
    max: float | None = None
    jitter: float | None = None


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to a message whose handler raised.

    ``attempts`` counts the first one. The wait before attempt n is ``initial * factor**(n-2)``, at most ``max``, spread
    by ``jitter`` (a share, both ways) so that many do not come back at once. ``on`` maps the name of an exception
    class, or of one of its bases, to a reaction, or to attempts and waits of its own; the nearest class wins. A name
    may have the module of the class, or a package above it, in front: ``requests.HTTPError``. ``hold`` spends no
    attempt.

    An exception group that is not named itself goes by what is in it: it is parked where one of them is, held where all
    of them are, else tried again.

    An end of the node while the message is in hand costs an attempt, too. ``deaths`` are so many of them at least that
    it comes back from, also with fewer attempts: other work of the node may be the reason, or somebody who kills it.
    """

    attempts: int = 5
    deaths: int = 0
    initial: float = 0.2
    factor: float = 2.0
    max: float = 30.0
    jitter: float = 0.1
    on: Mapping[str, Reaction | Waits] = {}

    def __post_init__(self) -> None:
        problems = []
        if self.attempts < 1:
            fix = "Give at least 1: the first attempt."
            problems.append(ConfigurationError(f"retry.attempts is {self.attempts}", fix=fix))
        if self.deaths < 0:
            problems.append(ConfigurationError(f"retry.deaths is {self.deaths}", fix="Give 0 or more."))
        if self.initial < 0 or self.max < self.initial or self.factor < 1:
            what = "the retry waits must grow: 0 <= initial <= max and factor >= 1"
            problems.append(ConfigurationError(what, fix="For example initial 0.2, factor 2, max 30."))
        for name, waits in self.on.items():
            if isinstance(waits, Waits):
                self._check(name, waits, problems)
        if problems:
            raise SeveralProblems.of(problems, "retry")

    def _check(self, name: str, waits: Waits, problems: list[ConfigurationError]) -> None:
        try:
            self.changed(waits)
        except (ConfigurationError, SeveralProblems) as error:
            problems.append(ConfigurationError(f"on.{name}: {error.what}", fix=error.fix))

    def changed(self, waits: Waits) -> RetryPolicy:
        """This policy with the attempts and waits of one class of exceptions.

        :raises ConfigurationError: they do not fit together.
        """
        own = {field: value for field in waits.__struct_fields__ if (value := getattr(waits, field)) is not None}
        kept = {field: getattr(self, field) for field in waits.__struct_fields__}
        return RetryPolicy(**{**kept, **own})


class HoldPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a held service probes: the head is tried again after ``initial`` seconds, then ever later up to ``max``."""

    initial: float = 1.0
    factor: float = 2.0
    max: float = 60.0
    jitter: float = 0.1


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Supervision of a service: back-off between restarts; more than ``limit`` failures in ``window`` seconds stop
    it."""

    limit: int = 5
    window: float = 60.0
    initial: float = 0.1
    factor: float = 2.0
    max: float = 30.0
    jitter: float = 0.1


class QueuePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the queue of a service, by count and by encoded bytes, and how long a sender waits for room."""

    limit: int = 1_000_000
    bytes: int = 1024 * MIB
    wait: float = 30.0

    def __post_init__(self) -> None:
        problems = [
            ConfigurationError(f"queue.{name} is {value}", fix="Give at least 1: a queue takes something.")
            for name, value in (("limit", self.limit), ("bytes", self.bytes))
            if value < 1
        ]
        if not self.wait >= 0:
            fix = "Give 0 seconds or more; 0 refuses at once."
            problems.append(ConfigurationError(f"queue.wait is {self.wait}", fix=fix))
        if problems:
            raise SeveralProblems.of(problems, "queue")


class PoolPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many deliveries run at once, and what stays in order.

    With ``size`` 1 and no ``key`` the whole service is one line. ``key`` names a field of the body (or the header
    ``key`` given at sending): messages with equal keys stay in line, other keys pass. ``order`` "skip" lets others pass
    a message that is being retried. ``calls`` bounds routes and actions that run beside the queue.
    """

    size: int = 1
    key: str | None = None
    order: Order = "strict"
    calls: int = 64

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 1024:
            raise ConfigurationError(f"pool is {self.size}", fix="Give a number of deliveries at once from 1 to 1024.")


class Policies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All policies of one service in a flow.

    ``durability`` "written" acknowledges a send when the operating system has it: a power cut may lose the last
    moments. ``timeout`` is the time of a request sent to this service when the sender gives none; infinite: it never
    expires.

    ``trace`` says what is kept of messages, ticks and calls that ended well: "all" of them with their logs until the
    retention ends it, with "failures" and "off" nothing beyond the moment. What failed is kept by "failures" as by
    "all"; "off" keeps of it what parked messages need.
    """

    pool: PoolPolicy = PoolPolicy()
    retry: RetryPolicy = RetryPolicy()
    hold: HoldPolicy = HoldPolicy()
    restart: RestartPolicy = RestartPolicy()
    queue: QueuePolicy = QueuePolicy()
    durability: Durability = "fsync"
    trace: Recording = "all"
    timeout: float = 30.0
