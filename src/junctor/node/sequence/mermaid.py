"""A sequence as a Mermaid sequenceDiagram, for pages that draw it themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from junctor.flows.graph.look import mermaid_text
from junctor.node.sequence.model import Sequence, Step
from junctor.node.views.words import short

MERMAID_LIMIT = 150
"""Hops of one diagram: Mermaid refuses texts that are too long to draw (50,000 characters)."""

_ARROWS = {"send": "-)", "event": "--)", "request": "->>", "call": "->>", "reply": "-->>"}

_LONGEST = 100


def mermaid(sequence: Sequence) -> str:
    """The diagram. What is outside is an actor; a request opens the bar of its service and the reply closes it."""
    return "\n".join(_lines(sequence))


def _lines(sequence: Sequence) -> Iterator[str]:
    yield "sequenceDiagram"
    for number, column in enumerate(sequence.columns):
        yield f"  {'actor' if column.outside else 'participant'} c{number} as {_text(column.title)}"
    answered = {step.seq for step in sequence.steps if step.shape == "reply"}
    active: Counter[int] = Counter()
    for step in sequence.steps:
        yield from _step(step, answered, active)
    if sequence.left_out and sequence.columns:
        last = len(sequence.columns) - 1
        over = "c0" if last == 0 else f"c0,c{last}"
        yield f"  Note over {over}: {sequence.left_out} more hops are left out"


def _step(step: Step, answered: set[int], active: Counter[int]) -> Iterator[str]:
    if step.shape == "try":
        yield f"  Note over c{step.to}: {'<br/>'.join(_text(line) for line in (_said(step), *_remarks(step)))}"
        return
    sign = ""
    if step.shape == "reply" and active[step.source]:
        active[step.source] -= 1
        sign = "-"
    elif step.shape in ("request", "call") and step.seq in answered:
        active[step.to] += 1
        sign = "+"
    yield f"  c{step.source}{_ARROWS[step.shape]}{sign}c{step.to}: {_text(_said(step))}"
    remarks = [_text(line) for line in _remarks(step)]
    if remarks:
        yield f"  Note over c{step.to}: {'<br/>'.join(remarks)}"


def _said(step: Step) -> str:
    if step.shape == "try":
        return " ".join(part for part in (step.label, step.mark, *step.facts) if part)
    number = f"{step.seq} " if step.shape != "reply" else ""
    mark = "" if step.mark == "done" else step.mark
    said = ", ".join(part for part in (mark, *step.facts) if part)
    return f"{number}{step.label}" + (f" ({said})" if said else "")


def _remarks(step: Step) -> list[str]:
    error = [step.error] if step.error else []
    return error + [f"{remark.what}: {remark.text}" for remark in step.remarks if remark.what == "note"]


def _text(text: str) -> str:
    # An empty text would be no text to Mermaid, and a colon could begin one of its words.
    return mermaid_text(short(text, _LONGEST)).replace(":", "#58;") or "#160;"
