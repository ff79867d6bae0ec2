"""Answers: as what they are read, and how large they may become."""

from __future__ import annotations

import gzip
import zlib

import pytest

from junctor.adapters.http.answer import Answer, Unpacking
from junctor.adapters.http.failed import HttpCallFailed


def answer(body: bytes, kind: str = "") -> Answer:
    return Answer(200, "OK", {"Content-Type": kind} if kind else {}, body)


def test_by_default_the_content_type_says() -> None:
    assert answer(b'{"a": 1}', "application/json; charset=utf-8").read("auto", "") == {"a": 1}
    assert answer(b"[1]", "application/problem+json").read("auto", "") == [1]
    assert answer(b'{"a": 1}', "text/plain").read("auto", "") == '{"a": 1}'
    assert answer(b"\xe4", "text/plain; charset=latin-1").read("auto", "") == "ä"
    assert answer(b"\xe4", "text/plain; charset=klingon").read("auto", "") == "\ufffd"
    for other in ("idna", "undefined", "punycode", "Raw_Unicode_Escape"):
        assert answer(b"\xe4", f"text/plain; charset={other}").begin == "\ufffd"
    assert answer(b"", "application/json").read("auto", "") is None
    assert answer(b"x").read("none", "") is None


@pytest.mark.parametrize("body", [b"<html>", b"{", b"\xff", b"[" * 100_000])
def test_json_that_is_none(body: bytes) -> None:
    with pytest.raises(HttpCallFailed, match="200 OK, and the answer is no JSON") as caught:
        answer(body, "application/json").read("auto", "GET http://h/")
    assert caught.value.reaction == "retry" and len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [(gzip.compress(b"hello", mtime=0), "gzip"), (zlib.compress(b"hello"), "deflate"), (b"hello", "")],
)
def test_it_is_unpacked_piece_by_piece(packed: bytes, encoding: str) -> None:
    unpacking = Unpacking(encoding, 5, "")
    for byte in packed:
        unpacking.feed(bytes([byte]))
    assert unpacking.end() == b"hello"


def test_a_bomb_goes_off_at_the_limit() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    unpacking = Unpacking("gzip", 1000, "")
    with pytest.raises(HttpCallFailed, match="larger than 1000 bytes") as caught:
        unpacking.feed(bomb)
    assert caught.value.reaction == "park"


def test_what_is_cut_is_an_outage() -> None:
    unpacking = Unpacking("gzip", 1000, "")
    unpacking.feed(gzip.compress(b"hello", mtime=0)[:-3])
    with pytest.raises(ConnectionError):
        unpacking.end()


def test_what_is_packed_otherwise_is_refused() -> None:
    with pytest.raises(HttpCallFailed, match='packed as "br"'):
        Unpacking("br", 1000, "")
    with pytest.raises(HttpCallFailed, match="cannot be unpacked"):
        Unpacking("gzip", 1000, "").feed(b"no gzip")


def test_several_members_are_one_answer() -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    for size in (1, 7, len(packed)):
        unpacking = Unpacking("gzip", 7, "")
        for begin in range(0, len(packed), size):
            unpacking.feed(packed[begin : begin + size])
        assert unpacking.end() == b"one two"
    with pytest.raises(HttpCallFailed, match="larger than 6 bytes"):
        Unpacking("gzip", 6, "").feed(packed)


@pytest.mark.parametrize("pieces", [[gzip.compress(b"hello"), bytes(1000)], [gzip.compress(b"hello") + bytes(1000)]])
def test_what_follows_the_end_is_not_collected(pieces: list[bytes]) -> None:
    unpacking = Unpacking("gzip", 1000, "")
    with pytest.raises(HttpCallFailed, match="cannot be unpacked"):
        for piece in pieces:
            unpacking.feed(piece)
