"""A drawing as one SVG file: no script, no font or picture from elsewhere, light or dark as the page is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from junctor.flows.graph import icons
from junctor.flows.graph.drawing import Box, Drawing, Edge, Entry
from junctor.flows.graph.layout import Arc, Laid, Spot, lay_out
from junctor.flows.graph.look import COLOURS, text_width, tip
from junctor.flows.graph.look import svg_text as _text

HEAD, ROW, PAD = 36.0, 19.0, 12.0
"""Height of a service's head and of a line below it, and the room at its sides."""

MOST_ENTRIES = 5
"""Entries shown in a box; the number of the others stands below."""

FRAME = 26.0
"""From the boxes of a flow to its frame."""

_STYLE = """
.frame{fill:var(--frame);stroke:var(--edge)}.flow{fill:var(--soft);font-size:13px;
font-weight:600;letter-spacing:.02em}.box{fill:var(--box);stroke:var(--edge);stroke-width:1.2}.outside{fill:none;
stroke:var(--line);stroke-dasharray:4 3}.rule{stroke:var(--edge)}.name{fill:var(--ink);font-size:14px;font-weight:600}
.row{fill:var(--soft);font-size:11.5px}.pool{fill:var(--soft);font-size:11px;text-anchor:end}.port{fill:var(--ink);
font-size:11.5px;text-anchor:end}.icon{fill:none;stroke:var(--soft);stroke-width:1.3;stroke-linecap:round;
stroke-linejoin:round}.link{fill:none;stroke-width:1.5}.send{stroke:var(--send)}.ask{stroke:var(--ask);
stroke-dasharray:5 3.5}.tip-send{fill:var(--send)}.tip-ask{fill:var(--ask)}.tag{fill:var(--tag)}.type{font-size:11.5px;
text-anchor:middle;font-weight:500}.type-send{fill:var(--send)}.type-ask{fill:var(--ask)}.when{fill:var(--when);
font-size:10.5px;text-anchor:middle;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.key{fill:var(--soft);font-size:11px}
""".strip()


def svg(drawing: Drawing, title: str = "") -> str:
    """The drawing as SVG text.

    :param title: what it is called for those who hear it; the names of the flows by default.
    """
    return "\n".join(_Picture(drawing, title).lines()) + "\n"


