"""What operators read of the memory transport: the archive over its records."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import msgspec

from junctor.core.fields import body_fits
from junctor.core.run import Run, RunQuery, Turn
from junctor.errors import storable
from junctor.messages import Message, Status
from junctor.messages.codec import to_plain
from junctor.transports.base import (
    AlertRecord,
    Archive,
    AttemptRecord,
    Depth,
    HopLog,
    Note,
    ParkedGroup,
    Query,
    Record,
)
from junctor.transports.runs import HeldRuns

Parts = tuple[dict[int, Message], dict[int, Record], dict[int, Record], dict[int, Record]]


class MemoryArchive(Archive):
    """Reads the dictionaries that the transport writes. A copy is taken for each question, which may come from any
    thread.

    :param parts: messages handed over, records that are open, recently finished, and longer finished.
    """

    def __init__(self, find: Callable[[int], Record | None], parts: Callable[[], Parts]) -> None:
        self._find = find
        self._parts = parts
        self._attempts: dict[int, list[AttemptRecord]] = {}
        self._logs: dict[int, list[HopLog]] = {}
        self.held = HeldRuns()
        self._notes: dict[int, list[Note]] = {}
        self._alerts: deque[AlertRecord] = deque(maxlen=1000)

    def all(self) -> list[Record]:
        """Every record, oldest first."""
        claimed, *others = self._parts()
        records = {seq: Record(message, Status.CLAIMED) for seq, message in claimed.copy().items()}
        for part in others:
            records.update(part.copy())
        return [record for _, record in sorted(records.items())]

    def note_attempt(self, attempt: AttemptRecord) -> None:
        self._attempts.setdefault(attempt.seq, []).append(attempt)

    def note(self, logs: Sequence[HopLog], alerts: Sequence[AlertRecord], notes: Sequence[Note]) -> None:
        for log in logs:
            self._logs.setdefault(log.seq, []).append(log)
        for note in notes:
            self._notes.setdefault(note.seq, []).append(note)
        self._alerts.extend(alerts)

    def forget(self, seq: int) -> None:
        self._attempts.pop(seq, None)
        self._logs.pop(seq, None)
        self._notes.pop(seq, None)
        self.held.forget(seq)

    def record(self, seq: int) -> Record | None:
        return self._find(seq)

    def search(self, query: Query) -> list[Record]:
        found = (record for record in reversed(self.all()) if self._fits(query, record))
        return list(islice(found, query.limit))

    def _fits(self, query: Query, record: Record) -> bool:
        if not _matches(query, record.message.seq, record):
            return False
        return query.error is None or any(
            query.error == attempt.failure.type or query.error in attempt.failure.text
            for attempt in self._attempts.get(record.message.seq, ())
        )

    def session(self, session: int, after: int = 0, limit: int | None = None) -> list[Record]:
        found = (one for one in self.all() if one.message.session == session and one.message.seq > after)
        return list(islice(found, limit))

    def sessions(self, digits: str, limit: int = 4) -> list[int]:
        forms = {record.message.session: record.message.session_id for record in self.all()}
        found = (one for one, text in sorted(forms.items()) if text.startswith(digits) or text.endswith(digits))
        return list(islice(found, limit))

    def addresses(self) -> list[str]:
        messages = [record.message for record in self.all()]
        return sorted(name for name in {name for m in messages for name in (m.source, m.target)} if "/" in name)

    def attempts(self, seqs: Iterable[int]) -> list[AttemptRecord]:
        return [attempt for seq in seqs for attempt in self._attempts.get(seq, ())]

    def logs(self, session: int, limit: int | None = None) -> list[HopLog]:
        lines = [line for lines in list(self._logs.values()) for line in lines if line.session == session]
        return sorted(lines, key=lambda log: (log.line.time, log.seq))[:limit]

    def runs(self, query: RunQuery) -> list[Run]:
        return self.held.search(query)

    def run(self, seq: int) -> Run | None:
        return self.held.find(seq)

    def open_runs(self) -> dict[str, int]:
        return self.held.count_open()

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        return list(self.held.turns(seq, after))

    def notes(self, seqs: Iterable[int]) -> list[Note]:
        return [note for seq in seqs for note in self._notes.get(seq, ())]

    def parked(self) -> list[ParkedGroup]:
        groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        for record in self.all():
            if record.status == Status.PARKED and record.failure is not None:
                failure = record.failure
                groups[(record.message.target, record.message.type, failure.type, failure.fingerprint)].append(record)
        return sorted((_group(records) for records in groups.values()), key=lambda group: -group.count)

    def alerts(self, limit: int = 50) -> list[AlertRecord]:
        return list(self._alerts)[::-1][:limit]

    def depths(self) -> dict[str, Depth]:
        depths: dict[str, Depth] = defaultdict(Depth)
        for record in self.all():
            if record.status < Status.DONE:
                depth = depths[record.message.target]
                depth.count += 1
                depth.bytes += len(record.message.payload) if type(record.message.payload) is bytes else 0
        return dict(depths)


def _group(records: list[Record]) -> ParkedGroup:
    latest = max(records, key=lambda record: record.message.seq)
    failure = latest.failure
    assert failure is not None
    times = [record.started or record.message.time for record in records]
    return ParkedGroup(
        latest.message.target,
        latest.message.type,
        failure.type,
        failure.text,
        failure.fingerprint,
        len(records),
        min(times),
        max(times),
        latest.message.seq,
    )


def _matches(query: Query, seq: int, record: Record) -> bool:
    message = record.message
    return (
        (query.before is None or seq < query.before)
        and (query.service is None or query.service in (message.source, message.target))
        and (query.type is None or message.type == query.type)
        and (query.statuses is None or record.status in query.statuses)
        and (query.session is None or message.session == query.session)
        and (query.since is None or message.time >= query.since)
        and (query.until is None or message.time < query.until)
        and (query.text is None or storable(query.text).encode() in _body(message))
        and (not query.fields or body_fits(_body(message), query.fields))
    )


def _body(message: Message) -> bytes:
    payload = message.payload
    return payload if type(payload) is bytes else msgspec.json.encode(to_plain(payload))
