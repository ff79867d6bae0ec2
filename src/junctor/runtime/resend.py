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

import msgspec
from msgspec import structs

from junctor.core.edits import EditRefused, unknown_fields
from junctor.core.routing import Routing
from junctor.errors import (
    DecodeError,
    JunctorError,
    NoHandler,
    NotRunning,
    QueueFull,
    StoreFull,
    UnknownTarget,
    nearest,
)
from junctor.messages import EFFECT, HANDLER, RESEND_OF, Kind, Message, MessageType, Status, codec, without_reserved
from junctor.runtime.intake import bounded, size_of
from junctor.transports.base import Commit, Insert, Note, Record, Settle

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine
    from junctor.runtime.host import Host

Edit = Callable[[Any], Any]
"""From the body of the original as plain JSON values to the one to send; None where the original cannot be read."""

Aside = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Does blocking work beside the event loop."""

_HOPS = {
    Kind.TICK: "is the tick of a schedule",
    Kind.ROUTE: "is the call of a route",
    Kind.ACTION: "is the call of an action",
    Kind.REPLY: "is a reply",
}
_CALLED = "It has no body to send. `junctor call SERVICE NAME` runs a schedule or an action again."

_ENDED = (Status.PARKED, Status.EXPIRED, Status.DISCARDED)
"""What a resend takes the place of. One that was handled stays so."""


NO_FURTHER = (QueueFull, StoreFull, NotRunning)
"""What meets the following messages as well."""


class NotResendable(JunctorError):
    """A message cannot be sent again, or discarded, as it is: it is still to be handled, was handled, or is a hop."""

    code = "not-resendable"
    default_fix = "`junctor parked` lists what can be sent again."
    status = 409


class Purged(JunctorError):
    """A message was stored here and is not any more: the retention of its service has removed it."""

    code = "purged"
    default_fix = "What is removed cannot be sent again from here; keep failures longer with `retention:` in the flow."
    status = 410


class Resending(msgspec.Struct, frozen=True, kw_only=True):
    """How messages are sent again. ``to`` is the address of another service. ``again``: also what was handled already,
    and its effects outside count anew. ``edit`` changes the body."""

    who: str = ""
    to: str | None = None
    again: bool = False
    edit: Edit | None = None


class Prepared(msgspec.Struct, frozen=True):
    """What would be sent for an original: everything is checked."""

    host: Any
    type: str
    version: int
    payload: Any
    key: str | None
    headers: Mapping[str, str]


class Decisions:
    """Carries decisions out. While one about a message is on its way, another about the same message is refused: two
    operators never send it twice.

    :param aside: where the archive of the transport is asked, with bodies as they are; all the rest is for the loop.
    """

    def __init__(self, engine: Engine, aside: Aside) -> None:
        self._engine = engine
        self._dispatcher = engine.dispatcher
        self._aside = aside
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

    def prepared(self, record: Record, how: Resending) -> Prepared:
        """What would be sent.

        :raises NotResendable: not as it is.
        :raises UnknownTarget: its service does not run here.
        :raises NoHandler: the service does not handle it.
        :raises DecodeError: the body does not fit the type of the handler; the text has the path of the field.
        :raises EditRefused: the edit names a field that is not there.
        """
        _check(record, how)
        old = record.message
        host = self._host(how.to or old.target, old)
        headers = _headers(old, how, host)
        kind = handled_by(host, structs.replace(old, target=host.address, headers=headers))
        where = f"message {old.id}"
        if how.edit is None:
            payload = old.payload if host.address == old.target else _encoded(old.payload)
            body = kind.read(payload, old.version, where) if type(payload) is bytes else payload
            key = host.key_of(body) if how.to and host.keyed else old.key
            return Prepared(host, old.type, old.version, payload, key, headers)
        return self._edited(old, how.edit, kind, host, headers)

    def _edited(self, old: Message, edit: Edit, kind: MessageType, host: Host, headers: Mapping[str, str]) -> Prepared:
        where, original = f"message {old.id}", _plain(old.payload)
        edited = edit(original)
        body = kind.read(msgspec.json.encode(edited), kind.version, where)
        payload = kind.encode(body)  # as a sender would have written it
        bounded(payload, self._dispatcher.max_body, "the edited body", where)
        taken = msgspec.json.decode(payload)
        if unknown := unknown_fields(edited, taken, original):
            known = nearest(unknown[0], taken) if isinstance(taken, dict) else ""
            raise EditRefused(f"{kind.name} has no field {unknown[0]}", where=where, fix=known.rstrip() or None)
        name, version = (kind.name, kind.version) if kind.cls is not Any else (old.type, old.version)
        return Prepared(host, name, version, payload, host.key_of(body) if host.keyed else old.key, headers)

    def _host(self, address: str, message: Message) -> Host:
        if address in self._engine.hosts:
            return self._dispatcher.host_of(address)
        others = sorted(host.address for host in self._engine.hosts.values() if _handles(host, message))
        fix = f"Send it to another one: --to {' or '.join(others)}." if others else "No other service handles its type."
        raise UnknownTarget(
            f"the service {address} is not in the flow any more", where=f"message {message.id}", fix=fix
        )

    async def _send(self, record: Record, meant: Status, how: Resending) -> asyncio.Future[Message]:
        if record.status is not meant:
            what = f"message {record.message.id} was {meant.name.lower()} and is {record.status.name.lower()} by now"
            raise NotResendable(what, fix=_LOOK.format(record.message.seq))
        ready = self.prepared(record, how)
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
        stay in the store, and can be sent again later."""
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
                )
            )
        finally:
            self._taken -= mine
        return {seq: verdicts.get(seq) for seq in dict.fromkeys(seqs)}

    async def note(self, seq: int, who: str, text: str) -> Note:
        """Keep a note with a message.

        :raises Purged: it is not stored any more.
        """
        verdicts: dict[int, Any] = {}
        await self._records({seq}, verdicts)
        if seq in verdicts:
            raise verdicts[seq]
        note = Note(seq, self._engine.clock.time_ns(), who, text)
        await self._engine.committed(notes=[note])
        return note

    # Records ------------------------------------------------------------------------------------------------

    async def records(self, seqs: Sequence[int]) -> list[Record | None]:
        """The records of these numbers, None for each that is not stored any more."""
        record = self._engine.transport.archive.record
        found: list[Record | None] = await self._aside(lambda: [record(seq) for seq in seqs])
        return found

    def _take(self, seqs: Iterable[int], verdicts: dict[int, Any]) -> set[int]:
        """Those that nobody decides about at this moment; they are ours until they are given back."""
        asked = set(seqs)
        for seq in asked & self._taken:
            verdicts[seq] = NotResendable(f"somebody decides about message {seq} at this moment", fix=_LOOK.format(seq))
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


