"""Savepoints: what a delivery has sent so far is committed with each request that it makes.

What precedes a request is not undone when the handler fails later. Its next attempt makes the same sends with the same
origins: they are recognized, and the request gets the recorded reply.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from junctor.core.hop import Delivery, Hop
from junctor.core.origin import origin_after, origin_of, same_place
from junctor.core.outcome import Draft
from junctor.core.port import Link
from junctor.errors import JunctorError, SendError
from junctor.messages import Kind, Status
from junctor.runtime.effects import with_effect
from junctor.runtime.intake import Intake
from junctor.runtime.requests import Waiter
from junctor.transports.base import Commit, Insert, Sent, Settle

log = logging.getLogger("junctor.dispatcher")

_REQUEST, _CLAIMED = Kind.REQUEST, Status.CLAIMED


def _note_asking(hop: Hop, future: asyncio.Future[Any]) -> None:
    if isinstance(hop, Delivery):
        hop.asks = future


class Savepoints(Intake):
    """The requests that deliveries make."""

    def savepoint(
        self, hop: Hop, drafts: Sequence[Draft], request: Draft, link: Link, future: asyncio.Future[Any]
    ) -> None:
        """Commit the earlier sends of a delivery and its request now; the future gets the reply."""
        hop.saved = True
        _note_asking(hop, future)
        inserts = self.first_record(hop)
        try:
            inserts += self._inserts_in(hop, (*drafts, request), self.origin_in)
        except SendError as error:
            future.set_exception(error)
            return
        settles: Sequence[Settle] = ()
        if self.suspects.includes(hop):
            future = self._in_turn_again(hop, future)
            settles = self._give_up_turn(hop)
        self.waiters[inserts[-1].message.seq] = (future, request.deadline, link)
        self.transport.commit(Commit(self._saved, inserts=inserts, settles=settles, tag=future))

    def ask_again(self, hop: Hop, seq: int, waiter: Waiter) -> None:
        """A request that an earlier attempt of the delivery made already."""
        _note_asking(hop, waiter[0])
        if not self.suspects.includes(hop):
            self.requests.await_earlier(seq, waiter)
            return
        reply = self._in_turn_again(hop, waiter[0])
        self.requests.await_earlier(seq, (reply, *waiter[1:]))
        if not reply.done() and (settles := self._give_up_turn(hop)):
            self.transport.commit(Commit(lambda commit, error: None, settles=settles))

    def _give_up_turn(self, hop: Hop) -> Sequence[Settle]:
        """A suspect waits for a reply. It has come so far without harm, so what happens meanwhile is not charged to it:
        it may be the turn of the one that ends the process."""
        if not self.suspects.holds(hop):
            return ()
        self.suspects.give_up(hop)
        return (Settle(hop.seq, _CLAIMED, hop.attempt - 1),)

    def _in_turn_again(self, hop: Hop, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
        """A future for the reply to a suspect, which ``future`` gets when it is the suspect's turn again."""
        reply: asyncio.Future[Any] = self._future()
        self.suspects.asks(hop)
        go_on = lambda _: self._supervisor.start(f"turn of {hop.address}", self._go_on(hop, reply, future))  # noqa: E731
        reply.add_done_callback(go_on)
        return reply

    async def _go_on(self, hop: Hop, reply: asyncio.Future[Any], future: asyncio.Future[Any]) -> None:
        error = reply.exception()
        try:
            # Only with its last reply: with the turn in its hand and a request open it would wait for itself.
            if self.suspects.answered(hop) and hop.open:
                await self.suspects.take(hop)
                await self.host_of(hop.address).charge(hop)
        except JunctorError as refused:
            error = refused
        if not hop.open:
            self.suspects.leave(hop)
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(reply.result())

    def _saved(self, commit: Commit, error: Exception | None) -> None:
        future: asyncio.Future[Any] = commit.tag
        request = commit.inserts[-1].message.seq
        duplicates = commit.duplicates or {}
        for insert in commit.inserts:
            if insert.status >= Status.DONE:
                continue
            if error is not None or insert.message.seq in duplicates:
                self.withdraw(insert)
            else:
                self.hand_over(insert)
        waiter = self.waiters.pop(request, None) if error is not None or request in duplicates else None
        if error is not None and not future.done():
            future.set_exception(error)
        elif waiter is not None:
            self.requests.await_earlier(duplicates[request], waiter)

    def origin_in(self, hop: Hop, draft: Draft) -> bytes:
        """The origin of a send inside a hop. A request whose message expired undelivered is asked anew: nobody saw
        it."""
        payload = draft.payload
        data = payload if type(payload) is bytes else self.host_of(draft.target).encode(payload)
        origin = origin_of(f"{self.node}-{hop.seq}", draft.counter, draft.target, draft.type, data)
        while hop.sent and (sent := hop.sent.get(origin)) is not None and sent.status is Status.EXPIRED:
            origin = origin_after(origin, sent.seq)
        return origin

    def _inserts_in(
        self, hop: Hop, drafts: Iterable[Draft], origin_in: Callable[[Hop, Draft], bytes | None]
    ) -> list[Insert]:
        """The records of what a hop sends; when one of them is refused, none is counted anywhere.

        :raises SendError: one is refused.
        """
        inserts: list[Insert] = []
        try:
            for draft in drafts:
                named = with_effect(hop, draft) if hop.effects else draft
                inserts.append(self.insert_in(hop, named, origin_in(hop, draft)))
        except SendError:
            for insert in inserts:
                self.withdraw(insert)
            raise
        return inserts

    def earlier(self, hop: Hop, draft: Draft) -> Any:
        """What an earlier attempt of this delivery already committed for the same send, None when it is new."""
        if not hop.sent:
            return None
        origin = self.origin_in(hop, draft)
        sent = hop.sent.get(origin)
        if sent is None and any(_is_other(known, origin) for known in hop.sent.values()):
            log.warning(
                "%s: send number %s to %s differs from that of an earlier attempt; it is accepted as a new message",
                hop.address,
                draft.counter,
                draft.target,
                extra={"hop": hop},
            )
        return sent


def _is_other(sent: Sent, origin: bytes) -> bool:
    return same_place(sent.origin, origin) and sent.status is not Status.EXPIRED


def without_origin(hop: Hop, draft: Draft) -> None:
    """What is committed together with its hop cannot be sent twice."""
