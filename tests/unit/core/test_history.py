"""The form of histories: small, versioned, the same in each process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field

import msgspec
import pytest

from junctor.core.history import Command, Entry, Input, difference, digest, read_entry, span, write_entry


@dataclass
class Basket:
    things: set[str] = field(default_factory=set)
    prices: dict[str, int] = field(default_factory=dict)


def test_a_turn_is_read_as_it_was_written() -> None:
    entry = Entry(
        v=1,
        input=Input(came="reply", step=3, ended="done", type="Account", body=msgspec.Raw(b'{"id":"a"}')),
        did=(Command(step=4, what="once", value=msgspec.Raw(b"[1,2]")), Command(step=5, what="sleep", wait=10**9)),
        end="done",
    )
    data = write_entry(entry)
    assert data == (
        b'{"v":1,"input":{"came":"reply","step":3,"ended":"done","type":"Account","body":{"id":"a"}},'
        b'"did":[{"step":4,"what":"once","value":[1,2]},{"step":5,"what":"sleep","wait":1000000000}],"end":"done"}'
    )
    assert write_entry(read_entry(data)) == data


@pytest.mark.parametrize("data", [b"", b"{}", b'{"v":2,"input":{"came":"cancel"}}', b'{"v":1,"input":{"came":"love"}}'])
def test_what_is_no_turn_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        read_entry(data)


def test_a_digest_does_not_depend_on_order() -> None:
    one = Basket({"a", "b", "c"}, {"x": 1, "y": 2})
    assert digest(one) == digest(Basket({"c", "a", "b"}, {"y": 2, "x": 1}))
    assert digest(one) != digest(Basket({"a", "b"}, {"x": 1, "y": 2}))


def test_a_digest_is_the_same_under_every_hash_seed() -> None:
    code = "from junctor.core.history import digest; print(digest({w: {w, w * 2, w * 3} for w in 'abcdefgh'}))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(told) == 1


def test_a_difference_names_both_calls() -> None:
    pay = Command(step=3, what="request", to="bank", type="Pay", digest="1", wait=3600 * 10**9)
    other = Command(step=3, what="request", to="bank", type="Pay", digest="2", wait=3600 * 10**9)
    nap = Command(step=3, what="sleep", wait=86_400 * 10**9)
    assert difference(3, pay, nap) == "step 3: history has request Pay to bank within 1 h, the code now makes sleep 1 d"
    assert difference(3, pay, other).endswith("request Pay to bank within 1 h with another body")
    assert difference(3, nap, "waits") == "step 3: history has sleep 1 d, the code now waits"
    assert difference(3, None, nap) == "step 3: history has nothing more in this turn, the code now makes sleep 1 d"
    assert not pay.same(other)
    assert pay.same(msgspec.structs.replace(pay, step=4, value=msgspec.Raw(b"1")))


@pytest.mark.parametrize(
    ("seconds", "text"), [(86_400, "1 d"), (36 * 3600, "36 h"), (90, "90 s"), (120, "2 min"), (0.25, "0.25 s")]
)
def test_a_time_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert span(int(seconds * 1e9)) == text
