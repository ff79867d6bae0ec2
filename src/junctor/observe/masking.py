"""The archive as operators read it: sensitive values masked in bodies, replies, and in texts that quote them.

One decorator for everything that is shown. Only what delivers and what sends again reads past it. A body is masked by
the paths of its type, so by what is known now: a field that was marked later is masked in old messages too. Texts about
a record (errors, attempts, log lines, notes, alerts) lose the values of its own body and reply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from junctor.core.outcome import Failure, LogLine, Reply
from junctor.core.records import (
    AlertRecord,
    Archive,
    AttemptRecord,
    Depth,
    FieldTerm,
    HopLog,
    Note,
    ParkedGroup,
    Query,
    Record,
)
from junctor.core.run import Run, RunQuery, Turn
from junctor.errors import SensitiveField
from junctor.messages import ANSWERS
from junctor.messages.sensitive import MASK, Path, masked, touches
from junctor.observe.hidden import forms_of, plain, without
from junctor.observe.histories import hidden_in, hides, masked_run, masked_turns

Known = Callable[[], Mapping[str, tuple[Path, ...]]]
"""The sensitive paths of each type by its name, as far as they are known now."""

Clean = Callable[[str], str]

_LONGEST = 5_000  # records of a session whose values are looked for in its log lines


class MaskedArchive(Archive):
    """Answers as the archive below it, without sensitive values; passes on what it is asked while no type has any."""

    def __init__(self, archive: Archive, known: Known) -> None:
        self._archive = archive
        self._known = known

    # Records ------------------------------------------------------------------------------------------------

    def record(self, seq: int) -> Record | None:
        found = self._archive.record(seq)
        return None if found is None else self._masked(found)

    # Runs ---------------------------------------------------------------------------------------------------

    def runs(self, query: RunQuery) -> list[Run]:
        return [self._masked_run(run) for run in self._archive.runs(query)]

    def run(self, seq: int) -> Run | None:
        found = self._archive.run(seq)
        return None if found is None else self._masked_run(found)

    def open_runs(self) -> dict[str, int]:
        return self._archive.open_runs()

    def turns(self, seq: int, after: int = 0) -> list[Turn]:
        found = self._archive.turns(seq, after)
        known = self._known()
        return masked_turns(found, known, self._hidden(seq)) if known or hides(found) else found

    def _masked_run(self, run: Run) -> Run:
        hidden = self._hidden(run.seq) if self._known() else []
        if run.error:  # it may quote what came later
            hidden += hidden_in(self._archive.turns(run.seq), self._known())
        return masked_run(run, hidden)

    def _hidden(self, seq: int) -> list[Any]:
        """The sensitive values of the message that began a run."""
        record = self._archive.record(seq)
        return list(_hidden_in(record, self._known())) if record is not None else []

    # Sessions -----------------------------------------------------------------------------------------------

    def session(self, session: int, after: int = 0, limit: int | None = None) -> list[Record]:
        return [self._masked(record) for record in self._archive.session(session, after, limit)]

    def sessions(self, digits: str, limit: int = 4) -> list[int]:
        return self._archive.sessions(digits, limit)

    def addresses(self) -> list[str]:
        return self._archive.addresses()

    def search(self, query: Query) -> list[Record]:
        """As below. Texts are looked for in what is shown: a search must not tell by its hits what is masked.

        :raises SensitiveField: it asks for a field whose value is masked.
        """
        known = self._known()
        if not known or (query.text is None and query.error is None and not query.fields):
            return [self._masked(record) for record in self._archive.search(query)]
        for term in query.fields:
            refuse_sensitive(term, known, query.type)
        found: list[Record] = []
        while True:
            page = self._archive.search(query)
            found += [shown for record in page if self._is_found(shown := self._masked(record), query)]
            if len(page) < query.limit or len(found) >= query.limit:
                return found[: query.limit]
            query = msgspec.structs.replace(query, before=page[-1].message.seq)

    def _is_found(self, shown: Record, query: Query) -> bool:
        if shown.masked and query.text is not None and query.text.encode() not in shown.message.payload:
            return False
        if query.error is None or not (shown.masked or shown.reply_masked):
            return True
        return any(
            attempt.failure.type == query.error or query.error in attempt.failure.text
            for attempt in self.attempts([shown.message.seq])
        )

    def _masked(self, record: Record) -> Record:
        known = self._known()
        message, reply = record.message, record.reply
        paths = known.get(message.type, ())
        reply_paths = known.get(reply.type, ()) if reply is not None else ()
        if not paths and not reply_paths:
            if record.failure is not None:
                failure = _clean_failure(record.failure, _cleaner(self._came_to_run(record)))
                return msgspec.structs.replace(record, failure=failure)
            return record
        hidden = list(_hidden_in(record, known))
        clean = _cleaner(hidden)
        payload, places = _masked_payload(message.payload, paths)
        key = message.key
        if key is not None:  # it may be such a field, and a short one
            key = MASK if key in map(str, hidden) else clean(key)
        shown = msgspec.structs.replace(
            record, message=msgspec.structs.replace(message, payload=payload, key=key), masked=places
        )
        if reply is not None:
            body, shown.reply_masked = _masked_payload(reply.payload, reply_paths)
            shown.reply = Reply(reply.type, body, reply.version)
        if record.failure is not None:
            shown.failure = _clean_failure(record.failure, _cleaner([*hidden, *self._came_to_run(record)]))
        return shown

    # What is said about records -----------------------------------------------------------------------------

    def attempts(self, seqs: Iterable[int]) -> list[AttemptRecord]:
        found = self._archive.attempts(seqs)
        if not self._known():
            return found
        clean = {seq: self._about(seq) for seq in {each.seq for each in found}}
        return [msgspec.structs.replace(each, failure=_clean_failure(each.failure, clean[each.seq])) for each in found]

    def logs(self, session: int, limit: int | None = None) -> list[HopLog]:
        found = self._archive.logs(session, limit)
        known = self._known()
        if not known or not found:
            return found
        # Of the whole session: a route quotes what it sends, and only the message below it has the value.
        records = self._archive.session(session, limit=_LONGEST)
        clean = _cleaner(value for record in records for value in _hidden_in(record, known))
        return [_clean_log(log, clean) for log in found]

    def parked(self) -> list[ParkedGroup]:
        found = self._archive.parked()
        if not self._known():
            return found
        return [msgspec.structs.replace(each, text=self._about(each.latest_seq)(each.text)) for each in found]

    def notes(self, seqs: Iterable[int]) -> list[Note]:
        found = self._archive.notes(seqs)
        if not self._known():
            return found
        return [msgspec.structs.replace(each, text=self._about(each.seq)(each.text)) for each in found]

    def alerts(self, limit: int = 50) -> list[AlertRecord]:
        found = self._archive.alerts(limit)
        if not self._known():
            return found
        return [msgspec.structs.replace(each, text=self._about(each.seq)(each.text)) for each in found]

    def depths(self) -> dict[str, Depth]:
        return self._archive.depths()

    def _about(self, seq: int) -> Clean:
        """What takes the values of a record out of a text."""
        record = self._archive.record(seq) if seq else None
        if record is None:
            return str
        return _cleaner([*_hidden_in(record, self._known()), *self._came_to_run(record)])

    def _came_to_run(self, record: Record) -> list[Any]:
        """The sensitive values that the run of a record was given: what its code raises may quote all of them."""
        message = record.message
        run = int(message.key or 0) if ANSWERS in message.headers else message.seq
        return hidden_in(self._archive.turns(run), self._known())


def refuse_sensitive(term: FieldTerm, known: Mapping[str, tuple[Path, ...]], type: str | None) -> None:
    """:raises SensitiveField: the field is masked in a type that the search may find."""
    for name in known if type is None else {type} & known.keys():
        if any(touches(term.path, path) for path in known[name]):
            field = ".".join(map(str, term.path))
            fix = "Search by time, service, session or another field."
            if type is None:
                fix = f"{fix} If another type has a field of this name, add --type."
            raise SensitiveField(f'"{field}" is a sensitive field of {name}: it is not searched', fix=fix)


def _masked_payload(payload: Any, paths: tuple[Path, ...]) -> tuple[Any, tuple[str, ...]]:
    if not paths:
        return payload, ()
    value = plain(payload)
    if value is None and payload not in (None, b"null"):
        return msgspec.json.encode(MASK), ("body",)  # damaged: nobody knows where the value is
    made = masked(value, paths)
    return msgspec.json.encode(made.value), made.places


def _hidden_in(record: Record, known: Mapping[str, tuple[Path, ...]]) -> Iterator[Any]:
    bodies = [(record.message.type, record.message.payload)]
    if record.reply is not None:
        bodies.append((record.reply.type, record.reply.payload))
    for name, payload in bodies:
        if paths := known.get(name):
            yield from masked(plain(payload), paths).hidden


def _cleaner(values: Iterable[Any]) -> Clean:
    written = forms_of(values)
    return lambda text: without(text, written)


def _clean_failure(failure: Failure, clean: Clean) -> Failure:
    return msgspec.structs.replace(failure, text=clean(failure.text), traceback=clean(failure.traceback))


def _clean_log(log: HopLog, clean: Clean) -> HopLog:
    line = log.line
    return msgspec.structs.replace(log, line=LogLine(line.time, line.level, line.logger, clean(line.text)))
