"""A sequence as one SVG file: no script, no font or picture from elsewhere, light or dark as the page is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from junctor.flows.graph.look import CODE_FONT, COLOURS, svg_text, text_width, tip
from junctor.messages import codec
from junctor.node.sequence.model import Remark, Sequence, Step
from junctor.node.views.words import duration, safe, short

SVG_LIMIT = 500
"""Hops of one picture: what is longer nobody scrolls through."""

TOP, HEAD, ROW, LINE, GAP = 64.0, 34.0, 44.0, 16.0, 26.0
"""Heights: of the heading, of a service's head, of a message, of a remark below it, of a pause in time."""

GUTTER, DIGIT = 96.0, 6.4
"""Width of the numbers and times on the left, at least; of one of their characters."""
PAUSE = 1.0
"""Seconds in which nothing happens, from which on the drawing says so."""

LEAST, MOST = 130.0, 380.0
"""From one column to the next."""

_LONGEST = 88

_STYLE = (
    f"""
svg{{--good:#1a7f4b;--bad:#b42318;--waits:#946200;--runs:#0e7490;--badfill:#fdecea;--waitsfill:#fdf4dc;--runsfill:#def3f8;
--goodfill:#e3f5ea;--plainfill:#eef1f4;--plain:#5d6b7a}}
@media (prefers-color-scheme:dark){{svg{{--good:#5ccf92;--bad:#ff8a80;--waits:#e9bf5b;--runs:#67d3ea;--badfill:#3d1d1d;
--waitsfill:#35290f;--runsfill:#0f3039;--goodfill:#12301f;--plainfill:#232c37;--plain:#98a6b5}}}}
.title{{fill:var(--ink);font-size:15px;font-weight:600}}.sub{{fill:var(--soft);font-size:11.5px}}
.code{{font-family:{CODE_FONT}}}.head{{fill:var(--box);stroke:var(--edge);stroke-width:1.2}}.outside{{fill:none;
stroke:var(--line);stroke-dasharray:4 3}}.name{{fill:var(--ink);font-size:13px;font-weight:600;text-anchor:middle}}
.life{{stroke:var(--edge);stroke-width:1.2}}.bar{{fill:var(--frame);stroke:var(--line)}}.bar-runs{{fill:var(--runsfill);
stroke:var(--runs)}}.time{{fill:var(--soft);font-size:10.5px;text-anchor:end;font-family:{CODE_FONT}}}
.seq{{fill:var(--soft);font-size:10.5px;font-family:{CODE_FONT}}}.asked{{fill:var(--frame)}}.link{{fill:none;
stroke-width:1.5}}.send{{stroke:var(--send)}}.request{{stroke:var(--ask)}}.call{{stroke:var(--ink)}}.event{{
stroke:var(--when);stroke-dasharray:2 3}}.reply{{stroke:var(--line);stroke-dasharray:5 3.5}}
.tip-send{{fill:var(--send)}}.tip-request{{fill:var(--ask)}}.tip-call{{fill:var(--ink)}}.tip-event{{fill:var(--when)}}.tip-reply{{fill:var(--line)}}
.label{{fill:var(--ink);font-size:12px;font-weight:600}}.fact{{fill:var(--soft);font-size:11px}}.error{{fill:var(--bad);
font-size:11px;font-family:{CODE_FONT}}}.log{{fill:var(--soft);font-size:11px;font-family:{CODE_FONT}}}
.note{{fill:var(--waits);font-size:11px;font-style:italic}}.mark{{font-size:10.5px;font-weight:600}}
.paperpatch{{fill:var(--paper);opacity:.88}}.pause{{fill:var(--soft);font-size:10.5px;text-anchor:middle;font-style:italic}}
""".strip()
    + "".join(
        f".m-{tone}{{fill:var(--{tone})}}.p-{tone}{{fill:var(--{tone}fill)}}"
        for tone in ("good", "bad", "waits", "runs", "plain")
    )
)


def svg(sequence: Sequence, logs: bool = True) -> str:
    """The diagram as SVG text.

    :param logs: with what was logged in each hop.
    """
    return "\n".join(_Picture(sequence, logs).lines()) + "\n"


