"""Sending a message again in a test, as an operator does with ``junctor resend``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from junctor.core.edits import with_changes
from junctor.core.port import Receipt
from junctor.errors import JunctorError
from junctor.messages import parse_id
from junctor.node.control.entries import host_of
from junctor.runtime.resend import Decisions
from junctor.runtime.resendable import Resending, gone
from junctor.transports.base import Archive

if TYPE_CHECKING:
    from junctor.node.node import Node


async def resent(node: Node, which: str, to: str | None, again: bool, changes: Mapping[str, Any] | None) -> Receipt:
    """Send a message again; the receipt of the new one.

    :raises JunctorError: it cannot be sent as it is; nothing was sent then.
    """
    seq = parse_id(which)[1]
    record = node.engine.transport.archive.record(seq)
    if record is None:
        raise gone(seq)
    how = Resending(
        who="test",
        to=host_of(node.engine, to).address if to is not None else None,
        again=again,
        edit=(lambda body: with_changes(body, changes)) if changes else None,
    )

    async def at_once(question: Callable[[Archive], Any]) -> Any:
        return question(node.engine.transport.archive)  # not in a thread: time must not pass meanwhile

    verdicts = await Decisions(node.engine, at_once).resend({seq: record.status}, how)
    message = verdicts[seq]
    if isinstance(message, JunctorError):
        raise message
    return Receipt(message.id, message.session_id)
