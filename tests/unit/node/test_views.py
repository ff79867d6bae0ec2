"""What operators see: traces by cause and effect, bodies as they can be shown, sessions by a few digits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import pytest

from junctor.core.outcome import Failure, LogLine, Reply
from junctor.core.run import Run, RunQuery, Turn
from junctor.messages import Kind, Message, Status, session_called
from junctor.node.capture.hops import captured_hops
from junctor.node.views import answers
from junctor.node.views.alerts import latest_alerts
from junctor.node.views.messages import BODY_LIMIT, Reason, listed
from junctor.node.views.parked import groups_of
from junctor.node.views.search import Asked, Filter, NothingFound, UnknownFilter, asked_for, find_session, query_of
from junctor.node.views.selection import Selection, chosen
from junctor.node.views.trace import TRACE_LIMIT, ReplyView, Trace, trace_of
from junctor.transports.base import AlertRecord, Archive, AttemptRecord, Depth, HopLog, Note, ParkedGroup, Query, Record

START = 1_900_000_000_000_000_000
SESSION = 0xABCDEF << 104 | 1


class Shelf(Archive):
    """An archive over a list of records."""

    def __init__(self, *records: Record) -> None:
        self.records = list(records)
        self.failed: list[AttemptRecord] = []
        self.lines: list[HopLog] = []

    def record(self, seq: int) -> Record | None:
        return next((record for record in self.records if record.message.seq == seq), None)

    def search(self, query: Query) -> list[Record]:
        below = query.before or 1 << 62
        newest = sorted(self.records, key=lambda record: -record.message.seq)
        return [record for record in newest if record.message.seq < below and _fits(record, query)][: query.limit]

    def sessions(self, digits: str, limit: int = 4) -> list[int]:
        texts = {f"{record.message.session:032x}" for record in self.records}
        return sorted(int(text, 16) for text in texts if text.startswith(digits) or text.endswith(digits))[:limit]

    def addresses(self) -> list[str]:
        return sorted({name for one in self.records for name in (one.message.source, one.message.target)})

    def session(self, session: int, after: int = 0, limit: int | None = None) -> list[Record]:
        found = [one for one in self.records if one.message.session == session and one.message.seq > after]
        return found[:limit]

    def attempts(self, seqs: Iterable[int]) -> list[AttemptRecord]:
        wanted = set(seqs)
        return [attempt for attempt in self.failed if attempt.seq in wanted]

    def logs(self, session: int, limit: int | None = None) -> list[HopLog]:
        return [line for line in self.lines if line.session == session][:limit]

    def parked(self) -> list[ParkedGroup]:
        return [ParkedGroup("f/a", "T", "E", "text", "print", 2, START, START + 1, 7)]

    def runs(self, query: RunQuery) -> list[Run]:
        return []

    def run(self, seq: int) -> Run | None:
        return None

    def open_runs(self) -> dict[str, int]:
        return {}

    def turns(self, seq: int) -> list[Turn]:
        return []

    def notes(self, seqs: Iterable[int]) -> list[Note]:
        return []

    def alerts(self, limit: int = 50) -> list[AlertRecord]:
        return [AlertRecord(START, "parked", "f/a", "text", "junctor parked")][:limit]

    def depths(self) -> dict[str, Depth]:
        return {"f/deep": Depth(1, 1)}


def _fits(record: Record, query: Query) -> bool:
    known = (query.type in (None, record.message.type), query.service in (None, record.message.target))
    return all(known) and (query.statuses is None or record.status in query.statuses)


def record(seq: int, cause: int = 0, status: Status = Status.DONE, session: int = SESSION, **message: object) -> Record:
    fields = {"type": "T", "payload": b'{"n":1}', "time": START + seq * 1_000_000, "cause": cause} | message
    target = fields.pop("target", "f/b")
    made = Message(seq, "abc", session, Kind.SEND, "f/a", target, **fields)  # type: ignore[arg-type]
    return Record(made, status, attempt=1, started=made.time, duration=500_000)


def shape(trace: Trace | None) -> list[tuple[int, int]]:
    assert trace is not None
    return [(hop.message.seq, hop.depth) for hop in trace.hops]


def test_each_hop_stands_below_its_cause() -> None:
    shelf = Shelf(record(1), record(2, 1), record(3, 1), record(4, 2), record(5))
    assert shape(trace_of(shelf, SESSION)) == [(1, 0), (2, 1), (4, 2), (3, 1), (5, 0)]


@pytest.mark.parametrize("causes", [{1: 99, 2: 1}, {1: 2, 2: 1}, {1: 1, 2: 1}])
def test_a_cause_that_cannot_be_is_none(causes: dict[int, int]) -> None:
    shelf = Shelf(*(record(seq, cause) for seq, cause in causes.items()))
    assert shape(trace_of(shelf, SESSION)) == [(1, 0), (2, 1)]


def test_a_message_is_shown_with_its_causes_and_its_effects() -> None:
    #  1 - 2 - 4 - 6      asked for 2: not 3, a sibling, with its effect 5, and not 7, another beginning
    #    \ 3 - 5
    shelf = Shelf(record(1), record(2, 1), record(3, 1), record(4, 2), record(5, 3), record(6, 4), record(7))
    trace = trace_of(shelf, SESSION, asked=2)
    assert shape(trace) == [(1, 0), (2, 1), (4, 2), (6, 3)]
    assert trace is not None
    assert (trace.asked, trace.others) == (2, 3)
    assert shape(answers.trace(shelf, "5")) == [(1, 0), (3, 1), (5, 2)]
    assert len(answers.trace(shelf, "5", whole=True).hops) == 7
    assert answers.trace(shelf, f"{SESSION:032x}").others == 0


@pytest.mark.parametrize("causes", [{1: 2, 2: 1}, {1: 1, 2: 1}, {1: 99, 2: 1}])
def test_causes_that_cannot_be_end_the_way_up(causes: dict[int, int]) -> None:
    shelf = Shelf(*(record(seq, cause) for seq, cause in causes.items()))
    assert shape(trace_of(shelf, SESSION, asked=2)) == [(1, 0), (2, 1)]


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    shelf = Shelf(*(record(seq, seq - 1) for seq in range(1, TRACE_LIMIT + 100)))
    trace = trace_of(shelf, SESSION)
    assert trace is not None
    assert trace.hops[-1].depth == TRACE_LIMIT - 1
    assert trace.left_out == 99


def test_all_of_a_hop() -> None:
    whole = record(1, status=Status.PARKED, headers={"a": "b"}, deadline=START + 10**9)
    whole.reply, whole.late = Reply("R", b'"late"'), True
    whole.failure = Failure("ValueError", "no", "Traceback ...", "print")
    shelf = Shelf(whole)
    shelf.failed = [AttemptRecord(1, 1, START, 2_000_000, "RETRY", Failure("KeyError", "k"))]
    shelf.lines = [HopLog(SESSION, 1, "f/b", LogLine(START, 30, "f.b", "careful"))]
    trace = trace_of(shelf, SESSION)
    assert trace is not None
    (hop,) = trace.hops
    assert hop.message.status == "parked"
    assert hop.message.error == Reason("ValueError", "no", "Traceback ...", "print")
    assert hop.message.deadline == datetime.fromtimestamp(1_900_000_001, UTC)
    assert hop.reply == ReplyView("R", "late", True)
    assert (hop.body, hop.size, hop.headers) == ({"n": 1}, 7, {"a": "b"})
    assert [(attempt.settlement, attempt.seconds, attempt.error.type) for attempt in hop.attempts] == [
        ("retry", 0.002, "KeyError")
    ]
    assert [(log.level, log.text) for log in hop.logs] == [("WARNING", "careful")]
    again = msgspec.json.decode(msgspec.json.encode(trace), type=Trace)
    assert again == trace


def test_an_attempt_without_a_start_is_shown_where_its_message_began() -> None:
    parked = record(1, status=Status.PARKED)
    parked.started = parked.duration = 0
    shelf = Shelf(parked)
    shelf.failed = [AttemptRecord(1, 2, 0, 0, "PARK", Failure("Park", "the node ended"))]
    trace = trace_of(shelf, SESSION)
    assert trace is not None
    (hop,) = trace.hops
    assert hop.attempts[0].started == hop.message.time
    (captured,) = captured_hops(shelf, SESSION).hops
    assert captured.attempts[0].began == captured.time


@pytest.mark.parametrize(
    ("payload", "body", "size"),
    [
        (b"{not json", "{not json", 9),
        (b"\xff\xfe", "\ufffd\ufffd", 2),
        (b'"' + b"x" * BODY_LIMIT + b'"', None, BODY_LIMIT + 2),
        ({"a": object}, repr({"a": object}), 0),
        (None, None, 4),
    ],
)
def test_a_body_is_shown_as_it_can_be(payload: object, body: object, size: int) -> None:
    trace = trace_of(Shelf(record(1, payload=payload)), SESSION)
    assert trace is not None
    assert (trace.hops[0].body, trace.hops[0].size) == (body, size)


def test_what_waits_for_a_held_service_is_held() -> None:
    shelf = Shelf(record(1, status=Status.READY), record(2, status=Status.DONE))
    assert [m.status for m in listed(shelf, Query(), lambda address: address == "f/b")] == ["done", "held"]
    assert [m.status for m in listed(shelf, Query())] == ["done", "ready"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["held"], {2: "held", 4: "held"}),
        (["ready"], {1: "ready"}),
        (["waiting"], {3: "waiting"}),
        (["open"], {1: "ready", 2: "held", 3: "waiting", 4: "held"}),
        (["held", "done"], {2: "held", 4: "held", 5: "done"}),
    ],
)
def test_every_status_that_is_shown_can_be_asked_for(words: list[str], shown: dict[int, str]) -> None:
    shelf = Shelf(
        record(1, status=Status.READY),
        record(2, status=Status.READY, target="f/held"),
        record(3, status=Status.WAITING),
        record(4, status=Status.WAITING, target="f/held"),
        record(5),
    )
    found = answers.messages(shelf, Filter(status=words), held=lambda address: address == "f/held")
    assert {message.seq: message.status for message in found} == shown


def test_held_messages_behind_many_others_are_found() -> None:
    shelf = Shelf(*(record(seq, status=Status.READY, target="f/other") for seq in range(100, 1000)))
    shelf.records.insert(0, record(7, status=Status.READY))
    found = answers.messages(shelf, Filter(status=["held"], limit=2), held=lambda address: address == "f/b")
    assert [message.seq for message in found] == [7]


def test_bodies_and_headers_are_there_where_they_are_asked_for() -> None:
    long = b'"' + b"x" * 70_000 + b'"'
    shelf = Shelf(record(1, headers={"a": "b"}), record(2, payload=b"null"), record(3, payload=long))
    large, empty, first = answers.messages(shelf, Filter(), bodies=True)
    assert (first.body, first.headers, first.size) == ({"n": 1}, {"a": "b"}, 7)
    assert b'"body":null' in msgspec.json.encode(empty)
    assert (large.body, large.size) == (msgspec.UNSET, 70002)
    (plain,) = answers.messages(shelf, Filter(limit=1))
    assert (plain.size, plain.body) == (0, msgspec.UNSET)


def test_an_unknown_type_is_answered_with_the_nearest() -> None:
    shelf = Shelf(record(1, type="Order"))
    with pytest.raises(UnknownFilter, match='there is no type "Orde". Did you mean "Order"'):
        answers.messages(shelf, Filter(type="Orde"))
    assert answers.messages(shelf, Filter(type="Orders"), types=["Orders"]) == []
    assert len(answers.messages(shelf, Filter(type="Order"))) == 1


def test_the_members_of_a_group_of_parked_messages() -> None:
    shelf = Shelf(*(record(seq, status=Status.PARKED, target="f/a", key="k") for seq in (3, 5, 7)), record(9))
    for one in shelf.records[:2]:
        one.failure = Failure("E", "text", fingerprint="print")
    shelf.records[2].failure = Failure("Other", "text", fingerprint="print")
    (group,) = answers.parked(shelf, group="pri", members=10)
    assert [(member.seq, member.key) for member in group.members] == [(5, "k"), (3, "k")]
    assert group.members[0].body == {"n": 1}
    assert [len(group.members) for group in answers.parked(shelf, "f/a", members=1)] == [1]
    (group,) = answers.parked(shelf)
    assert (group.members, group.body) == ([], {"n": 1})
    assert answers.parked(shelf, "f/other") == []
    with pytest.raises(NothingFound, match='no parked messages have the place "xyz"'):
        answers.parked(shelf, group="xyz")


def test_groups_and_alerts_say_what_to_run_next() -> None:
    assert groups_of(Shelf())[0].command == "junctor trace 7"
    assert latest_alerts(Shelf(), 1)[0].command == "junctor parked"


def test_an_empty_session() -> None:
    assert trace_of(Shelf(), SESSION) is None


@pytest.mark.parametrize("which", ["3", "abc-3", " ABC-3 ", f"{SESSION:032x}", "abcdef0", "00001", "0001"])
def test_a_session_by_message_or_digits(which: str) -> None:
    shelf = Shelf(*(record(seq) for seq in range(1, 6)), record(9, session=0xABCDE << 108 | 2))
    assert asked_for(shelf, which) == Asked(SESSION, 3 if "3" in which else 0)


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("abcde", "2 sessions begin or end"),
        ("77", "no message and no session 77"),
        ("xyz-3", "no message xyz-3"),
        ("", "neither"),
        ("hello", "neither"),
        ("f" * 33, "neither"),
        ("9" * 30, "no message and no session"),
    ],
)
def test_a_session_that_is_not_there(which: str, said: str) -> None:
    shelf = Shelf(record(3), record(9, session=0xABCDE << 108 | 2))
    with pytest.raises(NothingFound, match=said):
        asked_for(shelf, which)


@pytest.mark.parametrize("name", ["Order-17", "order 17", "17", "abc", "xyz-3", "0815", "f" * 33, "\udce9"])
def test_a_session_by_its_name_in_another_system(name: str) -> None:
    session = session_called(name)
    shelf = Shelf(record(3), record(9, session=session))
    assert asked_for(shelf, f" {name} ") == Asked(session, 0)
    assert find_session(shelf, name) == session
    with pytest.raises(NothingFound):
        asked_for(shelf, f"{name}Z")


def test_a_message_is_found_before_a_session_that_is_called_like_it() -> None:
    assert asked_for(Shelf(record(3), record(9, session=session_called("3"))), "3") == Asked(SESSION, 3)


def test_digits_are_looked_for_over_many_pages() -> None:
    shelf = Shelf(record(1, session=0x1234 << 112), *(record(seq) for seq in range(2, 1200)))
    assert find_session(shelf, "1234") == 0x1234 << 112


def test_a_filter_becomes_a_query() -> None:
    shelf = Shelf(record(1))
    since = datetime(2030, 1, 1, tzinfo=UTC)
    query = query_of(Filter(service="b", status=["parked", "open"], since=since, session="abcdef", limit=7), shelf)
    assert query.service == "f/b"
    assert query.statuses == (Status.PARKED, Status.READY, Status.CLAIMED, Status.WAITING)
    assert (query.since, query.session, query.limit) == (int(since.timestamp()) * 10**9, SESSION, 7)
    assert query_of(Filter(service="deep"), shelf).service == "f/deep"
    assert query_of(Filter(service="other"), shelf, ["g/other"]).service == "g/other"
    assert query_of(Filter(service="g/any"), shelf).service == "g/any"


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        (Filter(status=["prked"]), '"parked"'),
        (Filter(limit=0), "limit is 0"),
        (Filter(limit=100_000), "limit is"),
        (Filter(before=10**23), "before is"),
        (Filter(since=datetime(1, 1, 1, tzinfo=UTC)), "beyond all times"),
        (Filter(service="dep"), '"deep"'),
        (Filter(fields=["n=1"] * 51), "51 fields"),
    ],
)
def test_a_filter_that_means_nothing(filter: Filter, said: str) -> None:
    with pytest.raises(UnknownFilter, match=said):
        query_of(filter, Shelf(record(1)))


@pytest.mark.parametrize("name", ["service", "type", "session", "text", "error"])
def test_an_empty_word_is_not_everything(name: str) -> None:
    shelf = Shelf(record(1, status=Status.PARKED))
    with pytest.raises(UnknownFilter, match=f"{name} is empty"):
        chosen(shelf, Selection(filter=Filter(**{name: ""})))


def test_a_filter_without_a_word_is_not_everything() -> None:
    shelf = Shelf(record(1, status=Status.PARKED))
    with pytest.raises(UnknownFilter, match="no messages are named"):
        chosen(shelf, Selection(filter=Filter(limit=5)))
    assert [one.seq for one in chosen(shelf, Selection(filter=Filter(status=["parked"])))[0]] == [1]


def test_an_empty_place_is_not_every_group() -> None:
    shelf = Shelf(record(1, status=Status.PARKED))
    with pytest.raises(UnknownFilter, match="place of the group is empty"):
        chosen(shelf, Selection(group=""))
    with pytest.raises(UnknownFilter, match="place of the group is empty"):
        answers.parked(shelf, group="")


def test_a_service_of_two_flows_needs_its_flow() -> None:
    with pytest.raises(UnknownFilter, match=r"f/a, g/a"):
        query_of(Filter(service="a"), Shelf(), ["f/a", "g/a"])