class _Picture:
    def __init__(self, sequence: Sequence, logs: bool) -> None:
        self._sequence = sequence
        self._logs = logs
        self._gutter = self._left()
        self._places = self._columns()
        self._tops, self._bottom = self._rows()
        self._width = max(
            self._places[-1] + 70,
            max((self._caption_at(step) + self._caption_width(step) + 20 for step in sequence.steps), default=0),
            max((self._remarks_end(step) for step in sequence.steps), default=0),
            560.0,
        )

    # Places -------------------------------------------------------------------------------------------------

    def _left(self) -> float:
        """Numbers and times beside each other: a node that was restored counts from far above."""
        numbers = max((len(str(step.seq)) for step in self._sequence.steps), default=0)
        times = max((len(_offset(step.offset)) for step in self._sequence.steps), default=0)
        return max(GUTTER, 20 + (numbers + 2 + times) * DIGIT + 6)

    def _columns(self) -> list[float]:
        """Columns are as far apart as heads and captions between them need."""
        names = [self._head_width(title) for title in self._titles()] or [80.0]
        places = [self._gutter + names[0] / 2 + 14]
        for number in range(1, len(names)):
            apart = max(LEAST, (names[number - 1] + names[number]) / 2 + 18)
            place = places[-1] + apart
            for step in self._sequence.steps:
                low, high = sorted((step.source, step.to))
                wide = min(self._caption_width(step) + 34, MOST)
                if high == number and low < high:
                    place = max(place, places[low] + wide)
                elif low == high == number - 1:
                    place = max(place, places[-1] + wide)
            places.append(place)
        return places

    def _titles(self) -> list[str]:
        return [short(column.title, 40) for column in self._sequence.columns]

    def _head_width(self, title: str) -> float:
        return max(text_width(title, 13, bold=True) + 28, 72.0)

    def _rows(self) -> tuple[list[float], float]:
        y, before, tops = TOP + HEAD + 18, 0.0, []
        for step in self._sequence.steps:
            if step.offset - before >= PAUSE:
                y += GAP
            before = max(before, step.offset)
            tops.append(y)
            y += (ROW if step.shape != "try" else 28.0) + LINE * len(self._remarks(step))
        return tops, y + 6

    def _remarks(self, step: Step) -> list[Remark]:
        error = [Remark("error", step.error)] if step.error else []
        return error + [remark for remark in step.remarks if self._logs or remark.what != "log"]

    def _remarks_end(self, step: Step) -> float:
        wide = max((_code_width(_remark(remark)) for remark in self._remarks(step)), default=0.0)
        return self._places[step.to] + 14 + wide + 16 if wide else 0.0

    def _caption_at(self, step: Step) -> float:
        if step.shape == "try" or step.source == step.to:
            return self._places[step.to] + (14 if step.shape == "try" else 34)
        return min(self._places[step.source], self._places[step.to]) + 12

    def _caption_width(self, step: Step) -> float:
        parts = text_width(_label(step), 12, bold=True) + 8 + text_width(_facts(step), 11)
        return parts + (text_width(_mark(step), 10.5, bold=True) + 20 if _mark(step) else 0)

    # The whole ----------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """The file, line by line."""
        sequence = self._sequence
        height = self._bottom + (30 if sequence.left_out else 0) + 40
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width:.0f} {height:.0f}" '
            f'width="{self._width:.0f}" height="{height:.0f}" role="img" aria-labelledby="junctor-title junctor-desc">'
        )
        yield f'<title id="junctor-title">session {sequence.session}</title>'
        yield f'<desc id="junctor-desc">{svg_text(self._description())}</desc>'
        yield f"<style>{COLOURS}{_STYLE}</style>"
        yield f"<defs>{''.join(tip(kind) for kind in ('send', 'request', 'call', 'event', 'reply'))}</defs>"
        yield f'<rect class="paper" width="{self._width:.0f}" height="{height:.0f}"/>'
        yield from self._heading()
        yield from self._asked()
        yield from self._heads()
        yield from self._bars()
        before = 0.0
        for step, y in zip(sequence.steps, self._tops, strict=True):
            if step.offset - before >= PAUSE:
                yield self._pause(step.offset - before, y)
            before = max(before, step.offset)
            yield from self._step(step, y)
        if sequence.left_out:
            told = f"{sequence.left_out:,} more hops are left out"
            yield f'<text class="sub" x="20" y="{self._bottom + 20:.1f}">{told}</text>'
        yield from self._legend(height - 18)
        yield "</svg>"

    def _description(self) -> str:
        titles = self._titles()
        told = [
            f"{step.seq} {titles[step.source]} to {titles[step.to]}: {step.label} {step.mark}".rstrip()
            for step in self._sequence.steps[:100]
            if step.shape not in ("try", "reply")
        ]
        return f"{self._sequence.hops} hops. " + "; ".join(told)

    def _heading(self) -> Iterator[str]:
        sequence = self._sequence
        local = sequence.started.astimezone()
        hops = f"{sequence.hops:,} hop" + ("" if sequence.hops == 1 else "s")
        told = f"{local:%Y-%m-%d %H:%M:%S %Z} · {hops} · {duration(sequence.seconds)}"
        if sequence.others:
            told += f" · {sequence.others:,} others of the session are not shown"
        yield f'<text class="title" x="20" y="28">session <tspan class="code">{sequence.session}</tspan></text>'
        yield f'<text class="sub" x="20" y="46">{svg_text(told)}</text>'

    def _asked(self) -> Iterator[str]:
        for step, y in zip(self._sequence.steps, self._tops, strict=True):
            if step.asked:
                wide = self._width - 16
                yield f'<rect class="asked" x="8" y="{y - 2:.1f}" width="{wide:.1f}" height="{ROW - 6:g}" rx="6"/>'

    def _heads(self) -> Iterator[str]:
        for column, title, x in zip(self._sequence.columns, self._titles(), self._places, strict=False):
            wide = self._head_width(title)
            kind = "head outside" if column.outside else "head"
            yield f'<path class="life" d="M{x:.1f} {TOP + HEAD:g}V{self._bottom:.1f}"/>'
            yield (
                f"<g><title>{svg_text(safe(column.address))}</title>"
                f'<rect class="{kind}" x="{x - wide / 2:.1f}" y="{TOP:g}" width="{wide:.1f}" height="{HEAD:g}" rx="8"/>'
                f'<text class="name" x="{x:.1f}" y="{TOP + 21.5:g}">{svg_text(title)}</text></g>'
            )

    def _bars(self) -> Iterator[str]:
        """From the arrival of a message to the end of its last try; of what is in flight, to the end of the drawing."""
        rows = list(zip(self._sequence.steps, self._tops, strict=True))
        for number, (step, top) in enumerate(rows):
            runs = step.tone == "runs"
            if step.shape in ("try", "reply") or not (runs or step.ended is not None):
                continue
            y = top + 26
            kind = "bar-runs" if runs else "bar"
            end = self._bottom if runs else self._end_of(step, y, rows[number + 1 :])
            x = self._places[step.to] - 4
            yield f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="8" height="{end - y:.1f}" rx="2"/>'

    def _end_of(self, step: Step, y: float, below: list[tuple[Step, float]]) -> float:
        end = y + 12
        for other, top in below:
            if other.seq == step.seq:
                end = top + (26 if other.shape == "reply" else 16)
            elif step.ended is not None and other.offset <= step.ended and step.to in (other.source, other.to):
                end = top + 26
        return end

    def _pause(self, seconds: float, y: float) -> str:
        x = (self._places[0] + self._places[-1]) / 2
        words = f"{duration(seconds)} later"
        wide = text_width(words, 10.5) + 14
        return (
            f'<rect class="paperpatch" x="{x - wide / 2:.1f}" y="{y - GAP + 4:.1f}" width="{wide:.1f}" height="16"/>'
            f'<text class="pause" x="{x:.1f}" y="{y - GAP + 16:.1f}">{words}</text>'
        )

    def _legend(self, y: float) -> Iterator[str]:
        words = {"call": "call", "request": "request", "reply": "reply", "send": "send", "event": "event"}
        there = {step.shape for step in self._sequence.steps}
        for index, shape in enumerate(shape for shape in words if shape in there):
            x = 20 + 92 * index
            yield (
                f'<path class="link {shape}" d="M{x} {y:g}h30" marker-end="url(#{shape}-tip)"/>'
                f'<text class="sub" x="{x + 38}" y="{y + 4:g}">{words[shape]}</text>'
            )

    # Steps --------------------------------------------------------------------------------------------------

    def _step(self, step: Step, y: float) -> Iterator[str]:
        told = "" if step.body is msgspec.UNSET else short(_json(step.body), 2000)
        yield f"<g><title>{svg_text(told)}</title>" if told else "<g>"
        if step.shape not in ("reply", "try"):
            yield f'<text class="seq" x="20" y="{y + 16:.1f}">{step.seq}</text>'
        yield f'<text class="time" x="{self._gutter - 6:g}" y="{y + 16:.1f}">{_offset(step.offset)}</text>'
        yield from self._captioned(step, y)
        if step.shape == "try":
            x = self._places[step.to]
            yield f'<path class="link" stroke="var(--bad)" d="M{x - 4:.1f} {y + 8:.1f}l8 8m0 -8l-8 8"/>'
        else:
            yield self._arrow(step, y + 26)
        top = y + (ROW if step.shape != "try" else 28.0) - 4
        for index, remark in enumerate(self._remarks(step)):
            yield self._remark(remark, self._places[step.to] + 14, top + LINE * index + 8)
        yield "</g>"

    def _captioned(self, step: Step, y: float) -> Iterator[str]:
        x = self._caption_at(step)
        wide = self._caption_width(step)
        yield f'<rect class="paperpatch" x="{x - 3:.1f}" y="{y + 3:.1f}" width="{wide + 6:.1f}" height="18" rx="4"/>'
        label = _label(step)
        if label:
            yield f'<text class="label" x="{x:.1f}" y="{y + 16:.1f}">{svg_text(label)}</text>'
            x += text_width(label, 12, bold=True) + 8
        mark = _mark(step)
        if mark:
            size = text_width(mark, 10.5, bold=True) + 12
            yield f'<rect class="p-{step.tone}" x="{x:.1f}" y="{y + 4:.1f}" width="{size:.1f}" height="16" rx="8"/>'
            yield f'<text class="mark m-{step.tone}" x="{x + 6:.1f}" y="{y + 15.6:.1f}">{svg_text(mark)}</text>'
            x += size + 8
        facts = _facts(step)
        if facts:
            yield f'<text class="fact" x="{x:.1f}" y="{y + 16:.1f}">{svg_text(facts)}</text>'

    def _arrow(self, step: Step, y: float) -> str:
        source, to = self._places[step.source], self._places[step.to]
        head = f'marker-end="url(#{step.shape}-tip)"'
        if step.source == step.to:
            path = f"M{source:.1f} {y - 14:.1f}h22a6 6 0 0 1 6 6v4a6 6 0 0 1 -6 6h-21"
        else:
            away = 4.5 if to > source else -4.5
            path = f"M{source + away:.1f} {y:.1f}H{to - away:.1f}"
        return f'<path class="link {step.shape}" d="{path}" {head}/>'

    def _remark(self, remark: Remark, x: float, y: float) -> str:
        words = _remark(remark)
        wide = _code_width(words) + 6
        return (
            f'<rect class="paperpatch" x="{x - 3:.1f}" y="{y - 12:.1f}" width="{wide:.1f}" height="15"/>'
            f'<text class="{remark.what}" x="{x:.1f}" y="{y:.1f}">{svg_text(words)}</text>'
        )


def _remark(remark: Remark) -> str:
    return short(f"note by {remark.text}" if remark.what == "note" else remark.text, _LONGEST)


def _code_width(text: str) -> float:
    return len(text) * 6.75


def _label(step: Step) -> str:
    return short(step.label, 40)


def _mark(step: Step) -> str:
    """What became of it, where that is not simply well."""
    return "" if step.mark == "done" else short(step.mark, 60)


def _facts(step: Step) -> str:
    return short(", ".join(step.facts), 60)


def _offset(seconds: float) -> str:
    return f"+{seconds:.3f} s" if seconds < 1000 else f"+{duration(seconds)}"


def _json(body: object) -> str:
    return safe(msgspec.json.encode(codec.to_plain(body)).decode())