class _Picture:
    def __init__(self, drawing: Drawing, title: str) -> None:
        self._drawing = drawing
        self._title = title or ", ".join(drawing.flows)
        self._boxes = {box.address: box for box in drawing.boxes}
        self._edges = [edge for edge in drawing.edges if edge.source != edge.to]
        self._own = [edge for edge in drawing.edges if edge.source == edge.to]
        bands = {flow: index for index, flow in enumerate(drawing.flows)}
        self._laid: Laid = lay_out(
            {box.address: self._size(box) for box in drawing.boxes},
            {box.address: bands[box.flow] for box in drawing.boxes},
            [Arc(edge.source, edge.to, _label_size(edge)) for edge in self._edges],
        )

    # The whole ----------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """The file, line by line."""
        frames = _alike([self._frame(flow) for flow in self._drawing.flows])
        legend = bool(self._drawing.edges)
        left = min((x for x, _, _, _ in frames), default=0.0) - 20
        top = min((y for _, y, _, _ in frames), default=0.0) - 20
        width = max((x + w for x, _, w, _ in frames), default=100.0) + 20 - left
        height = max((y + h for _, y, _, h in frames), default=60.0) + (44 if legend else 20) - top
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {top:g} {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="junctor-title junctor-desc">'
        )
        yield f'<title id="junctor-title">{_text(self._title)}</title>'
        yield f'<desc id="junctor-desc">{_text(self._description())}</desc>'
        yield f"<style>{COLOURS}{_STYLE}</style>"
        yield f"<defs>{tip('send')}{tip('ask')}</defs>"
        yield f'<rect class="paper" x="{left:g}" y="{top:g}" width="{width:.0f}" height="{height:.0f}"/>'
        for flow, (x, y, w, h) in zip(self._drawing.flows, frames, strict=True):
            yield f'<rect class="frame" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="14"/>'
            yield f'<text class="flow" x="{x + 16:.1f}" y="{y + 24:.1f}">{_text(flow)}</text>'
        for edge, chain, back in zip(self._edges, self._laid.chains, self._laid.backwards, strict=True):
            yield self._line(edge, chain, back)
        for edge, spot in zip(self._edges, self._laid.labels, strict=True):
            yield from _label(edge, spot)
        for box in self._drawing.boxes:
            yield from self._box(box)
        if legend:
            yield from self._legend(left + 36, top + height - 18)
        yield "</svg>"

    def _description(self) -> str:
        services = f"{len(self._drawing.boxes)} services of {len(self._drawing.flows)} flows. "
        told = [
            f"{edge.source} {'asks' if edge.reply else 'sends'} {edge.type} {'of' if edge.reply else 'to'} {edge.to}"
            + (f" when {edge.when}" if edge.when else "")
            for edge in self._drawing.edges
        ]
        return services + "; ".join(told)

    def _frame(self, flow: str) -> Frame:
        """What surrounds a flow: its boxes and the ways of its connections."""
        band = self._drawing.flows.index(flow)
        spots = [spot for spot in self._laid.boxes.values() if spot.band == band]
        spots += [spot for chain in self._laid.chains for spot in chain if spot.band == band and spot.width]
        left, top = min(spot.x for spot in spots), min(spot.y for spot in spots)
        right, bottom = max(spot.x + spot.width for spot in spots), max(spot.y + spot.height for spot in spots)
        return left - FRAME, top - FRAME - 18, right - left + 2 * FRAME, bottom - top + 2 * FRAME + 18

    def _legend(self, x: float, y: float) -> Iterator[str]:
        words = {"ask" if edge.reply else "send": _WORDS[bool(edge.reply)] for edge in self._drawing.edges}
        for index, (kind, word) in enumerate(sorted(words.items(), reverse=True)):
            dx = 96 * index
            start = f' marker-start="url(#{kind}-tip)"' if kind == "ask" else ""
            yield (
                f'<path class="link {kind}" d="M{x + dx:g} {y:g}h34"{start} marker-end="url(#{kind}-tip)"/>'
                f'<text class="key" x="{x + dx + 44:g}" y="{y + 4:g}">{word}</text>'
            )

    # Services -----------------------------------------------------------------------------------------------

    def _size(self, box: Box) -> tuple[float, float]:
        rows = [
            *(text_width(entry.text, 11.5) + 20 for entry in _shown(box)),
            *(text_width(p, 11.5) for p in self._ports(box)),
        ]
        head = text_width(box.name, 14, bold=True) + (52 if box.pool > 1 else 0)
        wide = max([head, *rows, 84.0]) + 2 * PAD
        count = len(rows) + (1 if len(box.entries) > MOST_ENTRIES else 0)
        return round(wide), HEAD + count * ROW + (10 if count else 0)

    def _ports(self, box: Box) -> list[str]:
        """The names of the targets with a line, in the order of the class; one that leads home says so."""
        leaving = dict.fromkeys(edge.port for edge in self._edges if edge.source == box.address)
        home = [f"{edge.port} ⟲ {edge.type}" for edge in self._own if edge.source == box.address]
        return [port for port in box.ports if port in leaving] + home

    def _box(self, box: Box) -> Iterator[str]:
        spot = self._laid.boxes[box.address]
        kind = "box outside" if box.outside else "box"
        yield f'<g transform="translate({spot.x:.1f} {spot.y:.1f})">'
        if box.doc:
            yield f"<title>{_text(box.doc)}</title>"
        yield f'<rect class="{kind}" width="{spot.width:.1f}" height="{spot.height:.1f}" rx="9"/>'
        yield f'<text class="name" x="{PAD}" y="23">{_text(box.name)}</text>'
        if box.pool > 1:
            yield f'<text class="pool" x="{spot.width - PAD:.1f}" y="23">pool {box.pool}</text>'
        if spot.height > HEAD:
            yield f'<path class="rule" d="M0 {HEAD - 1:g}h{spot.width:.1f}"/>'
        yield from self._rows(box, spot)
        yield "</g>"

    def _rows(self, box: Box, spot: Spot) -> Iterator[str]:
        y = HEAD + 5
        for entry in _shown(box):
            yield f'<g class="icon" transform="translate({PAD - 1:g} {y + 2:g})">{icons.ICONS[entry.kind]}</g>'
            yield f'<text class="row" x="{PAD + 19:g}" y="{y + 13:g}">{_text(entry.text)}</text>'
            y += ROW
        if len(box.entries) > MOST_ENTRIES:
            yield f'<text class="row" x="{PAD + 19:g}" y="{y + 13:g}">{len(box.entries) - MOST_ENTRIES} more</text>'
            y += ROW
        for port in self._ports(box):
            yield f'<text class="port" x="{spot.width - PAD:.1f}" y="{y + 13:g}">{_text(port)}</text>'
            y += ROW

    def _port_height(self, edge: Edge) -> float:
        """The height of the line of a target in the drawing."""
        box = self._boxes[edge.source]
        rows = len(_shown(box)) + (1 if len(box.entries) > MOST_ENTRIES else 0)
        return self._laid.boxes[edge.source].y + HEAD + 5 + (rows + self._ports(box).index(edge.port)) * ROW + ROW / 2

    # Connections --------------------------------------------------------------------------------------------

    def _line(self, edge: Edge, chain: Sequence[Spot], back: bool) -> str:
        """A line from end to end, level where it passes a column and curved between columns."""
        leave, arrive = self._port_height(edge), self._entry_height(edge)
        first, last = (arrive, leave) if back else (leave, arrive)
        heights = [first, *(spot.middle for spot in chain[1:-1]), last]
        path = f"M{chain[0].x + chain[0].width:.1f} {first:.1f}H{chain[0].right:.1f}"
        for spot, before, y, above in zip(chain[1:], chain, heights[1:], heights, strict=False):
            x, to = before.right, spot.left
            half = (x + to) / 2
            path += f"C{half:.1f} {above:.1f} {half:.1f} {y:.1f} {to:.1f} {y:.1f}"
            path += f"H{spot.x if spot is chain[-1] else spot.right:.1f}"
        kind = "ask" if edge.reply else "send"
        head = f' marker-end="url(#{kind}-tip)"'
        tail = f' marker-start="url(#{kind}-tip)"'
        tips = head + tail if edge.reply else tail if back else head
        return f'<path class="link {kind}" d="{path}"{tips}><title>{_text(_told(edge))}</title></path>'

    def _entry_height(self, edge: Edge) -> float:
        """Where a line comes in: beside the head of the service, spread when there are several."""
        coming = [
            (chain[1].middle if back else chain[-2].middle, index)
            for index, (other, chain, back) in enumerate(
                zip(self._edges, self._laid.chains, self._laid.backwards, strict=True)
            )
            if other.to == edge.to
        ]
        place = [index for _, index in sorted(coming)].index(self._edges.index(edge))
        spot = self._laid.boxes[edge.to]
        room = max(spot.height - 20, 0.0)
        step = min(12.0, room / max(len(coming) - 1, 1))
        middle = spot.y + min(spot.height / 2, max(HEAD / 2, 10 + step * (len(coming) - 1) / 2))
        return middle + (place - (len(coming) - 1) / 2) * step


