"""The ends of runs and of their requests, as a part of the commit that brings them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from junctor.core.hop import Delivery, Hop
from junctor.core.outcome import Answer, Draft, Outcome
from junctor.core.run import CANCEL, RunWrite, TimerEnd
from junctor.messages import ASKER, Kind, Status
from junctor.runtime.intake import size_of
from junctor.runtime.runs import end_by, end_of
from junctor.runtime.savepoints import Savepoints
from junctor.transports.base import Commit, Insert, Note, Settle


class RunEnds(Savepoints):
    """Tells runs that their requests have ended, and those who wait that a run has."""

    def _ends(self, delivery: Delivery, outcome: Outcome) -> tuple[list[Insert], list[Settle]]:
        """What tells runs that their requests have ended, and the ends of messages that were deferred."""
        if not outcome.answers and ASKER not in delivery.message.headers:
            return [], []
        drafts = [draft for draft in map(end_by, outcome.answers) if draft is not None]
        own = end_of(delivery.message, outcome)
        if own is not None:
            drafts.append(own)
        return [self.end_insert(delivery, draft) for draft in drafts], [self._answer(a) for a in outcome.answers]

    def end_insert(self, hop: Hop, draft: Draft) -> Insert:
        """The record of a message that tells a run how a request of it ended."""
        box = self.inbox_at(draft.target).mailbox
        return self.insert_of(draft, hop.address, hop, box, size_of(draft.payload))

    def _answer(self, answer: Answer) -> Settle:
        ended = Status.DONE if answer.failure is None else Status.FAILED
        now = self._time()
        return Settle(answer.seq, ended, 1, 0, now, 0, answer.reply, answer.failure)

    async def end_run(
        self, write: RunWrite, answers: Sequence[Answer], timers: Sequence[TimerEnd], notes: Sequence[Note]
    ) -> None:
        """End a run outside of its deliveries, with the messages that wait for it, and its timers. Returns when that is
        committed.

        :raises JunctorError: it was refused, as a :class:`~junctor.errors.StateConflict` where it has gone on.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hop = Hop(Kind.ACTION, write.service, CANCEL, write.session, write.seq, write.time)
        drafts = [draft for draft in map(end_by, answers) if draft is not None and draft.target in self.inboxes]

        def done(commit: Commit, error: Exception | None) -> None:
            if (inbox := self.inboxes.get(write.service)) is not None:
                inbox.runs.forget(write.seq)
                inbox.mailbox.taken_back(len(commit.taken))
            for insert in commit.inserts:
                self.hand_over(insert) if error is None else self.withdraw(insert)
            for answer in answers if error is None else ():
                self._answered(answer, write.service)
            if not ended.done():
                ended.set_result(None) if error is None else ended.set_exception(error)

        inserts = [self.end_insert(hop, draft) for draft in drafts]
        settles = [self._answer(answer) for answer in answers]
        commit = Commit(done, inserts=inserts, settles=settles, runs=(write,), timers=timers, notes=notes)
        self.transport.commit(commit)
        await ended

    def _answered(self, answer: Answer, address: str) -> None:
        """Tell who waits in this node for a message that was deferred."""
        waiter = self.waiters.pop(answer.seq, None)
        if waiter is None:
            return
        if answer.failure is None:
            self.requests.resolve(waiter, answer.reply, address)
        else:
            self.requests.refuse(waiter, Status.FAILED, answer.failure, answer.seq, address)
