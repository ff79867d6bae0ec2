"""What a client does with runs of workflows and conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from junctor.core.port import Receipt
from junctor.node.control.deciding import Asks, AsksLater

if TYPE_CHECKING:
    from junctor.node.views.runs import Retried, RunHistory, RunView


class Steering:
    """Joined by the blocking client. A run is named by its number, its id, or its key."""

    def workflows(self: Asks, **filter: Any) -> list[RunView]:
        """The runs that fit, newest first: ``service``, ``status`` (open, suspended, done, failed, cancelled,
        continued, ended), ``key``, ``since``, ``before``, ``limit``.

        :raises UnknownFilter: a filter means nothing.
        """
        from junctor.node.views.runs import RunView

        found: list[RunView] = self.ask("runs", list[RunView], **_given(filter))
        return found

    def workflow(self: Asks, run: int | str, *, limit: int = 200) -> RunHistory:
        """A run with its history.

        :raises UnknownRun: there is none.
        """
        from junctor.node.views.runs import RunHistory

        found: RunHistory = self.ask("run", RunHistory, which=str(run), limit=limit)
        return found

    def signal(self: Asks, run: int | str, name: str, body: Any = None) -> Receipt:
        """Send a signal to a run; returns when it is accepted.

        :raises UnknownRun: there is none. :raises RunEnded: it has ended.
        :raises UnknownSignal: its service has no such signal.
        :raises DecodeError: the body does not fit the type of the signal.
        """
        receipt: Receipt = self.ask("run-signal", Receipt, which=str(run), name=name, body=body)
        return receipt

    def query(self: Asks, run: int | str, name: str, /, **arguments: Any) -> Any:
        """Ask a run something; nothing of it changes."""
        return self.ask("run-query", which=str(run), name=name, arguments=arguments)

    def cancel(self: Asks, run: int | str, reason: str = "", *, now: bool = False) -> RunView:
        """Tell a run to end; returns when that is accepted.

        :param now: end it without its code, which undoes nothing; returns when it has ended.
        :raises RunEnded: it has ended.
        """
        from junctor.node.views.runs import RunView

        found: RunView = self.ask("run-cancel", RunView, which=str(run), reason=reason, now=now)
        return found

    def retry(self: Asks, run: int | str, *, from_step: int | None = None) -> Retried:
        """Let a suspended run go on, or begin a new one that keeps what came before a step.

        :raises RunEnded: it is not suspended.
        """
        from junctor.node.views.runs import Retried

        done: Retried = self.ask("run-retry", Retried, which=str(run), from_step=from_step)
        return done


class AsyncSteering:
    """Joined by the async client; the words are those of :class:`Steering`."""

    async def workflows(self: AsksLater, **filter: Any) -> list[RunView]:
        """The runs that fit, newest first."""
        from junctor.node.views.runs import RunView

        found: list[RunView] = await self.ask("runs", list[RunView], **_given(filter))
        return found

    async def workflow(self: AsksLater, run: int | str, *, limit: int = 200) -> RunHistory:
        """A run with its history."""
        from junctor.node.views.runs import RunHistory

        found: RunHistory = await self.ask("run", RunHistory, which=str(run), limit=limit)
        return found

    async def signal(self: AsksLater, run: int | str, name: str, body: Any = None) -> Receipt:
        """Send a signal to a run; returns when it is accepted."""
        receipt: Receipt = await self.ask("run-signal", Receipt, which=str(run), name=name, body=body)
        return receipt

    async def query(self: AsksLater, run: int | str, name: str, /, **arguments: Any) -> Any:
        """Ask a run something; nothing of it changes."""
        return await self.ask("run-query", which=str(run), name=name, arguments=arguments)

    async def cancel(self: AsksLater, run: int | str, reason: str = "", *, now: bool = False) -> RunView:
        """Tell a run to end; returns when that is accepted. ``now``: end it without its code."""
        from junctor.node.views.runs import RunView

        found: RunView = await self.ask("run-cancel", RunView, which=str(run), reason=reason, now=now)
        return found

    async def retry(self: AsksLater, run: int | str, *, from_step: int | None = None) -> Retried:
        """Let a suspended run go on, or begin a new one that keeps what came before a step."""
        from junctor.node.views.runs import Retried

        done: Retried = await self.ask("run-retry", Retried, which=str(run), from_step=from_step)
        return done


def _given(filter: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in filter.items() if value is not None}
    if isinstance(given.get("status"), str):
        given["status"] = [given["status"]]
    return given
