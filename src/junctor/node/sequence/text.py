"""A sequence as lines of text, for a terminal or a file: two lines a message, a caption and its arrow.

A caption begins at the left end of its arrow and may go over the lines of other services; where there is no room on the
right it moves to the left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import msgspec

from junctor.messages import codec
from junctor.node.sequence.model import Column, Sequence, Step
from junctor.node.views.words import clock, duration, safe, short

Style = Callable[[str, str], str]
"""From a text and what it is to the text as it is shown: "title", "line", "time", "label", "body", "error", "log",
"note", or the tone of a step."""

NARROWEST = 13
"""Characters from one column to the next at least, so that an arrow is one."""

WIDEST = 28

LONG = 24
"""Messages after which the titles stand below, too."""


class Charset(msgspec.Struct, frozen=True):
    """The characters of lines and arrows."""

    line: str = "│"
    cross: str = "┼"
    right: str = "▶"
    left: str = "◀"
    start: str = "├"
    end: str = "┤"
    solid: str = "─"
    event: str = "┄"
    dashed: str = "╌"
    turn: str = "╮"
    back: str = "╯"
    failed: str = "×"


UNICODE = Charset()
ASCII = Charset("|", "+", ">", "<", "|", "|", "-", "~", ".", ".", "'", "x")


def plain(text: str, what: str) -> str:
    return text


def needed(sequence: Sequence) -> int:
    """The width below which arrows would be too short to be read."""
    return _gutter(sequence) + NARROWEST * len(sequence.columns)


def text(
    sequence: Sequence,
    width: int,
    style: Style = plain,
    logs: bool = False,
    bodies: bool = False,
    charset: Charset = UNICODE,
) -> Iterator[str]:
    """The diagram, line by line.

    :param width: of the terminal, in characters.
    :param style: gives parts their colours.
    :param logs: with what was logged in each hop.
    :param bodies: bodies whole, on lines of their own.
    """
    yield from _Diagram(sequence, width, style, logs, bodies, charset).lines()


def _gutter(sequence: Sequence) -> int:
    number = max((len(str(step.seq)) for step in sequence.steps), default=1)
    return number + 13


class _Line:
    """A line of the diagram: characters, and what each of them is."""

    def __init__(self, width: int) -> None:
        self._chars = [" "] * width
        self._kinds = [""] * width

    def put(self, at: int, text: str, what: str) -> None:
        for index, char in enumerate(text, at):
            if 0 <= index < len(self._chars):
                self._chars[index], self._kinds[index] = char, what

    def shown(self, style: Style) -> str:
        cells = list(zip(self._chars, self._kinds, strict=True))
        while cells and cells[-1][0] == " ":
            cells.pop()
        groups = groupby(cells, key=lambda cell: cell[1])
        return "".join(_styled("".join(char for char, _ in part), what, style) for what, part in groups)


def _styled(text: str, what: str, style: Style) -> str:
    return style(text, what) if what else text


Part = tuple[str, str]
"""A piece of a caption and what it is."""


class _Diagram:
    def __init__(
        self, sequence: Sequence, width: int, style: Style, logs: bool, bodies: bool, charset: Charset
    ) -> None:
        self._sequence = sequence
        self._width = width
        self._style = style
        self._logs = logs
        self._bodies = bodies
        self._set = charset
        self._gutter = _gutter(sequence)
        count = max(len(sequence.columns), 1)
        self._step = max(NARROWEST, min(WIDEST, (width - self._gutter) // count))
        self._places = [self._gutter + self._step // 2 - 2 + self._step * number for number in range(count)]

    def lines(self) -> Iterator[str]:
        yield self._titles()
        for step in self._sequence.steps:
            for line in self._lines_of(step):
                yield line.shown(self._style)
        if len(self._sequence.steps) > LONG:
            yield self._titles()

    def _titles(self) -> str:
        line = _Line(self._width)
        for column, place in zip(self._sequence.columns, self._places, strict=False):
            title = self._title(column)
            at = max(self._gutter - 2, min(place - len(title) // 2, self._width - len(title)))
            line.put(at, title, "outside" if column.outside else "title")
        return line.shown(self._style)

    def _title(self, column: Column) -> str:
        name = safe(column.title)
        return name if len(name) < self._step else f"…{name[-self._step + 3 :]}"  # the end tells more than the flow

    def _blank(self) -> _Line:
        line = _Line(self._width)
        for place in self._places:
            line.put(place, self._set.line, "line")
        return line

    # Steps --------------------------------------------------------------------------------------------------

    def _lines_of(self, step: Step) -> Iterator[_Line]:
        place = self._places[step.to]
        if step.shape == "try":
            yield from self._try(step)
        elif step.source == step.to:
            yield from self._to_itself(step)
        else:
            yield self._captioned(self._places[min(step.source, step.to)] + 2, self._caption(step), step)
            yield self._arrow(step)
        if step.error and step.shape != "try":
            yield self._beside(place, safe(step.error), "error")
        for remark in step.remarks:
            if remark.what != "log" or self._logs:
                word = "" if remark.what == "error" else f"{remark.what} "
                yield self._beside(place, word + safe(remark.text), remark.what)
        if self._bodies and step.body is not msgspec.UNSET:
            yield from self._whole_body(step)

    def _captioned(self, at: int, parts: list[Part], step: Step | None = None) -> _Line:
        """A line with a caption from ``at`` on; further to the left where it would not fit."""
        line = self._blank()
        length = sum(len(text) for text, _ in parts)
        at = max(self._gutter, min(at, self._width - length))
        left = self._width - at
        for text, what in parts:
            shown = short(text, left) if left > 0 else ""
            line.put(at, shown, what)
            at, left = at + len(shown), left - len(shown)
        if step is not None:
            self._mark_place(line, step)
        return line

    def _beside(self, place: int, text: str, what: str, step: Step | None = None) -> _Line:
        """A line with a text right of a column, left of it, or over all columns, wherever it fits first. With a step it
        begins with the mark of a failed try, on the column where there is room beside it."""
        cross = f"{self._set.failed} " if step is not None else ""
        if len(text) <= self._width - place - 2:
            line = self._captioned(place + 2, [(text, what)], step)
        elif len(text) <= place - 1 - self._gutter:
            line = self._captioned(place - 1 - len(text), [(text, what)], step)
        else:
            return self._captioned(place, [(cross + text, what)], step)
        if cross:
            line.put(place, cross[0], what)
        return line

    def _mark_place(self, line: _Line, step: Step) -> None:
        number = f"{'>' if step.asked else ' '} {step.seq:>{self._gutter - 13}} "
        if step.shape in ("reply", "try"):
            number = " " * len(number)
        line.put(0, f"{number}{_offset(step.offset):<9} ", "time")

    def _caption(self, step: Step) -> list[Part]:
        parts: list[Part] = [(step.label, "label")] if step.label else []
        said = _said(step)
        if said:
            parts.append((f"{'  ' if parts else ''}{said}", step.tone))
        if step.body is not msgspec.UNSET and not self._bodies:
            length = sum(len(text) for text, _ in parts)
            left = self._places[min(step.source, step.to)] + 2 if step.source != step.to else self._places[step.to] + 5
            room = self._width - left - length - 2
            if room >= 12:
                parts.append((f"  {short(_json(step.body), room)}", "body"))
        return parts

    def _arrow(self, step: Step) -> _Line:
        line = self._blank()
        low, high = sorted((self._places[step.source], self._places[step.to]))
        dash = {"reply": self._set.dashed, "event": self._set.event}.get(step.shape, self._set.solid)
        line.put(low + 1, dash * (high - low - 1), step.tone)
        for place in self._places:
            if low < place < high:
                line.put(place, self._set.cross, "line")
        rightwards = step.to > step.source
        line.put(low if rightwards else high, self._set.start if rightwards else self._set.end, "line")
        line.put(high - 1 if rightwards else low + 1, self._set.right if rightwards else self._set.left, step.tone)
        return line

    def _to_itself(self, step: Step) -> Iterator[_Line]:
        place = self._places[step.to]
        first = self._captioned(place + 5, self._caption(step), step)
        first.put(place, self._set.start + self._set.solid * 2 + self._set.turn + " ", "line")
        second = self._blank()
        second.put(place + 1, self._set.left + self._set.solid + self._set.back, step.tone)
        yield first
        yield second

    def _try(self, step: Step) -> Iterator[_Line]:
        place = self._places[step.to]
        said = " ".join(part for part in (step.label, _said(step)) if part)
        whole = f"{said}: {safe(step.error)}" if step.error else said
        if len(whole) <= self._width - self._gutter - 2:
            yield self._beside(place, whole, step.tone, step)
        else:
            yield self._beside(place, said, step.tone, step)
            yield self._beside(place, safe(step.error), step.tone)

    def _whole_body(self, step: Step) -> Iterator[_Line]:
        whole = _json(step.body)
        size = max(self._width - self._gutter - 2, 20)
        for start in range(0, len(whole), size):
            yield self._captioned(self._gutter, [(whole[start : start + size], "body")])


def _said(step: Step) -> str:
    """``done 4 ms, try 2 of 5``."""
    first, *rest = step.facts or ("",)
    between = " " if step.mark in ("", "done", "failed", "parked", "expired") else ", "
    return ", ".join(part for part in (between.join(part for part in (step.mark, first) if part), *rest) if part)


def _json(body: object) -> str:
    return safe(msgspec.json.encode(codec.to_plain(body)).decode())


def _offset(seconds: float) -> str:
    return f"+{seconds:.3f}" if seconds < 1000 else f"+{duration(seconds)}"


def heading(sequence: Sequence) -> str:
    """The line above the diagram: session, begin, count, duration."""
    hops = f"{sequence.hops} hop" + ("" if sequence.hops == 1 else "s")
    return f"session {sequence.session}  {clock(sequence.started)}  {hops} in {duration(sequence.seconds)}"
