"""The runs of a service as the engine has them in memory: on their way to the store, and as they last were there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from junctor.core.run import Run, RunWrite, Turn, after
from junctor.transports.base import Commit

RECENT = 4096
"""Runs whose last committed facts are kept, so that their next turn does not ask the store on the event loop."""


class PendingRun(msgspec.Struct):
    """A run whose last turns are on their way to the store: what the next delivery goes by."""

    run: Run
    turns: list[Turn]
    commit: Commit


class KnownRuns:
    """``pending`` by number. What is committed by anybody else but this service is to be forgotten here."""

    def __init__(self) -> None:
        self.pending: dict[int, PendingRun] = {}
        self._recent: dict[int, Run] = {}

    def find(self, seq: int) -> Run | None:
        """As it will be when all that is on its way is committed; None where only the store can tell."""
        pending = self.pending.get(seq)
        return pending.run if pending is not None else self._recent.get(seq)

    def keep(self, writes: Iterable[RunWrite], stored: Callable[[int], Run | None], commit: Commit) -> None:
        """Note what a commit that is given now will make of runs.

        :param stored: the run of a number as the store has it.
        """
        for write in writes:
            before = self.pending.get(write.seq)
            known = self.find(write.seq)
            if known is None and write.expected:
                known = stored(write.seq)
            run = after(write, known)
            turns = list(before.turns) if before is not None else []
            if write.data is not None:
                turns.append(Turn(run.turns, write.time, write.delivered, write.data))
            self.pending[write.seq] = PendingRun(run, turns, commit)

    def ended(self, commit: Commit, refused: bool) -> None:
        """The commit is done, or refused: where it was the last one about a run, the store has all of it."""
        for write in commit.runs:
            held = self.pending.get(write.seq)
            if refused:
                self._recent.pop(write.seq, None)
            if held is None or held.commit is not commit:
                continue
            del self.pending[write.seq]
            if not refused and held.run.is_open:
                self._note(held.run)
            else:
                self._recent.pop(write.seq, None)

    def forget(self, seq: int) -> None:
        """Somebody else has written this run."""
        self._recent.pop(seq, None)

    def _note(self, run: Run) -> None:
        self._recent.pop(run.seq, None)
        self._recent[run.seq] = run
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
