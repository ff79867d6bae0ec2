"""A check's workplace, and the registry of checks. Public through :mod:`junctor.testing.transports`."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from junctor.core.outcome import StateWrite
from junctor.core.run import RunWrite
from junctor.messages import NO_HEADERS, Kind, Message, Status
from junctor.transports.base import AlertRecord, Commit, HopLog, Insert, Note, Opened, Settle, Stored, Transport

FAR = 2**62
"""A time after everything that is due in a check, in nanoseconds since 1970."""


class Site(Protocol):
    """The place where the transports of one check live, one after the other on the same journal."""

    def make(self) -> Transport:
        """A new transport, not opened."""
        ...

    async def crash(self, transport: Transport) -> None:
        """Take the transport away as kill -9 does; the next :meth:`make` finds what that leaves. Durable ones only."""
        ...


class Bench:
    """One check's workplace: an open transport, and short ways to make messages and commits.

    ``failures`` collects what the transport reported to ``failed``.
    """

    target = "flow/sink"
    source = "flow/producer"

    def __init__(self, site: Site) -> None:
        self.site = site
        self.failures: list[Exception] = []
        self.transport: Transport
        self.opened: Opened
        self._times = itertools.count(1_700_000_000_000_000_000, 1_000_000)

    async def open(self) -> Opened:
        self.transport = self.site.make()
        self.opened = await self.transport.open(self.failures.append)
        return self.opened

    async def reopen(self) -> Opened:
        """Close cleanly and open again."""
        await self.transport.aclose()
        return await self.open()

    async def crash(self) -> Opened:
        """Stop as kill -9 does and open again."""
        await self.site.crash(self.transport)
        return await self.open()

    def message(
        self,
        payload: Any = b'{"n":1}',
        *,
        session: int = 1,
        kind: Kind = Kind.SEND,
        source: str = source,
        target: str = target,
        type: str = "Reading",
        cause: int = 0,
        key: str | None = None,
        due: int = 0,
        deadline: int = 0,
        origin: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Message:
        """A message with the next number of the transport, a millisecond after the one before."""
        number, time = self.transport.number(), next(self._times)
        return Message(
            number, self.opened.node, session, kind, source, target, type, payload, time, cause, 1, key, deadline, due,
            origin, headers,
        )  # fmt: skip

    def commit(
        self,
        *,
        inserts: Sequence[Insert] = (),
        settles: Sequence[Settle] = (),
        claims: Sequence[int] = (),
        writes: Sequence[StateWrite] = (),
        logs: Sequence[HopLog] = (),
        alerts: Sequence[AlertRecord] = (),
        notes: Sequence[Note] = (),
        removes: Sequence[int] = (),
        runs: Sequence[RunWrite] = (),
        source: str = source,
        external: bool = False,
    ) -> asyncio.Future[Commit]:
        """Commit at once; the future ends when the transport tells."""
        told: asyncio.Future[Commit] = asyncio.get_running_loop().create_future()
        self.transport.commit(
            Commit(
                _tell,
                inserts=inserts,
                settles=settles,
                claims=claims,
                writes=writes,
                logs=logs,
                alerts=alerts,
                notes=notes,
                removes=removes,
                runs=runs,
                source=source,
                external=external,
                tag=told,
            )
        )
        return told

    async def accept(self, *messages: Message, status: Status = Status.READY) -> Commit:
        return await self.commit(inserts=[Insert(message, status) for message in messages])

    async def settle(self, message: Message, status: Status, **facts: Any) -> Commit:
        return await self.commit(settles=[Settle(message.seq, status, **facts)])

    async def fetch(self, after: int = 0, limit: int = 1000, now: int = 0, key: str | None = None) -> list[Stored]:
        return await self.transport.fetch(self.target, after, limit, now, key)

    async def queued(self, now: int = 0) -> list[int]:
        """The numbers of what a fetch hands out."""
        return [stored.message.seq for stored in await self.fetch(now=now)]

    def status(self, message: Message) -> Status | None:
        record = self.transport.archive.record(message.seq)
        return None if record is None else record.status


def _tell(commit: Commit, error: Exception | None) -> None:
    if commit.tag.done():
        raise AssertionError("a commit was told twice")
    if error is None:
        commit.tag.set_result(commit)
    else:
        commit.tag.set_exception(error)


# The registry ------------------------------------------------------------------------------------------------


class Check(msgspec.Struct, frozen=True):
    """A named check. ``needs`` are the capabilities without which it is left out."""

    name: str
    body: Callable[[Bench], Awaitable[None]]
    needs: tuple[str, ...] = ()


CHECKS: dict[str, Check] = {}
"""All checks by name."""


def check(*needs: str) -> Callable[[Callable[[Bench], Awaitable[None]]], Callable[[Bench], Awaitable[None]]]:
    """Register a check under the name of its function."""

    def register(body: Callable[[Bench], Awaitable[None]]) -> Callable[[Bench], Awaitable[None]]:
        name = str(getattr(body, "__name__", body))
        CHECKS[name] = Check(name, body, needs)
        return body

    return register
