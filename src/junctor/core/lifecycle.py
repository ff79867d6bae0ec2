"""One lifecycle for services and nodes: an enum and one table of transitions. Repr, API and pages show its words."""

from __future__ import annotations

import enum
from collections.abc import Callable


class State(enum.Enum):
    """Where a service is in its life."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    HELD = "held"
    PAUSED = "paused"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.STARTING, State.STOPPED}),
    State.STARTING: frozenset({State.RUNNING, State.BACKOFF, State.FAILED, State.STOPPING}),
    State.RUNNING: frozenset({State.HELD, State.PAUSED, State.BACKOFF, State.FAILED, State.STOPPING}),
    State.HELD: frozenset({State.RUNNING, State.PAUSED, State.BACKOFF, State.FAILED, State.STOPPING}),
    State.PAUSED: frozenset({State.RUNNING, State.HELD, State.BACKOFF, State.FAILED, State.STOPPING}),
    State.BACKOFF: frozenset({State.STARTING, State.FAILED, State.STOPPING}),
    State.STOPPING: frozenset({State.STOPPED, State.FAILED}),
    State.STOPPED: frozenset({State.STARTING}),
    State.FAILED: frozenset({State.STARTING, State.STOPPING, State.STOPPED}),
}

DELIVERING = frozenset({State.RUNNING, State.HELD})
"""States in which handlers may run; a held service runs its probe."""


class Lifecycle:
    """The state of one thing, with its reason and the instant of the last change.

    :param changed: called with the old and the new state after each change.
    """

    __slots__ = ("_changed", "name", "reason", "state")

    def __init__(self, name: str, changed: Callable[[State, State], object] | None = None) -> None:
        self.name = name
        self.state = State.NEW
        self.reason = ""
        self._changed = changed

    def to(self, state: State, reason: str = "") -> None:
        """Change to ``state``; the same state again only updates the reason.

        :raises RuntimeError: the table has no such transition; that is a bug, never a user's mistake.
        """
        old = self.state
        if state is not old and state not in TRANSITIONS[old]:
            raise RuntimeError(f"{self.name}: no transition from {old.value} to {state.value}")
        self.state, self.reason = state, reason
        if state is not old and self._changed is not None:
            self._changed(old, state)

    def __repr__(self) -> str:
        because = f": {self.reason}" if self.reason else ""
        return f"<{self.name} {self.state.value}{because}>"
