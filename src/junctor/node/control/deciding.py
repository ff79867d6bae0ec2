"""What a client decides about messages that were put aside: sent again, discarded, noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from junctor.core.batches import STOP_AT

if TYPE_CHECKING:
    from junctor.node.views.decisions import Discarded, ResendView
    from junctor.node.views.messages import NoteView

_LOOK = 10.0  # seconds until the node is asked again


class Asks(Protocol):
    """A client that asks and waits."""

    def ask(self, operation: str, kind: Any = Any, /, patience: float | None = None, **arguments: Any) -> Any: ...


class AsksLater(Protocol):
    """A client whose answers are awaited."""

    async def ask(self, operation: str, kind: Any = Any, /, **arguments: Any) -> Any: ...


class Deciding:
    """Joined by the blocking client."""

    def resend(
        self: Asks,
        *messages: int | str,
        group: str | None = None,
        to: str | None = None,
        again: bool = False,
        changes: Mapping[str, Any] | None = None,
        body: Any = None,
        rate: float = 0.0,
        stop_at: float = STOP_AT,
        **filter: Any,
    ) -> ResendView:
        """Send messages again, and wait for the end of it: these ``messages`` by id or number, a ``group``, or all that
        a search finds (``service``, ``type``, ``error``, ``status``, ``since`` and others, see :class:`Filter`).

        :param to: another service. ``changes``: other values by path, ``{"lines.0.count": 3}``; ``body``: the whole of
            it, for one message.
        :param again: also what was handled; what it does outside is done once more then.
        :param rate: messages a second at most. ``stop_at``: the share of failures above which it stops.
        :raises JunctorError: nothing was sent; the reason is that of ``junctor resend``.
        """
        from junctor.node.views.decisions import ResendView  # programs that only send do without it

        meant = _meant(messages, group, filter)
        how = _how(to, again, changes, body) | {"rate": rate, "stop_at": stop_at}
        view: ResendView = self.ask("resend", ResendView, **meant, **how)
        while view.state == "running":
            view = self.ask("resend-progress", ResendView, job=view.job, seen=view.changes, wait=_LOOK)
        return view

    def discard(self: Asks, *messages: int | str, group: str | None = None, note: str = "", **filter: Any) -> Discarded:
        """Decide that nothing follows of parked messages; which ones, as for :meth:`resend`."""
        from junctor.node.views.decisions import Discarded

        done: Discarded = self.ask("discard", Discarded, **_meant(messages, group, filter), note=note)
        return done

    def note(self: Asks, message: int | str, text: str) -> NoteView:
        """Say something about a message."""
        from junctor.node.views.messages import NoteView

        said: NoteView = self.ask("note", NoteView, which=str(message), text=text)
        return said


class AsyncDeciding:
    """Joined by the async client; the words are those of :class:`Deciding`."""

    async def resend(
        self: AsksLater,
        *messages: int | str,
        group: str | None = None,
        to: str | None = None,
        again: bool = False,
        changes: Mapping[str, Any] | None = None,
        body: Any = None,
        rate: float = 0.0,
        stop_at: float = STOP_AT,
        **filter: Any,
    ) -> ResendView:
        """Send messages again, and wait for the end of it."""
        from junctor.node.views.decisions import ResendView  # programs that only send do without it

        meant = _meant(messages, group, filter)
        how = _how(to, again, changes, body) | {"rate": rate, "stop_at": stop_at}
        view: ResendView = await self.ask("resend", ResendView, **meant, **how)
        while view.state == "running":
            view = await self.ask("resend-progress", ResendView, job=view.job, seen=view.changes, wait=_LOOK)
        return view

    async def discard(
        self: AsksLater, *messages: int | str, group: str | None = None, note: str = "", **filter: Any
    ) -> Discarded:
        """Decide that nothing follows of parked messages."""
        from junctor.node.views.decisions import Discarded

        done: Discarded = await self.ask("discard", Discarded, **_meant(messages, group, filter), note=note)
        return done

    async def note(self: AsksLater, message: int | str, text: str) -> NoteView:
        """Say something about a message."""
        from junctor.node.views.messages import NoteView

        said: NoteView = await self.ask("note", NoteView, which=str(message), text=text)
        return said


def _meant(messages: tuple[int | str, ...], group: str | None, filter: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in filter.items() if value is not None}
    if isinstance(given.get("status"), str):
        given["status"] = [given["status"]]
    found: dict[str, Any] = {"messages": [str(message) for message in messages]} if messages else {}
    if group is not None:
        found["group"] = group
    return found | ({"filter": given} if given else {})


def _how(to: str | None, again: bool, changes: Mapping[str, Any] | None, body: Any) -> dict[str, Any]:
    given = {"to": to, "changes": dict(changes) if changes else None, "body": body}
    return {"again": again} | {name: value for name, value in given.items() if value is not None}
