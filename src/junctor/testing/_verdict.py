"""What must not happen unnoticed in a test: parked messages, failed services, failures that were never raised."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from junctor.core.lifecycle import Lifecycle, State
from junctor.errors import JunctorError
from junctor.messages import Kind, Message, Status

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.testing._faults import Faults
    from junctor.testing._ledger import Failed, Ledger

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

Read = Callable[[Message], Any]

_PACKAGE = str(Path(__file__).parents[1])
_WIDTH = 400
_LINES = 12
_SHOWN = 5


class Unexpected(JunctorError, AssertionError):
    """Something failed in a flow under test, and the test did not say that it would."""

    code = "unexpected"
    default_fix = "Correct it, or say in the test that it is expected."

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}\n{self.fix}"


Unexpected.__module__ = "junctor.testing"  # what pytest shows


class Parked:
    """A parked message: its ``body``, the ``service`` that parked it, and the ``error`` as ``Type: text``."""

    def __init__(self, failed: Failed, body: Any) -> None:
        self.body = body
        self.message = failed.message
        self.service = failed.message.target.rpartition("/")[2]
        self.error = f"{failed.failure.type}: {failed.failure.text}"
        self.traceback = failed.failure.traceback
        self.attempts = failed.attempts

    def __repr__(self) -> str:
        return f"<Parked at {self.service} {self.body!r}: {self.error}>"


class Verdict:
    """What failed, and what of it was expected."""

    def __init__(self, ledger: Ledger, faults: Faults, engine: Callable[[], Engine], read: Read) -> None:
        self._ledger = ledger
        self._faults = faults
        self._engine = engine
        self._read = read
        self._expected: set[int] = set()
        self._excused: set[str] = set()

    def parked(self, since: int = 0) -> list[Parked]:
        return [Parked(one, self._read(one.message)) for one in self._parked(since)]

    @property
    def failures(self) -> int:
        return len(self._ledger.failed)

    def expect(self, error: type[BaseException] | str | None, match: str | None, since: int) -> list[Parked]:
        """Take the parked messages that fit from what is told at the end; answer them."""
        name = error.__name__ if isinstance(error, type) else error
        found = [
            one
            for one in self._parked(since)
            if (name is None or name == one.failure.type or name in one.failure.bases)
            and (match is None or re.search(match, f"{one.failure.type}: {one.failure.text}"))
        ]
        self._expected.update(one.message.seq for one in found)
        return [Parked(one, self._read(one.message)) for one in found]

    def excuse(self, service: str) -> None:
        """The service may be down, its ticks may fail, and its messages may wait to be tried again."""
        self._excused.add(service)

    def check(self) -> None:
        """:raises Unexpected: something failed that was not expected; the text tells what, where and how it began."""
        problems = [*self._messages(), *self._services(), *self._unused()]
        if problems:
            raise Unexpected("\n\n".join(problems), fix=self._fix())

    def _fix(self) -> str:
        """The words that would make all of it expected."""
        names = sorted({one.failure.type for one in self._unexpected()})
        others = {_service(one.message) for one in (*self._ticks(), *self._retried())}
        services = sorted({service for service, _ in self._down()} | others)
        words = [f"with plant.expect_parked({name}): ..." for name in names]
        words += [f'plant.expect_failed("{service}")' for service in services]
        if not words:
            return "Let the flow come to them, or take them out of the test."
        return f"\nIs that what the test is about? Then write: {', '.join(words)}"

    def _unexpected(self) -> list[Failed]:
        return [one for one in self._parked() if one.message.seq not in self._expected]

    def _parked(self, since: int = 0) -> list[Failed]:
        return [one for one in self._ledger.failed[since:] if one.status is Status.PARKED]

    def _ticks(self) -> list[Failed]:
        ticks = [one for one in self._ledger.failed if one.message.kind is Kind.TICK]
        return [one for one in ticks if _service(one.message) not in self._excused and not self._injected(one)]

    def _retried(self) -> list[Failed]:
        """What failed last and waits to be tried again: the test ends before anybody knows what becomes of it. That of
        a held service is no failure but an outage."""
        hosts = self._engine().hosts
        held = {address for address, host in hosts.items() if host.lifecycle.state is State.HELD}
        return [
            one
            for one in self._ledger.retried.values()
            if one.message.target not in held
            and _service(one.message) not in self._excused
            and not self._faults.raised_in(_service(one.message))
        ]

    def _messages(self) -> Iterator[str]:
        alike: dict[tuple[str, ...], list[Failed]] = {}
        for one in (*self._unexpected(), *self._ticks(), *self._retried()):
            failure, message = one.failure, one.message
            alike.setdefault((message.target, message.type, failure.type, failure.fingerprint), []).append(one)
        for first, *others in list(alike.values())[:_SHOWN]:
            yield self.told(first) + (f"\n  and {len(others)} more like it" if others else "")
        if len(alike) > _SHOWN:
            yield f"and failures of {len(alike) - _SHOWN} other kinds"

    def _injected(self, failed: Failed) -> bool:
        return self._faults.raised(failed.message.target.rpartition("/")[2], failed.message.type)

    def told(self, failed: Failed) -> str:
        """A failure for people: the user's lines first, then the body, then how it came to it."""
        message, failure = failed.message, failed.failure
        service = message.target.rpartition("/")[2]
        if message.kind is Kind.TICK:
            lines = [f"the tick {service}.{message.type} failed: {failure.type}: {failure.text}"]
        elif failed.status is Status.WAITING:
            what = f"{service} failed at a message, which is to be tried again when the test ends"
            lines = [f"{what}: {failure.type}: {failure.text}"]
        else:
            times = "1 attempt" if failed.attempts == 1 else f"{failed.attempts} attempts"
            lines = [f"{service} parked a message after {times}: {failure.type}: {failure.text}"]
        lines += [f"  {line}" for line in _users_lines(failure.traceback)]
        if message.kind is not Kind.TICK:
            lines.append(f"  the message: {_short(repr(self._read(message)))}")
        lines += [f"  {line}" for line in self._way(message)]
        return "\n".join(lines)

    def _way(self, message: Message) -> Iterator[str]:
        """From what it all began with down to the message."""
        chain: list[Message] = []
        at: Message | None = message
        while at is not None and len(chain) < 20:
            chain.append(at)
            at = self._ledger.message(at.cause) if at.cause else None
        for number, one in enumerate(reversed(chain)):
            label = "its way: " if number == 0 else " " * 9
            yield f"{label}{'  ' * number}{_hop(one)}"

    def _down(self) -> Iterator[tuple[str, Lifecycle]]:
        for host in self._engine().hosts.values():
            if host.lifecycle.state in (State.FAILED, State.BACKOFF) and host.service not in self._excused:
                yield host.service, host.lifecycle

    def _services(self) -> Iterator[str]:
        for service, life in self._down():
            what = "stays stopped" if life.state is State.FAILED else "waits to be started again"
            yield f"the service {service} failed and {what}: {life.reason}"

    def _unused(self) -> Iterator[str]:
        unused = self._faults.unused()
        if unused:
            listed = "\n".join(f"  {fault}" for fault in unused)
            yield f"failures that plant.fail() prepared were not raised:\n{listed}"


