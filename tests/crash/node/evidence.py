"""What a store holds after the node was killed, stopped and drained, held against what the producers lived through."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from junctor.core.records import AttemptRecord, Query, Record
from junctor.messages import Kind, Status
from junctor.store.reader import open_archive
from tests.crash.history import Faults, Seen, check, read_history
from tests.crash.node.drivers.flow import SEEN

Marks = Mapping[str, Mapping[str, list[int]]]
"""By service, then by name: which numbers the service gave it. One number: it happened once."""


DONE_BY_HAND = ("applied", "paused", "resumed", "restarted")
"""Kinds of alerts that tell what somebody did to the node."""


@dataclass
class Verdict:
    """``faults`` are those of the checker; ``wrong`` says everything else that does not agree, in words."""

    faults: Faults
    wrong: list[str] = field(default_factory=list)
    acked: int = 0
    messages: int = 0
    parked: dict[str, str] = field(default_factory=dict)
    spent: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether all is well."""
        return not self.faults and not self.wrong

    def __str__(self) -> str:
        return "\n".join([str(self.faults), *self.wrong[:20]])


@dataclass
class Remains:
    """A closed store, read."""

    records: dict[str, list[Record]]
    marks: Marks
    outside: dict[str, set[str]]
    attempts: list[AttemptRecord]
    queued: dict[str, int]
    alerts: list[str]
    integrity: str
    overtaken: set[int] = field(default_factory=set)

    def passed(self, skipping: Collection[str]) -> None:
        """Whoever failed in one of these services may have been overtaken."""
        failed = {attempt.seq for attempt in self.attempts}
        seqs = {record.message.seq for service in skipping for record in self.records[service]}
        self.overtaken |= failed & seqs

    def line(self, record: Record) -> str | None:
        """What it has to stay in order with: its key, and nothing where it may have been overtaken."""
        seq = record.message.seq
        return f"alone-{seq}" if seq in self.overtaken else record.message.key

    @classmethod
    def of(cls, folder: Path) -> Remains:
        store = folder / "store"
        archive = open_archive(store)
        try:
            found = archive.search(Query(limit=10_000_000))
            records: dict[str, list[Record]] = defaultdict(list)
            for record in reversed(found):
                assert not record.damaged, f"{record.message.id} is damaged"
                records[record.message.target.rpartition("/")[2]].append(record)
            failed = [record.message.seq for record in found if record.attempt or record.failure]
            attempts = archive.attempts(failed)
            queued = {target: depth.count for target, depth in archive.depths().items() if depth.count}
            alerts = [f"{alert.kind}: {alert.text}" for alert in archive.alerts(1000) if alert.kind != "parked"]
        finally:
            archive.close()
        marks, outside = _marks(store), _outside(folder / "outside")
        return cls(records, marks, outside, attempts, queued, alerts, _integrity(store))


