"""What a client decides about messages that were put aside: sent again, discarded, noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from junctor.core.batches import STOP_AT
from junctor.node.control.questions import Question, chosen, given

if TYPE_CHECKING:
    from junctor.node.views.decisions import Discarded, ResendView
    from junctor.node.views.messages import NoteView

_LOOK = 10.0  # seconds until the node is asked again


def resend(
    *messages: int | str,
    group: str | None = None,
    to: str | None = None,
    again: bool = False,
    changes: Mapping[str, Any] | None = None,
    body: Any = None,
    rate: float = 0.0,
    stop_at: float = STOP_AT,
    **filter: Any,
) -> Question[ResendView]:
    """Send messages again, and wait for the end of it: these ``messages`` by id or number, a ``group``, or all that
    a search finds (``service``, ``type``, ``error``, ``status``, ``since`` and others, see :class:`Filter`).

    :param to: another service. ``changes``: other values by path, ``{"lines.0.count": 3}``; ``body``: the whole of
        it, for one message.
    :param again: also what was handled; what it does outside is done once more then.
    :param rate: messages a second at most. ``stop_at``: the share of failures above which it stops.
    :raises JunctorError: nothing was sent; the reason is that of ``junctor resend``.
    """
    from junctor.node.views.decisions import ResendView  # programs that only send do without it

    how = {"again": again, "rate": rate, "stop_at": stop_at}
    how |= given(to=to, changes=dict(changes) if changes else None, body=body)
    return Question("resend", _meant(messages, group, filter) | how, ResendView, _until_the_end)


def _until_the_end(view: ResendView) -> Question[ResendView] | None:
    if view.state != "running":
        return None
    seen = {"job": view.job, "seen": view.changes, "wait": _LOOK}
    return Question("resend-progress", seen, type(view), _until_the_end)


def discard(*messages: int | str, group: str | None = None, note: str = "", **filter: Any) -> Question[Discarded]:
    """Decide that nothing follows of parked messages; which ones, as for :meth:`resend`."""
    from junctor.node.views.decisions import Discarded

    return Question("discard", _meant(messages, group, filter) | {"note": note}, Discarded)


def note(message: int | str, text: str) -> Question[NoteView]:
    """Say something about a message."""
    from junctor.node.views.messages import NoteView

    return Question("note", {"which": str(message), "text": text}, NoteView)


def _meant(messages: tuple[int | str, ...], group: str | None, filter: Mapping[str, Any]) -> dict[str, Any]:
    names = [str(message) for message in messages]
    return given(messages=names or None, group=group, filter=chosen(filter) or None)