_LOOK = "`junctor trace {}` shows what came of it."


def gone(seq: int) -> Purged:
    """The error about a number that is not stored any more."""
    return Purged(f"message {seq} is not stored any more: retention has removed it")


def handled_by(host: Host, message: Message) -> MessageType:
    """The type as which a service reads a message.

    :raises NoHandler: it has no handler for it; the fix lists what it handles.
    """
    routing: Routing[MessageType] = Routing()
    for spec in host.spec.handlers:
        accepts = host.types.register(spec.accepts)
        routing.add(spec.name, accepts, accepts)
    kind = routing.find(message)
    if kind is None:
        names = ", ".join(sorted({found.name for _, found in routing.all()})) or "nothing"
        raise NoHandler(f"the service does not handle {message.type}", where=host.address, fix=f"It handles {names}.")
    return (host.types.named(message.type) or kind) if kind.cls is Any else kind


def _handles(host: Host, message: Message) -> bool:
    try:
        handled_by(host, structs.replace(message, headers={}))
    except NoHandler:
        return False
    return True


def _check(record: Record, how: Resending) -> None:
    """:raises NotResendable: it cannot be sent again as it is."""
    old, status = record.message, record.status
    name = f"message {old.id}"
    if old.kind in _HOPS:
        raise NotResendable(f"{name} {_HOPS[old.kind]}", fix=_CALLED)
    if status < Status.DONE:
        raise NotResendable(f"{name} is still to be handled: it is {status.name.lower()}", fix=_LOOK.format(old.seq))
    if status is Status.DONE and not how.again:
        fix = "--again sends it once more; what it does outside is done once more then."
        raise NotResendable(f"{name} was handled", fix=fix)
    if status is Status.RESENT and not how.again:
        fix = f"{_LOOK.format(old.seq)} Send the newer one again; --again sends this one once more."
        raise NotResendable(f"{name} was sent again already", fix=fix)
    if record.damaged and how.edit is None:
        raise NotResendable(f"{name} is damaged, its body cannot be trusted", fix="Give the whole body with --body.")


def _parked(record: Record, verdicts: dict[int, Any]) -> bool:
    """Whether it is parked; else the verdict says that it is not."""
    if record.status is Status.PARKED:
        return True
    seq = record.message.seq
    what = f"message {record.message.id} is {record.status.name.lower()}, and only what is parked can be discarded"
    verdicts[seq] = NotResendable(what, fix=_LOOK.format(seq))
    return False


def _headers(old: Message, how: Resending, host: Host) -> Mapping[str, str]:
    """Those of the sender, and the engine's own for a resend. A condition is not asked twice."""
    headers = dict(without_reserved(old.headers))
    handler = old.headers.get(HANDLER)
    if handler is not None and (how.to is None or any(spec.name == handler for spec in host.spec.handlers)):
        headers[HANDLER] = handler
    headers[RESEND_OF] = old.id
    if not how.again:
        headers[EFFECT] = old.effect
    return headers


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


def _encoded(payload: Any) -> bytes:
    return payload if type(payload) is bytes else codec.encode(payload)


def _plain(payload: Any) -> Any:
    """A body as JSON values; None where it cannot be read."""
    try:
        return msgspec.json.decode(payload) if type(payload) is bytes else codec.to_plain(payload)
    except (msgspec.DecodeError, DecodeError, UnicodeDecodeError, TypeError, NotImplementedError):
        return None


async def _outcome(verdict: asyncio.Future[Message] | JunctorError) -> Message | JunctorError:
    if isinstance(verdict, JunctorError):
        return verdict
    try:
        return await verdict
    except JunctorError as error:
        return error