def _marks(store: Path) -> Marks:
    db = apsw.Connection(str(store / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        sql = "SELECT w.text, s.key, s.value FROM state AS s JOIN word AS w ON w.id = s.service WHERE s.name = ?"
        marks: dict[str, dict[str, list[int]]] = defaultdict(dict)
        for service, key, value in db.execute(sql, (SEEN,)):
            marks[service.rpartition("/")[2]][key] = json.loads(value)
        return marks
    finally:
        db.close()


def _outside(file: Path) -> dict[str, set[str]]:
    """By name: under which message ids it was written. A line without its end was cut by the kill."""
    written: dict[str, set[str]] = defaultdict(set)
    for line in file.read_text().splitlines(keepends=True) if file.exists() else ():
        if line.endswith("\n"):
            name, message = line.split()
            written[name].add(message)
    return written


def _integrity(store: Path) -> str:
    db = apsw.Connection(str(store / "junctor.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return str(db.execute("PRAGMA integrity_check").fetchall()[0][0])
    finally:
        db.close()


def judge(folder: Path, replies: Mapping[str, int] = {}, skipping: Collection[str] = ()) -> Verdict:
    """Everything was worked off and the node is down: does the store keep what the producers were told?

    :param skipping: services that let others pass what failed; a message that did is in no order then.
    """
    remains = Remains.of(folder)
    remains.passed(skipping)
    events = read_history(folder / "history")
    orders = {_body(record)["id"]: record for record in remains.records["intake"]}
    marks = remains.marks
    seen = [
        Seen(id, remains.line(record) or "", tuple(marks["intake"].get(id, ())), record.status == Status.DONE)
        for record in remains.records["intake"]
        for id in [_body(record)["id"]]
    ]
    seen += [Seen(id, "", tuple(numbers), True) for id, numbers in marks["intake"].items() if id not in orders]
    faults = check(events, seen)
    verdict = Verdict(faults, acked=sum(event.op == "ok" for event in events))
    verdict.messages = sum(map(len, remains.records.values()))
    faults.unfinished = sorted(id for id, record in orders.items() if record.status < Status.DONE)
    _judge_effects(remains, orders, faults)
    _judge_order(remains, faults)
    _judge_conditions(remains, orders, faults)
    verdict.parked = _parked(remains)
    verdict.spent = _spent(remains)
    verdict.wrong = [*_surroundings(remains), *_replies(remains, orders, replies)]
    return verdict


def _name(record: Record) -> str:
    """What the service marks it with."""
    body = _body(record)
    return body.get("name") or f"{body['id']}/copy"


def _body(record: Record) -> dict[str, str]:
    body: dict[str, str] = json.loads(record.message.payload)
    return body


# Effects -----------------------------------------------------------------------------------------------------


def _judge_effects(remains: Remains, orders: Mapping[str, Record], faults: Faults) -> None:
    """Each order left the marks it has to, once each, in the store and outside; and nothing else left any."""
    marks = remains.marks
    faults.double += sorted(
        f"{service}:{name}" for service, found in marks.items() for name, numbers in found.items() if len(numbers) != 1
    )
    wanted = {mark for id, record in orders.items() for mark in _marks_of(id, record, remains)}
    beats = sum(name.startswith("beat-") for name in marks["sink"])
    wanted |= {f"sink:beat-{number + 1}" for number in range(beats)}
    for record in remains.records["watch"]:  # what it gets depends on when it was there
        mark = f"watch:{_name(record)}"
        if mark in wanted:
            faults.double.append(mark)
        wanted.add(mark)
        if record.status != Status.DONE:
            faults.unfinished.append(mark)
    found = {f"{service}:{name}" for service in ("audit", "pricing", "sink", "watch") for name in marks[service]}
    faults.torn += sorted(wanted - found)
    faults.phantom += sorted(found - wanted)
    outside = remains.outside
    faults.lost += sorted(f"outside:{name}" for name in marks["sink"] if name not in outside)
    faults.phantom += sorted(f"outside:{name}" for name in outside if name not in marks["sink"])
    faults.double += sorted(f"outside:{name}" for name, ids in outside.items() if len(ids) != 1)


def _marks_of(id: str, order: Record, remains: Remains) -> list[str]:
    """What must be there of an order, by how it ended; its mode says what was to happen behind."""
    mode = _body(order)["mode"]
    if order.status != Status.DONE and mode != "ask-kill":
        return []
    found = [f"pricing:{id}", f"sink:{id}/quote"]
    if mode not in ("hold-kill", "audit-kill", "odd", "unheard"):
        found += [f"audit:{id}", f"sink:{id}/audit"]
    if order.status == Status.DONE:
        found.append(f"sink:{id}/price-{len(id)}")
    return found


def _judge_order(remains: Remains, faults: Faults) -> None:
    """In each line, what was accepted first happened first."""
    names = {"intake": "id", "audit": "id", "pricing": "id", "sink": "name", "watch": "name"}
    for service, field_name in names.items():
        latest: dict[str | None, int] = {}
        for record in sorted(remains.records[service], key=lambda record: record.message.seq):
            name = _name(record) if service == "watch" else _body(record)[field_name]
            numbers = remains.marks[service].get(name)
            if record.status != Status.DONE or not numbers:
                continue
            line = remains.line(record)
            if numbers[0] <= latest.get(line, 0):
                faults.reordered.append(f"{service}:{name}")
            latest[line] = max(numbers[0], latest.get(line, 0))


def _judge_conditions(remains: Remains, orders: Mapping[str, Record], faults: Faults) -> None:
    """What no condition can judge waits for the operator, where it would have gone; nothing else does."""
    odd = {id for id, record in orders.items() if record.status == Status.DONE and _body(record)["mode"] == "odd"}
    parked = [
        _body(record)["id"]
        for record in remains.records["audit"]
        if record.status == Status.PARKED and record.failure is not None and record.failure.type == "ConditionFailed"
    ]
    faults.misjudged += sorted(odd ^ set(parked))
    faults.double += sorted(f"parked:{id}" for id in set(parked) if parked.count(id) > 1)


# The rest ----------------------------------------------------------------------------------------------------


def _parked(remains: Remains) -> dict[str, str]:
    """``service:id`` of each parked message, with the mode of its order."""
    return {
        f"{service}:{_body(record).get('id') or _body(record)['name']}": _body(record).get("mode", "")
        for service, records in remains.records.items()
        for record in records
        if record.status == Status.PARKED
    }


def _surroundings(remains: Remains) -> list[str]:
    wrong = [f"{count} messages are still queued for {target}" for target, count in remains.queued.items()]
    if remains.integrity != "ok":
        wrong.append(f"the database is damaged: {remains.integrity}")
    # A process that dies between the two writes of a page in its log leaves what a power cut could have left too.
    known = (
        "held: ",
        "flowing: ",
        "store: the end of the log was not complete",
        "unclean-stop: ",
        *(f"{what}: " for what in DONE_BY_HAND),
    )
    return wrong + [f"alert {text}" for text in remains.alerts if not text.startswith(known)]


def _replies(remains: Remains, orders: Mapping[str, Record], told: Mapping[str, int]) -> list[str]:
    """Each finished request has its reply on record, and it is the one that the client was told."""
    wrong = [
        f"the request {record.message.id} to {service} is done and has no reply"
        for service, records in remains.records.items()
        for record in records
        if record.message.kind == Kind.REQUEST and record.status == Status.DONE and record.reply is None
    ]
    for id, number in told.items():
        record = orders.get(id)
        kept = json.loads(record.reply.payload) if record is not None and record.reply is not None else None
        if kept != {"id": id, "number": number}:
            wrong.append(f"{id} was told {number}, on record is {kept}")
    return wrong


def _spent(remains: Remains) -> list[str]:
    """Messages that took more than one attempt although their handler did not fail."""
    failed = {attempt.seq for attempt in remains.attempts}
    return [
        f"{service}:{record.message.id} ({record.attempt} attempts)"
        for service, records in remains.records.items()
        for record in records
        if record.attempt > 1 and record.message.seq not in failed
    ]


def parked_by_themselves(verdict: Verdict) -> list[str]:
    """What is parked and was not asked to be."""
    asked = {"intake": ("park", "kill", "fail-kill", "ask-kill"), "audit": ("hold-kill", "audit-kill", "odd")}
    return [name for name, mode in verdict.parked.items() if mode not in asked.get(re.split(":", name)[0], ())]
