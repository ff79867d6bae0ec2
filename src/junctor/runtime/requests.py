"""The requests that wait for a reply in this node: resolved by the settlement of their message, or by their
deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from junctor.core.outcome import Failure, Reply
from junctor.core.port import Link
from junctor.errors import RequestExpired, RequestFailed, RequestTimeout
from junctor.messages import MessageType, Status, codec
from junctor.runtime.debugger import Standstills
from junctor.transports.base import Transport

Waiter = tuple["asyncio.Future[Any]", int, "Link | None"]
"""Who waits, until when (nanoseconds since 1970), and the link that says how to read the reply."""


_ENDED = {Status.FAILED: "failed", Status.DISCARDED: "discarded", Status.RESENT: "sent again"}


class Requests:
    """``waiters`` by the ``seq`` of the request.

    :param type_at: the type of a name in the flow of an address, None when that flow does not know it.
    """

    def __init__(self, transport: Transport, type_at: Callable[[str, str], MessageType | None]) -> None:
        self.waiters: dict[int, Waiter] = {}
        self.standstills = Standstills()
        self._stood = 0
        self._type_at = type_at
        self._transport = transport

    def await_earlier(self, seq: int, waiter: Waiter) -> None:
        """A repeated request: give the recorded reply, or wait for the one that is on its way."""
        record = self._transport.archive.record(seq)
        if record is None or record.status < Status.DONE or record.status is Status.BEGUN:
            self.waiters[seq] = waiter
        elif record.status is Status.DONE:
            self.resolve(waiter, record.reply, record.message.target)
        else:
            self.refuse(waiter, record.status, record.failure, seq, record.message.target)

    def resolve(self, waiter: Waiter, reply: Reply | None, where: str) -> None:
        future, _, link = waiter
        if future.done():
            return
        if reply is None:
            future.set_result(None)
            return
        payload = reply.payload
        if type(payload) is not bytes:
            if link is None or link.replies is None or link.replies.fits(payload):
                future.set_result(payload)
                return
            payload = codec.encode(payload)  # of a class of the same name, in another flow
        try:
            kind = (link.replies if link is not None else None) or self._type_at(where, reply.type)
            future.set_result(
                msgspec.json.decode(payload) if kind is None else kind.read(payload, reply.version, f"reply of {where}")
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the reply is the requester's to know
            future.set_exception(error)

    def refuse(self, waiter: Waiter, status: Status, failure: Failure | None, seq: int, where: str) -> None:
        """:param seq: the number of the request, ``where`` the address that it went to."""
        future = waiter[0]
        if future.done():
            return
        if status is Status.EXPIRED:
            future.set_exception(RequestExpired("the request expired before its handler could start", where=where))
            return
        kind, text = (failure.type, failure.text) if failure is not None else ("", "no reason recorded")
        future.set_exception(
            RequestFailed(
                f"the handler failed and message {seq} is {_ENDED.get(status, 'parked')}: {kind}: {text}",
                where=where,
                fix=f"`junctor trace {seq}` shows the attempts; correct the cause and ask again.",
                error_type=kind,
            )
        )

    def sweep(self, now: int) -> None:
        """End the requests whose deadline has passed. One sweep for all: a timer per request would cost as much as
        it. None ends while a debugger is attached, and afterwards each has what was left of its time."""
        if self.standstills.now:
            return
        if (stood := self.standstills.stood) != self._stood:
            for seq, (future, deadline, link) in self.waiters.items():
                self.waiters[seq] = (future, deadline + stood - self._stood if deadline else 0, link)
            self._stood = stood
        late = [seq for seq, (_, deadline, _) in self.waiters.items() if deadline and deadline < now]
        for seq in late:
            future, _, link = self.waiters.pop(seq)
            if not future.done():
                where = link.address if link is not None else ""
                future.set_exception(RequestTimeout("no reply came before the deadline of the request", where=where))

    def next_deadline(self) -> int:
        """When a sweep finds the next one that is late, nanoseconds since 1970; 0 for none."""
        return min((deadline + 1 for _, deadline, _ in self.waiters.values() if deadline), default=0)

    def abandon(self, error: Exception) -> None:
        """The node ends: nobody will answer the open requests any more."""
        for future, _, _ in self.waiters.values():
            if not future.done():
                future.set_exception(error)
        self.waiters.clear()
