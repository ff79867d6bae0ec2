"""The load of a crash test: clients that send and note, one service that handles in order with state and an output.

Handling a message adds one to the counter of its key, sends one message on, and settles, in one commit: exactly the
promise "exactly once inside". Some messages fail once before they succeed, some have a large body, some are parked and
resent by an operator as a new message in their place.

As a program: ``python -m tests.crash.drivers.load DIRECTORY HISTORY SEED MESSAGES``; prints "ready", then runs until it
is done or killed.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from junctor.core.origin import origin_of, origin_of_key
from junctor.core.outcome import Failure, Reply, StateWrite
from junctor.core.records import Archive, Commit, Insert, Note, Opened, Query, Settle, Stored
from junctor.errors import StoreFull
from junctor.messages import RESEND_OF, Kind, Message, Status
from junctor.transports.base import Transport
from tests.crash.history import ClientLog, read_history, unknown

SINK, OUT = "flow/sink", "flow/out"
COUNT = "count"
NOT_YET = Failure("ValueError", "not yet", "trace", "here")


@dataclass(frozen=True)
class Plan:
    """``messages`` of each of ``clients``; a share of ``large`` bodies, of messages that ``fail`` once, and of those
    that are ``parked`` and resent."""

    seed: int
    clients: int = 4
    messages: int = 10
    keys: int = 2
    large: float = 0.05
    fail: float = 0.1
    parked: float = 0.1
    sync: bool = True


class Load:
    """One run of the plan on an open transport; a later run goes on where the histories end."""

    def __init__(self, transport: Transport, opened: Opened, plan: Plan, histories: Path) -> None:
        self.transport = transport
        self.plan = plan
        self.node = opened.node
        self._histories = histories
        self._counters: dict[str, tuple[int, int]] = {}
        self._suspects = opened.suspects
        self._pending = 0
        self._idle = asyncio.Event()
        self._broken: BaseException | None = None

    async def run(self) -> None:
        """Work off what is left, then send everything of the plan and work that off."""
        await self._recover()
        await asyncio.gather(*(self._client(f"c{number}") for number in range(self.plan.clients)))
        await self._drained()

    async def _recover(self) -> None:
        waiting = list(self._suspects)
        after = 0
        while batch := await self.transport.fetch(SINK, after, 100, 2**62):
            known = {stored.message.seq for stored in waiting}
            waiting += [stored for stored in batch if stored.message.seq not in known]
            after = max(stored.message.seq for stored in batch)
            if {stored.message.seq for stored in batch} <= known:
                break
        for stored in sorted([*waiting, *self._parked()], key=lambda stored: stored.message.seq):
            assert not stored.damaged, f"{stored.message.seq} is damaged"
            if stored.status == Status.PARKED:
                self._resend(stored.message)
            elif stored.message.target == SINK:
                self._handle(stored.message)
        await self._drained()

    def _parked(self) -> list[Stored]:
        """What a crash left between parking and resending."""
        archive: Archive = self.transport.archive  # type: ignore[attr-defined]
        found = archive.search(Query(statuses=(Status.PARKED,), limit=1000))
        return [Stored(record.message, record.status, damaged=record.damaged) for record in found]

    async def _drained(self) -> None:
        while self._pending:
            self._idle.clear()
            await self._idle.wait()
        if self._broken is not None:
            raise self._broken

    # The clients ---------------------------------------------------------------------------------------------

    async def _client(self, name: str) -> None:
        path = self._histories / f"{name}.log"
        past = [event for event in read_history(self._histories) if event.id.startswith(f"{name}-")]
        log = ClientLog(path, sync=self.plan.sync)
        try:
            for event in unknown(past):
                await self._send(log, event.id, event.key, again=True)
            done = {int(event.id.rpartition("-")[2]) for event in past}
            for number in range(max(done, default=-1) + 1, self.plan.messages):
                chance = random.Random(f"{self.plan.seed}-{name}-{number}")
                await self._send(log, f"{name}-{number}", f"k{chance.randrange(self.plan.keys)}")
        finally:
            log.close()

    async def _send(self, log: ClientLog, id: str, key: str, *, again: bool = False) -> None:
        if not again:
            log.note("invoke", id, key)
        told: asyncio.Future[Commit] = asyncio.get_running_loop().create_future()
        message = self._message(id, key)
        self.transport.commit(Commit(_tell, inserts=[Insert(message, Status.CLAIMED)], external=True, tag=told))
        try:
            commit = await told
        except StoreFull:
            log.note("fail", id, key)
            return
        log.note("ok", id, key)
        if not commit.duplicates:
            self._handle(message)

    def _message(self, id: str, key: str) -> Message:
        chance = random.Random(f"{self.plan.seed}-{id}")
        filler = "x" * (70_000 if chance.random() < self.plan.large else chance.randrange(600))
        body = json.dumps({"id": id, "filler": filler}).encode()
        return Message(
            self.transport.number(), self.node, chance.getrandbits(128), Kind.SEND, "flow/client", SINK, "Order", body,
            1_700_000_000_000_000_000, key=key, origin=origin_of_key(SINK, id),
        )  # fmt: skip

    # The service ---------------------------------------------------------------------------------------------

    def _handle(self, message: Message) -> None:
        """Commit what a handler does. Without waiting: the transport applies commits in order."""
        key = message.key or ""
        if self._is_to_park(message):
            self._commit(settles=[Settle(message.seq, Status.PARKED, failure=NOT_YET)])
            self._resend(message)
            return
        if key not in self._counters:
            value, version = self.transport.state(SINK, key).get(COUNT, (b"0", 0))
            self._counters[key] = (int(value), version)
        count, version = self._counters[key]
        self._counters[key] = (count + 1, version + 1)
        if random.Random(f"{self.plan.seed}-{message.seq}").random() < self.plan.fail:
            self._commit(settles=[Settle(message.seq, Status.WAITING, 1, 1, failure=NOT_YET)])
        output = self._output(message, count + 1)
        self._commit(
            inserts=[Insert(output)],
            settles=[Settle(message.seq, Status.DONE, 2, reply=Reply("Done", b"true"))],
            writes=[StateWrite(key, COUNT, b"%d" % (count + 1), version)],
            source=SINK,
        )

    def _is_to_park(self, message: Message) -> bool:
        chance = random.Random(f"{self.plan.seed}-park-{message.seq}")
        return RESEND_OF not in message.headers and chance.random() < self.plan.parked

    def _resend(self, message: Message) -> None:
        """As an operator does: a new message takes the place of the parked one, in one commit."""
        copy = structs.replace(
            message,
            seq=self.transport.number(),
            headers={RESEND_OF: message.id},
            origin=origin_of_key(SINK, f"resend-{message.id}"),
        )
        self._commit(
            inserts=[Insert(copy, Status.CLAIMED)],
            settles=[Settle(message.seq, Status.RESENT)],
            notes=[Note(message.seq, 1_700_000_000_000_000_002, "operator", "sent again")],
        )
        self._handle(copy)

    def _output(self, message: Message, count: int) -> Message:
        body = b"%d" % count
        origin = origin_of(message.id, 1, OUT, "Output", body)
        return Message(
            self.transport.number(), self.node, message.session, Kind.SEND, SINK, OUT, "Output", body,
            1_700_000_000_000_000_001, cause=message.seq, origin=origin,
        )  # fmt: skip

    def _commit(self, **parts: object) -> None:
        self._pending += 1
        self.transport.commit(Commit(self._settled, **parts))  # type: ignore[arg-type]

    def _settled(self, commit: Commit, error: Exception | None) -> None:
        self._pending -= 1
        if error is not None:
            self._broken = error
        if not self._pending:
            self._idle.set()


def _tell(commit: Commit, error: Exception | None) -> None:
    if error is None:
        commit.tag.set_result(commit)
    else:
        commit.tag.set_exception(error)


async def work(
    make: Callable[[], Transport],
    histories: Path,
    plan: Plan,
    ready: Callable[[], object] = lambda: None,
    warnings: list[str] | None = None,
) -> None:
    """Open, run the plan, close. The end that the journal reports is raised; ``warnings`` gets those of the opening."""
    histories.mkdir(exist_ok=True)
    transport = make()
    ends: list[Exception] = []
    opened = await transport.open(ends.append)
    if warnings is not None:
        warnings += opened.warnings
    ready()
    try:
        await Load(transport, opened, plan, histories).run()
    finally:
        await transport.aclose()
    if ends:
        raise ends[0]


def main() -> None:
    from junctor.transports.sqlite import SqliteTransport

    directory, histories, seed, messages = sys.argv[1:]
    plan = Plan(int(seed), messages=int(messages))
    asyncio.run(
        work(
            lambda: SqliteTransport(Path(directory), reserve=0),
            Path(histories),
            plan,
            lambda: print("ready", flush=True),
        )
    )


if __name__ == "__main__":
    main()
