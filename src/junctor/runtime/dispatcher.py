"""The only place where messages are settled. If settling fails, nothing is acknowledged.

What a delivery did arrives as an :class:`Outcome`; it becomes one commit, and what follows from it (handing new
messages over, resolving requests) happens when the commit is done.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from junctor.clock import SECOND
from junctor.core.hop import Delivery, Hop, again
from junctor.core.outcome import LogLine, Outcome, Reply, Settlement
from junctor.core.recording import recorded, records_hop
from junctor.errors import RecordRefused, SendError, StateConflict
from junctor.messages import Kind, Status
from junctor.observe.alerts import ParkedAlerts
from junctor.observe.logs import FAILURE
from junctor.runtime.ahead import has_fallen
from junctor.runtime.failures import failure_of
from junctor.runtime.intake import size_of
from junctor.runtime.requests import Waiter
from junctor.runtime.run_ends import RunEnds
from junctor.runtime.runs import suspended_by
from junctor.runtime.savepoints import without_origin
from junctor.transports.base import AlertRecord, Commit, HopLog, Insert, Settle

if TYPE_CHECKING:
    from junctor.runtime.host import Host
    from junctor.runtime.slots import Entry

log = logging.getLogger("junctor.dispatcher")

STATUS = {
    Settlement.DONE: Status.DONE,
    Settlement.RETRY: Status.WAITING,
    Settlement.HOLD: Status.WAITING,
    Settlement.PARK: Status.PARKED,
    Settlement.EXPIRE: Status.EXPIRED,
    Settlement.DEFER: Status.BEGUN,
}

_GOES_ON = (Settlement.RETRY, Settlement.HOLD, Settlement.DEFER)

# A global is five times cheaper than a member looked up through its enum.
_REQUEST, _DONE, _STORED_DONE = Kind.REQUEST, Settlement.DONE, Status.DONE


class Dispatcher(RunEnds):
    """Accepts (:class:`Intake`), commits savepoints (:class:`Savepoints`), and settles."""

    def finish(self, delivery: Delivery, value: Any, entry: Entry, host: Host) -> bool:
        """Settle a first delivery that did nothing but return ``value``, where commits are immediate. False, and
        nothing is settled: it did more, or nobody waits for the reply any more, so that the long way has to tell."""
        did_nothing = delivery.drafts is None and delivery.writes is None and delivery.logs is None
        if not did_nothing or delivery.resumed or delivery.work is not None:
            return False
        seq = delivery.seq
        reply: Reply | None = None
        waiter: Waiter | None = None
        if delivery.kind is _REQUEST:
            if seq not in self.waiters:
                return False
            if type(value) is entry.shared_reply:
                reply = Reply(entry.reply_name, value, entry.reply_version)
            else:
                reply = entry.reply_of(value, host)
            waiter = self.waiters.pop(seq)
        delivery.open = False
        started, counters = delivery.started, host.counters
        duration = self._time() - started
        counters.busy += duration
        counters.durations[duration.bit_length()] += 1
        counters.done += 1
        self._finish(seq, started, duration, reply)
        box = host.mailbox
        if box.simple:
            depth = box.depth
            depth.count -= 1
            if depth.bytes:
                depth.bytes -= size_of(delivery.message.payload)
            box.active -= 1
        else:
            box.finished(delivery, size_of(delivery.message.payload))
        if waiter is not None:
            future, _, link = waiter
            if reply is not None and (link is None or link.by_reference) and type(value) is entry.shared_reply:
                if not future.done():
                    future.set_result(value)
            else:
                self.requests.resolve(waiter, reply, host.address)
        return True

    def finish_later(self, delivery: Delivery, value: Any, entry: Entry, host: Host) -> bool:
        """Settle a delivery that did nothing but return and owes no reply: what ``settle`` does, without its detours.
        Nothing follows of its commit. False, and nothing is settled: it did more."""
        did_nothing = delivery.drafts is None and delivery.writes is None and delivery.logs is None
        if not did_nothing or delivery.kind is _REQUEST or delivery.work is not None:
            return False
        delivery.open = False
        started, counters = delivery.started, host.counters
        duration = self._time() - started
        counters.busy += duration
        counters.durations[duration.bit_length()] += 1
        counters.done += 1
        commit = Commit(
            self._finished,
            settles=(Settle(delivery.seq, _STORED_DONE, delivery.attempt, 0, started, duration),),
            source=delivery.address,
            durability=host.spec.policies.durability,
            tag=(delivery, host),
            needs=delivery.needs,
        )
        host.mailbox.finished(delivery, size_of(delivery.message.payload))
        self.transport.commit(commit)
        return True

    def _finished(self, commit: Commit, error: Exception | None) -> None:
        commit.needs = None
        if error is not None:
            delivery, host = commit.tag
            settle = commit.settles[0]
            commit.tag = delivery, Outcome(_DONE, started=settle.started, duration=settle.duration), host
            self._not_settled(commit, error)

    def settle(self, delivery: Delivery, outcome: Outcome, host: Host) -> None:
        """Commit what a delivery did, whole; then its message is done, tried again, parked or expired."""
        delivery.open = False
        settlement = outcome.settlement
        seq = delivery.seq
        delay = outcome.delay
        inserts: Iterable[Insert] = ()
        if outcome.drafts:
            try:
                inserts = self._inserts_in(delivery, outcome.drafts, without_origin)
            except SendError as error:
                self.settle(delivery, host.outcome_of(error, delivery), host)
                return
        late = settlement is _DONE and seq not in self.waiters and 0 < delivery.message.deadline < self._time()
        policies = host.spec.policies
        # Kept is what the service records; who waits for the reply gets all of it.
        kept = outcome if policies.trace == "all" else recorded(policies.trace, outcome, delivery, late)
        settle = Settle(
            seq,
            STATUS[settlement],
            # One that the node died of keeps its charge: a handler that holds and then kills would go on for ever.
            delivery.attempt if settlement is not Settlement.HOLD or delivery.charged else delivery.attempt - 1,
            self._time() + int(delay * SECOND) if delay else 0,
            outcome.started,
            outcome.duration,
            kept.reply,
            kept.failure,
            late,
        )
        ends, answered = self._ends(delivery, outcome)
        commit = Commit(
            self._settled,
            inserts=(*inserts, *ends) if ends else inserts,  # type: ignore[arg-type]
            settles=(settle, *answered) if answered else (settle,),
            writes=outcome.writes,
            runs=outcome.runs,
            timers=outcome.timers,
            logs=_hop_logs(delivery, kept.logs) if kept.logs else (),
            alerts=self._alerts(delivery, outcome, host) if outcome.failure is not None else (),
            source=delivery.address,
            durability=policies.durability,
            tag=(delivery, outcome, host),
            needs=delivery.needs,
        )
        host.keep_writes(outcome.writes, commit)
        self._move_on(delivery, settlement, delay, host)
        if commit.inserts:
            self.ahead.hand_over(commit)
        self.transport.commit(commit)

    def _move_on(self, delivery: Delivery, settlement: Settlement, delay: float, host: Host) -> None:
        """Let the queue go on. The next delivery need not wait for the disk: its commit comes after this one's."""
        box, counters = host.mailbox, host.counters
        if settlement is _DONE or settlement is Settlement.DEFER:
            counters.done += 1
        elif settlement is Settlement.RETRY:
            counters.retried += 1
            box.retry(again(delivery, settlement), delay)
            return
        elif settlement is Settlement.HOLD:
            counters.held += 1
            host.hold(again(delivery, settlement), delay)
            return
        elif settlement is Settlement.PARK:
            counters.parked += 1
        else:
            counters.expired += 1
        box.finished(delivery, size_of(delivery.message.payload))

    def _settled(self, commit: Commit, error: Exception | None) -> None:
        delivery, outcome, host = commit.tag
        commit.needs = None  # else a run would hold all commits that it ever made
        if commit.writes or commit.runs:
            host.drop_writes(commit, error is not None)
        if error is not None:
            self._not_settled(commit, error)
            return
        for answer in outcome.answers:
            self._answered(answer, delivery.address)
        if commit.taken:
            host.mailbox.taken_back(len(commit.taken))
        duplicates = commit.duplicates or ()
        for insert in commit.inserts:
            if insert.message.seq in duplicates:
                self.withdraw(insert)
            else:
                self.hand_over(insert)
        if outcome.settlement is Settlement.RETRY and host.mailbox.comes_back:
            self.due_changed(commit.settles[0].due or self._time())
        if delivery.kind is _REQUEST and outcome.settlement not in _GOES_ON:
            waiter = self.waiters.pop(delivery.seq, None)
            if waiter is not None:
                if outcome.settlement is _DONE:
                    self.requests.resolve(waiter, outcome.reply, delivery.address)
                else:
                    self.requests.refuse(
                        waiter, STATUS[outcome.settlement], outcome.failure, delivery.seq, delivery.address
                    )

    def _not_settled(self, commit: Commit, error: Exception) -> None:
        """Nothing is acknowledged. A state conflict repeats the delivery, a result that has no form in the store parks
        it; any other error ends the node by itself."""
        delivery, outcome, host = commit.tag
        for insert in commit.inserts:
            self.withdraw(insert)
        if has_fallen(delivery):
            log.info("%s: message %s was not accepted", host.address, delivery.message.id, extra={"hop": delivery})
        elif isinstance(error, StateConflict):
            log.info("%s: %s", host.address, error, extra={"hop": delivery})
            host.redeliver(delivery)
        elif isinstance(error, RecordRefused) and outcome.settlement in (_DONE, Settlement.DEFER):
            host.counters.done -= 1
            self._park_unstorable(delivery, error, host)
        else:
            log.critical("%s: the result of message %s is not stored: %s", host.address, delivery.message.id, error)

    def _park_unstorable(self, delivery: Delivery, error: Exception, host: Host) -> None:
        """No further attempt would help. Its place in the queue was given up already."""
        failure = failure_of(error)
        runs = suspended_by(host, delivery, failure)
        outcome = Outcome(Settlement.PARK, failure=failure, started=delivery.started, runs=runs)
        host.counters.parked += 1
        log.warning("%s.%s: %s", host.address, delivery.name, error, extra={"hop": delivery, "event": FAILURE})
        settle = Settle(delivery.seq, Status.PARKED, delivery.attempt, 0, outcome.started, 0, failure=outcome.failure)
        alerts = self._alerts(delivery, outcome, host)
        ends, _ = self._ends(delivery, outcome)
        tag = (delivery, outcome, host)
        self.transport.commit(Commit(self._settled, inserts=ends, settles=(settle,), runs=runs, alerts=alerts, tag=tag))

    def put_back(self, delivery: Delivery) -> None:
        """A delivery is cancelled because the node stops. Without savepoints it simply returns to the queue; with some,
        it is kept as a waiting one, so that its next delivery knows of them."""
        if delivery.saved or delivery.resumed:
            settle = Settle(delivery.seq, Status.WAITING, delivery.attempt - 1, self._time())
            self.transport.commit(Commit(lambda commit, error: None, settles=(settle,)))

    def settle_hop(
        self, hop: Hop, outcome: Outcome, host: Host, done: asyncio.Future[Exception | None] | None = None
    ) -> None:
        """Commit what a first hop did (tick, route, action, start). One that did nothing leaves no record, and neither
        does one that its service does not record.

        :param done: gets None when it is committed, or the error, which is then for who waits to tell.
        """
        hop.open = False
        failed = outcome.failure is not None
        shown = hop.recorded or records_hop(host.spec.policies.trace, failed)
        effects = outcome.drafts or outcome.writes
        told = outcome.logs or failed or hop.kind is Kind.ACTION
        if not effects and not hop.recorded and not (shown and told):
            return
        status = Status.FAILED if failed else Status.DONE
        inserts: list[Insert] = []
        settles: list[Settle] = []
        if shown and not hop.recorded:
            inserts.append(self.hop_record(hop, status, outcome.duration))
        if shown and (failed or not inserts):
            settles.append(Settle(hop.seq, status, 1, 0, outcome.started, outcome.duration, failure=outcome.failure))
        try:
            inserts += self._inserts_in(hop, outcome.drafts, without_origin)
        except SendError as error:
            if done is not None:
                done.set_result(error)
                return
            log.error("%s.%s: %s", hop.address, hop.name, error, extra={"hop": hop})
            host.counters.failed += 1
            return
        commit = Commit(
            self._settled_hop,
            inserts=inserts,
            settles=settles,
            writes=outcome.writes,
            logs=_hop_logs(hop, outcome.logs) if shown else (),
            source=hop.address,
            durability="fsync" if outcome.drafts or outcome.writes else "written",
            tag=(hop, host, done),
        )
        host.keep_writes(outcome.writes, commit)
        self.transport.commit(commit)

    def _settled_hop(self, commit: Commit, error: Exception | None) -> None:
        hop, host, done = commit.tag
        if commit.writes:
            host.drop_writes(commit, error is not None)
        for insert in commit.inserts:
            if insert.status >= Status.DONE:
                continue
            if error is not None or insert.message.seq in (commit.duplicates or ()):
                self.withdraw(insert)
            else:
                self.hand_over(insert)
        if done is not None and not done.done():
            done.set_result(error)
        elif error is not None and not isinstance(error, StateConflict):
            log.error("%s.%s: what it did is not stored: %s", host.address, hop.name, error)

    def _alerts(self, delivery: Delivery, outcome: Outcome, host: Host) -> tuple[AlertRecord, ...]:
        failure = outcome.failure
        if failure is None or outcome.settlement is not Settlement.PARK or outcome.runs:
            return ()  # that it suspends a run is told already
        text = (
            f"message {delivery.message.id} is parked after {times(delivery.attempt)}: {failure.type}: {failure.text}"
        )
        alert = self._parked_alerts.of(
            self._time(), host.address, failure.type, failure.fingerprint, text, delivery.seq
        )
        return () if alert is None else (alert,)

    @functools.cached_property
    def _parked_alerts(self) -> ParkedAlerts:
        return ParkedAlerts(self.clock.monotonic)


def times(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _hop_logs(hop: Hop, lines: Iterable[LogLine]) -> list[HopLog]:
    return [HopLog(hop.session, hop.seq, hop.address, line) for line in lines]
