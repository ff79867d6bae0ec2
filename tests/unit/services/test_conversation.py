"""Conversation classes: what they declare, what is refused, and what they do without a node."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import pytest
from msgspec import Raw

from junctor import (
    Asked,
    Conversation,
    Flow,
    Service,
    Target,
    every,
    get,
    handler,
    on_complete,
    on_failure,
    on_reply,
    on_timer,
    setting,
)
from junctor.core.run import CANCEL, REPLIED, RUN_KEY, WOKEN, Run, RunStatus
from junctor.core.snapshot import OpenRequest, OpenTimer, Snapshot, read_snapshot, shown_attributes, write_snapshot
from junctor.errors import ConfigurationError, EncodeError, OutsideDelivery, RequestError, SeveralProblems
from junctor.flows import wire
from junctor.flows.comparison import compare
from junctor.observe.histories import masked_run
from junctor.services import spec_of


@dataclasses.dataclass(frozen=True)
class Trip:
    number: int


@dataclasses.dataclass
class Confirmation:
    id: str


class Booking(Conversation):
    """Books a hotel."""

    limit: int = setting(3)
    kind: ClassVar[str] = "booking"
    hotel: Target[Trip, Confirmation]
    trip: Trip
    confirmed: list[str] = []

    @handler
    def on_trip(self, trip: Trip) -> list[str]:
        self.trip = trip
        self.hotel.ask(trip, name="room", timeout="1h")
        self.timer("2h", name="patience")

    @on_reply("room")
    def booked(self, reply: Confirmation, asked: Asked) -> None:
        self.confirmed.append(reply.id)

    @on_failure
    def failed(self, error: RequestError) -> None:
        self.fail(error)

    @on_timer("patience")
    def too_late(self) -> None:
        self.reply(self.confirmed)
        self.end()

    @on_complete
    def done(self) -> list[str]:
        return self.confirmed


# Without a node -----------------------------------------------------------------------------------------------


def test_its_methods_are_plain_and_its_targets_record_what_is_asked() -> None:
    booking = Booking()
    booking.on_trip(Trip(7))
    assert booking.hotel.asked == [Trip(7)]
    assert booking.hotel.sent == []
    assert booking.conversation.timers == ("patience",)
    booking.booked(Confirmation("a"), Asked("room", "hotel", booking.now()))
    booking.too_late()
    assert booking.done() == ["a"]
    facts = booking.conversation
    assert (facts.reply, facts.replied, facts.ended, facts.failure) == (["a"], True, True, "")


def test_a_failure_is_noted_with_its_class() -> None:
    booking = Booking()
    booking.failed(RequestError("no room"))
    assert (booking.conversation.ended, booking.conversation.failed_as) == (True, "RequestError")
    assert booking.conversation.failure.startswith("no room")


def test_defaults_are_copies_of_each_conversation() -> None:
    first, second = Booking(), Booking()
    first.confirmed.append("mine")
    assert (second.confirmed, Booking.confirmed) == ([], [])


def test_a_class_variable_is_shared() -> None:
    class Counted(Booking):
        seen: ClassVar[list[str]] = []

    first, second = Counted(), Counted()
    first.seen.append("mine")
    assert second.seen is Counted.seen


class Noted(Conversation):
    lines: list[str] = dataclasses.field(default_factory=list)
    limit: int = dataclasses.field(default=3)

    @handler
    def on_trip(self, trip: Trip) -> None:
        self.lines.append("x")


def test_the_fields_of_dataclasses_have_their_defaults() -> None:
    one, other = Noted(), Noted()
    one.lines.append("a")
    assert (one.lines, other.lines, other.limit) == (["a"], [], 3)


def test_the_first_reply_counts(caplog: pytest.LogCaptureFixture) -> None:
    booking = Booking()
    booking.reply(["first"])
    booking.reply(["second"])
    assert booking.conversation.reply == ["first"]
    assert "has replied already" in caplog.text


def test_a_cancelled_timer_and_a_replaced_one() -> None:
    booking = Booking()
    booking.timer(60, name="a")
    booking.timer("2h", name="a")
    booking.timer(1, name="b")
    booking.cancel("b")
    assert booking.conversation.started == {"a": 7200.0}


def test_a_body_of_another_type_is_refused_where_it_is_asked() -> None:
    with pytest.raises(EncodeError, match="expected Trip, got Confirmation"):
        Booking().hotel.ask(Confirmation("x"))  # type: ignore[arg-type]


def test_a_service_has_nobody_who_goes_on_later() -> None:
    from tests.unit.services.test_target import bound

    target, _ = bound("alarm", kind=Trip)
    with pytest.raises(OutsideDelivery, match="only a conversation asks"):
        target.ask(Trip(1))


# Its spec -----------------------------------------------------------------------------------------------------


def test_the_spec() -> None:
    spec = spec_of(Booking)
    assert (spec.runs, spec.policies.pool.key, spec.policies.pool.size) == ("conversation", RUN_KEY, 16)
    assert [(one.name, one.accepts, one.replies, one.blocking) for one in spec.handlers] == [
        ("on_trip", Trip, list[str], True)
    ]
    assert [one.name for one in spec.inner] == [REPLIED, WOKEN, CANCEL]
    assert [target.name for target in spec.targets] == ["hotel"]
    assert spec.doc == "Books a hotel."


def test_only_where_all_are_coroutines_they_run_on_the_loop() -> None:
    class Light(Conversation):
        @handler
        async def on_trip(self, trip: Trip) -> None: ...

        @on_complete
        async def done(self) -> None: ...

    class Mixed(Light):
        @on_timer
        def late(self, name: str) -> None: ...

    assert [one.blocking for one in spec_of(Light).handlers] == [False]
    assert [one.blocking for one in spec_of(Mixed).handlers] == [True]


def test_a_handler_with_a_key_is_followed_by_one_in_the_line_of_its_conversation() -> None:
    class Keyed(Conversation):
        @handler(key="number")
        def on_trip(self, trip: Trip) -> None: ...

    spec = spec_of(Keyed)
    assert [(one.name, one.blocking) for one in spec.handlers] == [("on_trip", False)]
    assert ("junctor-on_trip", True) in [(one.name, one.blocking) for one in spec.inner]


class Base(Conversation):
    @handler
    def on_trip(self, trip: Trip) -> None: ...


def wrong(**members: Any) -> str:
    """The error of a class with these members."""
    with pytest.raises(ConfigurationError) as raised:
        spec_of(type("Wrong", (Base,), members))
    return str(raised.value)


def test_what_lives_without_a_message_belongs_into_a_service() -> None:
    def poll(self: Any) -> None: ...

    assert "Wrong.on_start" in wrong(on_start=poll)
    assert "lives only while one of its messages is handled" in wrong(poll=every("1s")(poll))
    assert "Move schedules, routes" in wrong(poll=get("/x")(lambda self: None))


def test_wrong_parameters_of_callbacks() -> None:
    def two(self: Any, a: int, b: int) -> None: ...

    def none(self: Any) -> None: ...

    assert "@on_reply marks a method with 1 or 2 parameters, and this one takes none" in wrong(none=on_reply("x")(none))
    assert "@on_timer marks a method with 0 or 1 parameters, and this one takes a, b" in wrong(two=on_timer("x")(two))
    assert "@on_complete marks a method with 0 parameters" in wrong(two=on_complete(two))


def test_two_callbacks_for_one_name() -> None:
    def one(self: Any, reply: Any) -> None: ...

    def other(self: Any, reply: Any) -> None: ...

    assert "one is called for this already" in wrong(one=on_reply("x")(one), other=on_reply("x")(other))


def test_a_type_that_cannot_be_stored_is_told_before_anything_runs() -> None:
    import threading

    told = wrong(__annotations__={"held": threading.Lock})
    assert told.startswith("Wrong.held: values of")
    assert "ClassVar" in told


def test_names_that_a_conversation_has_are_taken() -> None:
    for name in ("reply", "end", "fail", "timer", "cancel", "conversation", "message"):
        assert f'"{name}" is taken' in wrong(__annotations__={name: str})


def test_something_must_begin_it() -> None:
    class Empty(Conversation):
        @on_complete
        def done(self) -> None: ...

    with pytest.raises(ConfigurationError, match="no message begins a conversation of this class"):
        spec_of(Empty)


def test_the_field_of_a_key_is_one_of_the_body() -> None:
    def on_trip(self: Any, trip: Trip) -> None: ...

    def again(self: Any, trip: Trip) -> None: ...

    assert 'Trip has no field "nmber". Did you mean "number"?' in wrong(on_trip=handler(key="nmber")(on_trip))
    assert "begins=False needs key=" in wrong(on_trip=handler(begins=False)(again))


def test_in_a_flow_it_has_no_key_and_no_worker() -> None:
    flow = Flow("f").add(Base, name="keyed", key="number").add(Base, name="away", isolate="worker")
    with pytest.raises(SeveralProblems) as raised:
        wire(flow)
    assert "its runs are its lines, so its pool has no key" in str(raised.value)
    assert "a conversation is called by the node itself" in str(raised.value)


def test_its_marks_are_for_conversations() -> None:
    class Plain(Service):
        @on_reply("x")
        def replied(self, reply: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="@on_reply is for a conversation"):
        spec_of(Plain)


# What is stored -----------------------------------------------------------------------------------------------


def test_a_snapshot_survives_its_encoding() -> None:
    snapshot = Snapshot(
        requests={3: OpenRequest("room", "hotel", 5, 9)},
        timers={4: OpenTimer("patience", 7)},
        steps=4,
        hides=(("a", "*"),),
    )
    again = read_snapshot(write_snapshot(snapshot))
    assert (again.requests[3].name, again.timers[4].at, again.steps, again.due) == ("room", 7, 4, 7)
    assert again.hides == (("a", "*"),)


def test_what_operators_see_of_attributes() -> None:
    data = b'{"attributes":{"card":"4711","open":[1]},"hides":[["card"]]}'
    assert shown_attributes(read_snapshot(data)) == {"card": "***", "open": [1]}


def test_an_archive_for_operators_hides_them_too() -> None:
    snapshot = Snapshot(
        attributes={"card": Raw(b'"4711"')},
        requests={1: OpenRequest("room", "hotel", 5, 0, Raw(b'{"card":"4711"}'), "Trip")},
        hides=(("card",),),
    )
    run = Run(1, "f/booking", "on_trip", None, RunStatus.OPEN, 1, 0, 0, snapshot=write_snapshot(snapshot))
    shown = masked_run(run, []).snapshot
    assert shown is not None
    assert b"4711" not in shown
    assert read_snapshot(shown).requests[1].name == "room"


def test_what_is_no_snapshot_is_shown_as_it_is() -> None:
    run = Run(1, "f/booking", "on_trip", None, RunStatus.OPEN, 1, 0, 0, snapshot=b"not JSON")
    assert masked_run(run, []).snapshot == b"not JSON"


class Rooms(Service):
    @handler
    def on_trip(self, trip: Trip) -> Confirmation:
        return Confirmation("a room")


def test_a_conversation_that_is_read_again_is_the_same_service() -> None:
    def changes(kind: type[Conversation]) -> str:
        flows = [
            Flow("f").add(each, name="booking", connect={"hotel": "rooms"}).add(Rooms()) for each in (Booking, kind)
        ]
        (change,) = [one for one in compare(*map(wire, flows)).services if one.service == "booking"]
        return str(change)

    assert changes(Booking) == "booking"
    assert changes(type("Booking", (Booking,), {})) == "booking: code"