class ExpectParked:
    """What :meth:`expect_parked` gives: ``messages`` are those that were parked inside the block, after it."""

    def __init__(
        self, verdict: Verdict, error: type[BaseException] | str | None, match: str | None, times: int | None
    ) -> None:
        self.messages: list[Parked] = []
        self._verdict = verdict
        self._error = error
        self._match = match
        self._times = times
        self._since = 0

    @property
    def bodies(self) -> list[Any]:
        return [message.body for message in self.messages]

    def __enter__(self) -> Self:
        self._since = self._verdict.failures
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.messages = self._verdict.expect(self._error, self._match, self._since)
        if error is not None or (self.messages if self._times is None else len(self.messages) == self._times):
            return
        name = self._error.__name__ if isinstance(self._error, type) else self._error
        wanted = f" with {name}" if name else ""
        wanted += f" matching {self._match!r}" if self._match is not None else ""
        others = [parked for parked in self._verdict.parked(self._since) if parked not in self.messages]
        told = "".join(f"\n  {parked.service} parked {_short(repr(parked.body))}: {parked.error}" for parked in others)
        count = "no message was" if not self.messages else f"{len(self.messages)} messages were"
        expected = "" if self._times is None else f", expected {self._times}"
        raise Unexpected(
            f"{count} parked{wanted}{expected}" + (f"; these were:{told}" if told else ""),
            fix="A message is parked after its last attempt: let enough time pass inside the block.",
        )


def _service(message: Message) -> str:
    return message.target.rpartition("/")[2]


def _users_lines(traceback: str) -> Sequence[str]:
    """The last lines of a traceback, without its heading and its last line, which is told already."""
    lines = traceback.rstrip().splitlines()
    with contextlib.suppress(ValueError):
        lines = lines[len(lines) - lines[::-1].index("Traceback (most recent call last):") :]
    if not any(line.startswith('  File "') and _PACKAGE not in line for line in lines):
        return []
    return [line.removeprefix("  ") for line in lines[:-1]][-_LINES:]


def _hop(message: Message) -> str:
    service = message.target.rpartition("/")[2]
    if message.kind in (Kind.TICK, Kind.ROUTE, Kind.ACTION):
        return f"{message.kind.name.lower()} {service}.{message.type}"
    source = message.source.rpartition("/")[2]
    return f"{source} -> {service} {message.type} ({message.sent_at:%H:%M:%S})"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]} ... ({len(text)} characters)"
