"""Runs and their turns in memory: the same rules as in a store, gone with the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from junctor.core.run import Run, RunQuery, RunStatus, RunWrite, Turn, after
from junctor.errors import StateConflict

Staged = list[tuple[Run, Turn | None]]


class HeldRuns:
    """The runs of a node that keeps everything in memory."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}
        self._turns: dict[int, list[Turn]] = {}
        self._called: dict[tuple[str, str], int] = {}

    def stage(self, writes: Iterable[RunWrite]) -> Staged:
        """What the writes of one commit come to, for :meth:`take`.

        :raises StateConflict: one of them was computed from another number of turns, or its key is taken.
        """
        staged: Staged = []
        fresh: dict[int, Run] = {}
        for write in writes:
            known = fresh.get(write.seq) or self._runs.get(write.seq)
            self._check(write, known, fresh)
            run = fresh[write.seq] = after(write, known)
            turn = None if write.data is None else Turn(run.turns, write.time, write.delivered, write.data)
            staged.append((run, turn))
        return staged

    def _check(self, write: RunWrite, known: Run | None, fresh: dict[int, Run]) -> None:
        turns = known.turns if known is not None else 0
        if turns != write.expected:
            what = f"run {write.seq} has {turns} turns, the delivery read {write.expected}"
            raise StateConflict(what, where=write.service)
        if known is None and write.key is not None:
            holder = self.called(write.service, write.key)
            if holder and fresh.get(holder, self._runs[holder]).is_open:
                raise StateConflict(f"run {holder} is called {write.key!r} already", where=write.service)

    def take(self, staged: Staged) -> None:
        for run, turn in staged:
            self._runs[run.seq] = run
            if turn is not None:
                self._turns.setdefault(run.seq, []).append(turn)
            if run.key is None:
                continue
            if run.status < RunStatus.DONE:
                self._called[(run.service, run.key)] = run.seq
            elif self._called.get((run.service, run.key)) == run.seq:
                del self._called[(run.service, run.key)]

    def forget(self, seq: int) -> None:
        self._runs.pop(seq, None)
        self._turns.pop(seq, None)

    def find(self, seq: int) -> Run | None:
        return self._runs.get(seq)

    def called(self, service: str, key: str) -> int:
        return self._called.get((service, key), 0)

    def count_open(self) -> dict[str, int]:
        return dict(Counter(run.service for run in self._runs.copy().values() if run.is_open))

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        return self._turns.get(seq, [])[after:]

    def search(self, query: RunQuery) -> list[Run]:
        found = (run for _, run in sorted(self._runs.copy().items(), reverse=True) if _fits(run, query))
        return [run for _, run in zip(range(query.limit), found, strict=False)]


def _fits(run: Run, query: RunQuery) -> bool:
    return (
        query.service in (None, run.service)
        and query.key in (None, run.key)
        and (query.statuses is None or run.status in query.statuses)
        and (query.before is None or run.seq < query.before)
    )
