"""Requests of runs that were parked while the store was opened, as what became of them is damaged: their runs are told.

Nobody settled them, so nothing was sent to the run that waits. A run that knows an end already ignores a second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from junctor.core.hop import Hop
from junctor.core.outcome import Outcome, Settlement
from junctor.core.run import asker_of
from junctor.messages import ASKER, Kind, Status
from junctor.runtime.runs import end_of
from junctor.store.mend import PLACE
from junctor.transports.base import Archive, Commit, Insert, Query, Record

if TYPE_CHECKING:
    from junctor.runtime.engine import Engine

_PAGE = 1000


def tell_runs(engine: Engine) -> None:
    """Send their runs the ends of such requests, each once: at an unclean start too, where the one before may have come
    no further than the parking."""
    opened = engine.opened
    assert opened is not None
    if opened.clean and not opened.warnings:
        return
    for record in _parked_at_opening(engine.transport.archive):
        asker = asker_of(record.message.headers[ASKER])
        run = engine.transport.run(asker.run)
        if run is not None and run.is_open:
            _tell(engine, record)


def _parked_at_opening(archive: Archive) -> Iterator[Record]:
    services = {group.service for group in archive.parked() if group.fingerprint == PLACE}
    for service in sorted(services):
        query = Query(service=service, statuses=(Status.PARKED,), error="StoreDamaged", limit=_PAGE)
        while page := archive.search(query):
            for record in page:
                failure = record.failure
                if failure is not None and failure.fingerprint == PLACE and ASKER in record.message.headers:
                    yield record
            query = msgspec.structs.replace(query, before=page[-1].message.seq)


def _tell(engine: Engine, record: Record) -> None:
    message, dispatcher = record.message, engine.dispatcher
    draft = end_of(message, Outcome(Settlement.PARK, failure=record.failure))
    assert draft is not None
    draft = msgspec.structs.replace(draft, idempotency_key=f"junctor-damaged/{message.seq}")
    hop = Hop(Kind.ACTION, message.target, "", message.session, message.seq, engine.clock.time_ns())

    def done(commit: Commit, error: Exception | None) -> None:
        for insert in commit.inserts:
            known = insert.message.seq in (commit.duplicates or ())
            dispatcher.withdraw(insert) if error is not None or known else dispatcher.hand_over(insert)

    insert: Insert = dispatcher.end_insert(hop, draft)
    engine.transport.commit(Commit(done, inserts=[insert]))
