"""A trace as a sequence: what stands in which column and in which order, and that every drawing of it can be read."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from junctor.node.sequence import mermaid, needed, sequence_of, svg, text
from junctor.node.sequence.model import ENDS, Sequence, Step
from junctor.node.sequence.text import ASCII
from junctor.node.views.messages import MessageView, NoteView, Reason
from junctor.node.views.moment import InHand
from junctor.node.views.trace import Attempt, Hop, LogEntry, ReplyView, Trace

START = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
EVIL = '<script>alert("1")</script>&]]>;#%%\x1b[31m\n"end'


def hop(seq: int, source: str, target: str, type: str = "Order", at: float = 0.0, **more: Any) -> Hop:
    fields = {"kind": "send", "status": "done", "attempt": 1, "seconds": 0.004}
    own = set(MessageView.__struct_fields__) - set(Hop.__struct_fields__)
    inside = {name: more.pop(name) for name in list(more) if name in own}
    view = MessageView(f"n-{seq}", seq, "0" * 32, START, source=source, target=target, type=type, **(fields | inside))
    return Hop(view, 0, at, began=None if view.status in ("ready", "waiting", "held") else at + 0.001, **more)


def attempt(number: int, at: float, settlement: str = "waiting", text: str = "gone") -> Attempt:
    return Attempt(number, START + timedelta(seconds=at), 0.002, settlement, Reason("OSError", text, line="crm.py:7"))


def trace(*hops: Hop, **more: Any) -> Trace:
    return Trace("ab" * 16, START, 1.0, list(hops), **({"running": True} | more))


SHOP = trace(
    hop(1, "shop/web", "", "POST /orders", kind="route"),
    hop(2, "shop/web", "shop/orders", at=0.001, cause=1, size=9, body={"number": 7}, logs=[
        LogEntry(START, "INFO", "shop.orders", "order 7"), LogEntry(START, "INFO", "junctor.runtime", "own")]),
    hop(3, "shop/orders", "shop/crm", "Ask", 0.002, kind="request", attempt=2, tries=5,
        attempts=[attempt(1, 0.003)], reply=ReplyView("Account", {"email": "a@b.c"})),
    hop(4, "shop/orders", "shop/mailer", "Mail", 0.5, status="parked", attempt=3, tries=3, resend_of="n-2",
        attempts=[attempt(n, 0.5 + n / 10, "waiting" if n < 3 else "parked") for n in (1, 2, 3)],
        notes=[NoteView(START, "ann", "asked the partner")]),
    hop(5, "shop/mailer", "shop/mailer", "Again", 0.6, status="waiting", attempt=0, due=START + timedelta(hours=1)),
    hop(6, "shop/client", "shop/orders", at=0.7, status="claimed",
        in_hand=InHand("on_order", START, 3.2, waits=True)),
    asked=4,
)  # fmt: skip


def steps(sequence: Sequence, shape: str) -> list[Step]:
    return [step for step in sequence.steps if step.shape == shape]


def test_what_is_outside_stands_left_and_services_in_the_order_of_their_first_message() -> None:
    sequence = sequence_of(SHOP)
    assert [column.title for column in sequence.columns] == ["HTTP", "client", "web", "orders", "crm", "mailer"]
    assert [column.outside for column in sequence.columns] == [True, True, False, False, False, False]
    assert [(step.source, step.to) for step in sequence.steps if step.shape not in ("reply", "try")] == [
        (0, 2), (2, 3), (3, 4), (3, 5), (5, 5), (1, 3),
    ]  # fmt: skip


def test_the_flow_is_told_where_there_are_several() -> None:
    sequence = sequence_of(trace(hop(1, "a/x", "b/x"), hop(2, "b/x", "a/y")))
    assert [column.title for column in sequence.columns] == ["a/x", "b/x", "a/y"]


def test_replies_and_failed_tries_stand_where_they_happened() -> None:
    sequence = sequence_of(SHOP)
    assert [(step.shape, step.seq) for step in sequence.steps if step.seq <= 4] == [
        ("call", 1), ("send", 2), ("request", 3), ("reply", 1), ("try", 3), ("reply", 3), ("send", 4),
        ("try", 4), ("try", 4), ("try", 4),
    ]  # fmt: skip
    (back, reply) = steps(sequence, "reply")
    assert (back.source, back.to, reply.source, reply.to, reply.label) == (2, 0, 4, 3, "Account")


def test_marks_and_facts_say_what_became_of_a_message() -> None:
    said = {step.seq: step for step in sequence_of(SHOP).steps if step.shape not in ("reply", "try")}
    assert (said[2].mark, said[2].facts, said[2].tone) == ("done", ("4 ms",), "good")
    assert said[3].facts == ("4 ms", "try 2 of 5")
    assert (said[4].mark, said[4].facts, said[4].asked) == ("parked", ("4 ms", "try 3 of 3", "resend of 2"), True)
    assert said[4].error == "", "the last try tells it"
    assert [remark.what for remark in said[4].remarks] == ["note"]
    assert said[5].mark == "waiting" and said[5].facts[0].startswith("due ")
    assert said[6].mark == "in flight for 3.2 s in on_order, waits for a reply" and said[6].tone == "runs"
    failed = [step for step in sequence_of(SHOP).steps if step.shape == "try" and step.seq == 4]
    assert [(step.label, step.tone) for step in failed] == [
        ("try 1 of 3", "waits"), ("try 2 of 3", "waits"), ("try 3 of 3", "bad"),
    ]  # fmt: skip
    assert [len(step.remarks) for step in failed] == [0, 0, 1], "the line of the code once"


@pytest.mark.parametrize(
    ("hop", "mark"),
    [
        (hop(1, "f/a", "f/b", status="claimed"), "was in hand when the node ended"),
        (hop(1, "f/a", "f/b", status="expired"), "expired"),
        (hop(1, "f/a", "f/b", status="held"), "held"),
        (hop(1, "f/a", "f/b", status="resent"), "resent"),
    ],
)
def test_what_a_stopped_node_left(hop: Hop, mark: str) -> None:
    assert sequence_of(trace(hop, running=False)).steps[0].mark == mark


def test_a_late_reply_says_so() -> None:
    late = hop(1, "f/a", "f/b", kind="request", reply=ReplyView("R", 1, late=True))
    assert steps(sequence_of(trace(late)), "reply")[0].mark == "late"


def test_of_many_tries_the_ends_are_shown() -> None:
    many = hop(1, "f/a", "f/b", attempts=[attempt(n, n) for n in range(1, 41)])
    labels = [step.label for step in steps(sequence_of(trace(many)), "try")]
    assert len(labels) == 2 * ENDS + 1
    assert labels[ENDS] == f"{40 - 2 * ENDS} more failed tries" and labels[-1] == "try 40"


def test_a_clock_that_was_set_back_moves_nothing_above_its_cause() -> None:
    sequence = sequence_of(trace(hop(1, "f/a", "f/b", at=100.0), hop(2, "f/b", "f/c", at=-3600.0, cause=1)))
    assert [step.seq for step in sequence.steps] == [1, 2]


def test_a_long_session_is_limited_and_what_is_left_out_is_counted() -> None:
    long = trace(*(hop(seq, "f/a", "f/b", at=seq / 1e3) for seq in range(1, 1001)), left_out=99_000)
    sequence = sequence_of(long, 50)
    assert (len(sequence.steps), sequence.left_out, sequence.hops) == (50, 99_950, 100_000)
    assert "99,950 more hops are left out" in svg(sequence)
    assert "99950 more hops are left out" in mermaid(sequence)


def test_the_text_says_all_of_it_in_80_columns() -> None:
    sequence = sequence_of(SHOP)
    assert needed(sequence) > 80, "six columns do not fit"
    four = sequence_of(trace(*SHOP.hops[1:4], asked=4))
    lines = list(text(four, 80, logs=True))
    assert needed(four) <= 80 and max(map(len, lines)) <= 80
    whole = "\n".join(lines)
    for word in (
        "Order  done 4 ms",
        "log info: order 7",
        "try 2 of 5",
        "OSError: gone",
        "Account",
        "parked",
        "crm.py:7",
    ):
        assert word in whole, word
    assert "own" not in whole
    assert "order 7" not in "\n".join(text(four, 80))
    assert '{"number":7}' in whole and "note ann" in whole


def test_without_unicode_it_is_ascii() -> None:
    assert "\n".join(text(sequence_of(trace(hop(1, "f/a", "f/b"))), 80, charset=ASCII)).isascii()


def test_styles_are_told_what_each_part_is() -> None:
    kinds: set[str] = set()
    list(text(sequence_of(SHOP), 120, lambda part, what: kinds.add(what) or part, logs=True))  # type: ignore[func-returns-value]
    assert kinds >= {"title", "outside", "line", "time", "label", "good", "bad", "waits", "runs", "log", "note", "body"}


def random_trace(draw: random.Random) -> Trace:
    names = [f"f/{'x' * draw.randint(1, 30)}{number}" for number in range(draw.randint(1, 12))]
    hops = []
    for seq in range(1, draw.randint(2, 40)):
        source, target = draw.choice([*names, "f/client", ""]), draw.choice(names)
        more: dict[str, Any] = {"kind": draw.choice(["send", "request", "event", "tick", "route", "action"])}
        more["status"] = draw.choice(["ready", "claimed", "waiting", "held", "done", "parked", "expired", "failed"])
        if draw.random() < 0.3:
            more["attempts"] = [attempt(n, draw.uniform(-5, 50), text=EVIL) for n in range(draw.randint(1, 9))]
        if draw.random() < 0.3:
            more["reply"] = ReplyView(EVIL, EVIL, late=draw.random() < 0.5)
        more["logs"] = [LogEntry(START, "INFO", "x", EVIL * draw.randint(1, 9))]
        more["notes"] = [NoteView(START, EVIL, EVIL)] * draw.randint(0, 2)
        hops.append(
            hop(seq, source, target, EVIL[: draw.randint(1, 20)], draw.uniform(-1, 5000), size=5, body=EVIL, **more)
        )
    return trace(*hops)


def test_whatever_the_session_every_drawing_is_whole() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(40):
        sequence = sequence_of(random_trace(draw))
        width = max(needed(sequence), draw.randint(60, 200))
        lines = list(text(sequence, width, logs=True, bodies=draw.random() < 0.3))
        assert all(len(line) <= width and line.isprintable() for line in lines)
        shown = {int(found[1]) for line in lines if (found := re.match(r"[> ] +(\d+) \+", line))}
        assert shown == {step.seq for step in sequence.steps}
        root = ElementTree.fromstring(svg(sequence))
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert "script" not in tags and tags <= {
            "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "tspan", "g",
        }  # fmt: skip
        check_mermaid(mermaid(sequence))


def check_mermaid(drawn: str) -> None:
    """What its grammar asks for: no mark of its own in a text, and a bar is closed only where it is open."""
    assert drawn.startswith("sequenceDiagram\n")
    open_bars: dict[str, int] = {}
    for line in drawn.splitlines()[1:]:
        if line.startswith(("  actor", "  participant")):
            assert re.fullmatch(r"  \w+ c\d+ as [^:;<>\"\x00-\x1f]+", re.sub(r"#\d+;", "", line) or "x") or "#" in line
            continue
        found = re.fullmatch(r"  (?:Note over [c\d,]+|c\d+(?:-\)|--\)|->>|-->>)([+-]?)c\d+): (.+)", line)
        assert found is not None, line
        rest = re.sub(r"#\d+;|<br/>", "", found[2])
        assert not set(rest) & set(';:<>"#%'), line
        ends = re.findall(r"c\d+", line.partition(":")[0])
        if found[1] == "+":
            open_bars[ends[1]] = open_bars.get(ends[1], 0) + 1
        elif found[1] == "-":
            open_bars[ends[0]] = open_bars.get(ends[0], 0) - 1
            assert open_bars[ends[0]] >= 0


@pytest.mark.parametrize("first", [1, 12_128, 1_234_567_890])
def test_numbers_and_times_in_a_drawing_do_not_overlap(first: int) -> None:
    hops = [hop(first + number, "a", "b", at=number * 400.5) for number in range(3)]
    root = ElementTree.fromstring(svg(sequence_of(trace(*hops))))
    shown = [one for one in root.iter() if one.tag[-4:] == "text"]
    texts = [(one.get("class"), float(one.get("x", 0)), one.text or "") for one in shown]
    numbers = [x + len(text) * 6.4 for kind, x, text in texts if kind == "seq"]  # 6.4: a digit at this size
    times = [x - len(text) * 6.4 for kind, x, text in texts if kind == "time"]  # they end at their place
    assert len(numbers) == len(times) == 3
    assert max(numbers) < min(times)