_WORDS = {False: "sends", True: "asks and gets a reply"}

Frame = tuple[float, float, float, float]
"""Left, top, width, height."""


def _alike(frames: Sequence[Frame]) -> list[Frame]:
    """Frames above each other with the same left and right side."""
    left = min((x for x, _, _, _ in frames), default=0.0)
    right = max((x + width for x, _, width, _ in frames), default=0.0)
    return [(left, y, right - left, height) for _, y, _, height in frames]


def _shown(box: Box) -> tuple[Entry, ...]:
    return box.entries[:MOST_ENTRIES]


def _told(edge: Edge) -> str:
    carries = f"{edge.type} → {edge.reply}" if edge.reply else edge.type
    return f"{edge.source}.{edge.port} → {edge.to}: {carries}" + (f" when {edge.when}" if edge.when else "")


_LONGEST_WHEN = 38


def _condition(edge: Edge) -> str:
    return edge.when if len(edge.when) <= _LONGEST_WHEN else f"{edge.when[: _LONGEST_WHEN - 1]}…"


def _carried(edge: Edge) -> str:
    text = f"{edge.type} → {edge.reply}" if edge.reply else edge.type
    return text if len(text) <= 44 else f"{text[:43]}…"


def _label_size(edge: Edge) -> tuple[float, float]:
    wide = text_width(_carried(edge), 11.5)
    if edge.when:
        wide = max(wide, len(_condition(edge)) * 6.5)
    return round(wide + 16), 34.0 if edge.when else 19.0


def _label(edge: Edge, spot: Spot) -> Iterator[str]:
    """Type and condition on a patch that covers the line."""
    kind = "ask" if edge.reply else "send"
    x, y = spot.x + spot.width / 2, spot.y
    yield f'<rect class="tag" x="{spot.x:.1f}" y="{y:.1f}" width="{spot.width:g}" height="{spot.height:g}" rx="6"/>'
    yield f'<text class="type type-{kind}" x="{x:.1f}" y="{y + 13.5:.1f}">{_text(_carried(edge))}</text>'
    if edge.when:
        title = f"<title>{_text(edge.when)}</title>"
        yield f'<text class="when" x="{x:.1f}" y="{y + 28:.1f}">{title}{_text(_condition(edge))}</text>'
