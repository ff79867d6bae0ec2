"""The envelope: frozen, with an id over all nodes, readable without its body."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from junctor.messages import NO_HEADERS, Kind, Message, Status, parse_id, session_called, session_text


def envelope(payload: object = b'{"a":1}') -> Message:
    return Message(42, "a1b2-c3", 255, Kind.SEND, "flow/a", "flow/b", "Reading", payload, 1_500_000_000)


def test_an_id_names_the_node_and_comes_apart_again() -> None:
    assert envelope().id == "a1b2-c3-42"
    assert parse_id("a1b2-c3-42") == ("a1b2-c3", 42)
    assert parse_id("42") == ("", 42)


@pytest.mark.parametrize("text", ["", "x", "a-", "a-1b", "-", "-1", "a-²"])
def test_what_is_no_id_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="looks like a1b2c3d4e5f6-42"):
        parse_id(text)


@pytest.mark.parametrize(
    "name",
    ["0af7651916cd43dd8448eb211c80319c", "0AF76519-16CD-43DD-8448-EB211C80319C", "0af7651916cd43dd-8448eb211c80319c"],
)
def test_a_name_of_32_digits_is_the_session(name: str) -> None:
    assert session_text(session_called(name)) == "0af7651916cd43dd8448eb211c80319c"


def test_every_other_name_has_a_session_of_its_own() -> None:
    names = ["", "0", "a", "A", "é", "\udce9", "0" * 32, "f" * 33, "-" * 32, "g" * 32]
    sessions = [session_called(name) for name in names]
    assert len(set(sessions)) == len(names) and all(0 < session < 2**128 for session in sessions)
    assert session_text(session_called("a")) == "ca978112ca1bbdcafac231b39a23dc4d"  # stays: stores have it


def test_an_example_is_a_message_for_a_unit_test() -> None:
    made = Message.example({"a": 1})
    assert (made.body, made.type, made.id, made.kind) == ({"a": 1}, "any", "example-1", Kind.SEND)
    assert Message.example(seq=7, source="f/a").id == "example-7"
    with pytest.raises(TypeError):
        Message.example(1, sender="me")


def test_a_session_is_a_trace_id() -> None:
    assert envelope().session_id == session_text(255) == "0" * 30 + "ff"


def test_the_body_is_plain_when_only_its_encoding_is_there() -> None:
    assert envelope().body == {"a": 1}
    assert envelope(["x"]).body == ["x"]


def test_nothing_in_it_can_be_changed() -> None:
    with pytest.raises(AttributeError):
        envelope().seq = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        NO_HEADERS["a"] = "b"  # type: ignore[index]


def test_time_is_utc() -> None:
    assert envelope().sent_at == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


def test_stored_numbers_never_change() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        "SEND": 0,
        "REQUEST": 1,
        "REPLY": 2,
        "EVENT": 3,
        "TICK": 4,
        "ROUTE": 5,
        "ACTION": 6,
    }
    assert [status.name for status in sorted(Status)] == [
        "READY",
        "CLAIMED",
        "WAITING",
        "DONE",
        "PARKED",
        "EXPIRED",
        "FAILED",
        "RESENT",
        "DISCARDED",
        "BEGUN",
    ]
