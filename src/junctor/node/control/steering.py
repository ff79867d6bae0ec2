"""What a client does with runs of workflows and conversations. A run is named by its number, its id, or its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from junctor.core.port import Receipt
from junctor.node.control.questions import Question, chosen

if TYPE_CHECKING:
    from junctor.node.views.runs import Retried, RunHistory, RunView


def workflows(**filter: Any) -> Question[list[RunView]]:
    """The runs that fit, newest first: ``service``, ``status`` (open, suspended, done, failed, cancelled,
    continued, ended), ``key``, ``since``, ``before``, ``limit``.

    :raises UnknownFilter: a filter means nothing.
    """
    from junctor.node.views.runs import RunView

    return Question("runs", chosen(filter), list[RunView])


def workflow(run: int | str, *, limit: int = 200) -> Question[RunHistory]:
    """A run with its history.

    :raises UnknownRun: there is none.
    """
    from junctor.node.views.runs import RunHistory

    return Question("run", {"which": str(run), "limit": limit}, RunHistory)


def signal(run: int | str, name: str, body: Any = None) -> Question[Receipt]:
    """Send a signal to a run; returns when it is accepted.

    :raises UnknownRun: there is none. :raises RunEnded: it has ended.
    :raises UnknownSignal: its service has no such signal.
    :raises DecodeError: the body does not fit the type of the signal.
    """
    return Question("run-signal", {"which": str(run), "name": name, "body": body}, Receipt)


def query(run: int | str, name: str, /, **arguments: Any) -> Question[Any]:
    """Ask a run something; nothing of it changes."""
    return Question("run-query", {"which": str(run), "name": name, "arguments": arguments})


def cancel(run: int | str, reason: str = "", *, now: bool = False) -> Question[RunView]:
    """Tell a run to end; returns when that is accepted.

    :param now: end it without its code, which undoes nothing; returns when it has ended.
    :raises RunEnded: it has ended.
    """
    from junctor.node.views.runs import RunView

    return Question("run-cancel", {"which": str(run), "reason": reason, "now": now}, RunView)


def retry(run: int | str, *, from_step: int | None = None) -> Question[Retried]:
    """Let a suspended run go on, or begin a new one that keeps what came before a step.

    :raises RunEnded: it is not suspended.
    """
    from junctor.node.views.runs import Retried

    return Question("run-retry", {"which": str(run), "from_step": from_step}, Retried)
