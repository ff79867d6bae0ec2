"""What operators decide about messages that came to their end: to send them again, to discard them, to note something.

Each decision is one commit: the new message, the new status of the old one and the note of who did it stand together or
not at all, so a process that is killed has done it or has not. Nothing is overwritten: the new message has a number of
its own behind what waits, and leads back to the old one, as a resend of the InterSystems IRIS message viewer does.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from junctor.errors import JunctorError, NotRunning, QueueFull, StoreFull
from junctor.messages import Message, Status
from junctor.runtime.intake import size_of
from junctor.runtime.resendable import LOOK, NotResendable, Resending, gone, prepared
from junctor.transports.base import Archive, Commit, Insert, Note, Record, Settle

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine


Read = Callable[[Callable[[Archive], Any]], Awaitable[Any]]
"""Asks an archive beside the event loop."""

_ENDED = (Status.PARKED, Status.EXPIRED, Status.DISCARDED)
"""What a resend takes the place of. One that was handled stays so."""


NO_FURTHER = (QueueFull, StoreFull, NotRunning)
"""What meets the following messages as well."""


class Decisions:
    """Carries decisions out. While one about a message is on its way, another about the same message is refused: two
    operators never send it twice.

    :param read: asks the archive with bodies as they are, not masked; all the rest is for the loop.
    """

    def __init__(self, engine: Engine, read: Read) -> None:
        self._engine = engine
        self._dispatcher = engine.dispatcher
        self._read = read
        self._taken: set[int] = set()

    # Resend -------------------------------------------------------------------------------------------------

    async def resend(self, meant: Mapping[int, Status], how: Resending) -> dict[int, Message | JunctorError]:
        """Send messages again, in the order of their numbers; the new message of each, or why it was not sent.

        :param meant: their numbers, with the status that each had when somebody chose it. One that has another by now
            is left alone: somebody else has decided about it.

        A full queue or disk, or a node that stops, is told of the message that met it and of all behind it.
        """
        verdicts: dict[int, Any] = {}
        undecided = self._take(meant, verdicts)
        full: JunctorError | None = None
        try:
            for record in await self._records(undecided.copy(), verdicts):
                seq = record.message.seq
                try:
                    verdicts[seq] = full or await self._send(record, meant[seq], how)
                except JunctorError as error:
                    verdicts[seq] = error
                    full = error if isinstance(error, NO_FURTHER) else None
                if not isinstance(verdicts[seq], JunctorError):
                    undecided.discard(seq)  # given back when its commit is done
        finally:
            self._taken -= undecided
        return {seq: await _outcome(verdicts[seq]) for seq in meant}

    async def _send(self, record: Record, meant: Status, how: Resending) -> asyncio.Future[Message]:
        if record.status is not meant:
            what = f"message {record.message.id} was {meant.name.lower()} and is {record.status.name.lower()} by now"
            raise NotResendable(what, fix=LOOK.format(record.message.seq))
        ready = prepared(self._engine, record, how)
        box = ready.host.mailbox
        size = size_of(ready.payload)
        if box.senders.waiting or not box.room(size):
            await box.wait_for_room(size, math.inf)
            self._dispatcher.host_of(ready.host.address)  # it may have gone meanwhile
        # From here on nothing waits: numbers enter the mailbox and the journal in their order.
        old, now = record.message, self._engine.clock.time_ns()
        message = structs.replace(
            old,
            seq=self._engine.transport.number(),
            node=self._dispatcher.node,
            target=ready.host.address,
            type=ready.type,
            payload=ready.payload,
            time=now,
            cause=old.seq,
            version=ready.version,
            key=ready.key,
            deadline=0,
            due=0,
            origin=None,
            headers=ready.headers,
        )
        insert = Insert(message, box.admit(message, size, now))
        settles = (_ended(record, Status.RESENT),) if record.status in _ENDED else ()
        note = Note(old.seq, now, how.who, _said(record, message, how))
        return self._commit(old.seq, insert, settles, note)

    def _commit(self, original: int, insert: Insert, settles: Sequence[Settle], note: Note) -> asyncio.Future[Message]:
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def done(commit: Commit, error: Exception | None) -> None:
            self._taken.discard(original)
            if error is None:
                self._dispatcher.hand_over(insert)
            else:
                self._dispatcher.withdraw(insert)
            if not future.done():
                future.set_result(insert.message) if error is None else future.set_exception(error)

        commit = Commit(done, inserts=(insert,), settles=settles, notes=(note,), external=True)
        self._engine.transport.commit(commit)
        return future

    # Discard and note ---------------------------------------------------------------------------------------

    async def discard(self, seqs: Sequence[int], who: str, text: str = "") -> dict[int, JunctorError | None]:
        """Decide that nothing follows of parked messages; None for each that was discarded, or why it was not. They
        stay in the store, and can be sent again later.

        :raises StoreFull: the disk has no room. Nobody is told later, so it is not kept for then.
        """
        verdicts: dict[int, Any] = {}
        mine = self._take(seqs, verdicts)
        try:
            records = [record for record in await self._records(mine.copy(), verdicts) if _parked(record, verdicts)]
            said = f"discarded: {text}" if text else "discarded"
            now = self._engine.clock.time_ns()
            await asyncio.shield(
                self._engine.committed(
                    settles=[_ended(record, Status.DISCARDED) for record in records],
                    notes=[Note(record.message.seq, now, who, said) for record in records],
                    external=True,
                )
            )
        finally:
            self._taken -= mine
        return {seq: verdicts.get(seq) for seq in dict.fromkeys(seqs)}

    async def note(self, seq: int, who: str, text: str) -> Note:
        """Keep a note with a message.

        :raises Purged: it is not stored any more.
        :raises StoreFull: the disk has no room.
        """
        verdicts: dict[int, Any] = {}
        await self._records({seq}, verdicts)
        if seq in verdicts:
            raise verdicts[seq]
        note = Note(seq, self._engine.clock.time_ns(), who, text)
        await self._engine.committed(notes=[note], external=True)
        return note

    # Records ------------------------------------------------------------------------------------------------

    async def records(self, seqs: Sequence[int]) -> list[Record | None]:
        """The records of these numbers, None for each that is not stored any more."""
        found: list[Record | None] = await self._read(lambda archive: [archive.record(seq) for seq in seqs])
        return found

    def _take(self, seqs: Iterable[int], verdicts: dict[int, Any]) -> set[int]:
        """Those that nobody decides about at this moment; they are ours until they are given back."""
        asked = set(seqs)
        for seq in asked & self._taken:
            verdicts[seq] = NotResendable(f"somebody decides about message {seq} at this moment", fix=LOOK.format(seq))
        free = asked - self._taken
        self._taken |= free
        return free

    async def _records(self, seqs: set[int], verdicts: dict[int, Any]) -> list[Record]:
        """The records, in order; the verdict about one that is not stored is that it is gone."""
        ordered = sorted(seqs)
        found = await self.records(ordered)
        for seq, record in zip(ordered, found, strict=True):
            if record is None:
                verdicts[seq] = gone(seq)
        return [record for record in found if record is not None]


def _parked(record: Record, verdicts: dict[int, Any]) -> bool:
    """Whether it is parked; else the verdict says that it is not."""
    if record.status is Status.PARKED:
        return True
    seq = record.message.seq
    what = f"message {record.message.id} is {record.status.name.lower()}, and only what is parked can be discarded"
    verdicts[seq] = NotResendable(what, fix=LOOK.format(seq))
    return False


def _ended(record: Record, status: Status) -> Settle:
    """The new status; what its attempts were stays."""
    return Settle(record.message.seq, status, record.attempt, 0, record.started, record.duration)


def _said(record: Record, message: Message, how: Resending) -> str:
    """The note about a resend."""
    parts = [f"resent as {message.id}"]
    if message.target != record.message.target:
        parts.append(f"to {message.target}")
    if how.edit is not None:
        parts.append("edited")
    if how.again:
        parts.append("with its effect once more")
    if record.status is not Status.PARKED:
        parts.append(f"it was {record.status.name.lower()}")
    return ", ".join(parts)


async def _outcome(verdict: asyncio.Future[Message] | JunctorError) -> Message | JunctorError:
    if isinstance(verdict, JunctorError):
        return verdict
    try:
        return await verdict
    except JunctorError as error:
        return error
